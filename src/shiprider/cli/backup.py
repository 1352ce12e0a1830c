"""`shiprider backup`: a whole copy of a node, an archive of many, and checking either."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider backup ./copy-2026-03-02 --node ./node")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option(
    "--archive", is_flag=True, help="Add to the archive in TARGET; what is in it already is not stored again."
)
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="Seals the node's private keys.")
@click.option(
    "--prune-before", default="", help="Of the archive: forget back-ups from before this time (ISO 8601)."
)
@click.option("--check", is_flag=True, help="Only check the copy or archive in TARGET.")
@click.option("--json", "as_json", is_flag=True, help="Print one object about the copy.")
def command(
    target: Path,
    folder: Path,
    archive: bool,
    passphrase_file: Path | None,
    prune_before: str,
    check: bool,
    as_json: bool,
) -> None:
    """Copy the node to the new folder TARGET, every file named with its hash."""
    from shiprider.cli.output import json_line, say

    told = _archive(target, folder, passphrase_file, prune_before, check) if archive else None
    if told is None:
        told = _copy(target, folder, passphrase_file, check)
    text = told.pop("text")
    if as_json:
        json_line(told)
    else:
        say(str(text))


def _copy(target: Path, folder: Path, passphrase_file: Path | None, check: bool) -> dict[str, object]:
    from shiprider.bootstrap.backups import backup_node
    from shiprider.bootstrap.keys import passphrase_from
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import progress
    from shiprider.cli.serving import refuse_running
    from shiprider.flow.backup import verify

    if check:
        with progress("check") as advance:
            manifest = verify(target, lambda done, total: advance(done / max(total, 1), ""))
    else:
        refuse_running(folder)
        with open_node(folder) as opened:
            manifest = backup_node(opened, target, passphrase_from(passphrase_file))
    files, size = len(manifest.files), sum(f.size for f in manifest.files)
    done = "as they were made" if check else "copied"
    return {
        "node": manifest.node,
        "files": files,
        "bytes": size,
        "text": f"{files:,} files, {size:,} bytes: {done}.",
    }


def _archive(
    target: Path, folder: Path, passphrase_file: Path | None, prune_before: str, check: bool
) -> dict[str, object]:
    from shiprider.bootstrap.backups import archive_node
    from shiprider.bootstrap.keys import passphrase_from
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.times import time_of
    from shiprider.cli.output import progress
    from shiprider.cli.serving import refuse_running
    from shiprider.flow import archive
    from shiprider.measure.clock import iso_from_us

    if check:
        with progress("check") as advance:
            count = archive.verify(target, lambda done, total: advance(done / max(total, 1), ""))
        return {"backups": count, "text": f"{count} back-ups, every block is as it was made."}
    if prune_before:
        gone, freed = archive.prune(target, time_of(prune_before))
        return {"removed": gone, "bytes": freed, "text": f"{gone} back-ups removed, {freed:,} bytes freed."}
    refuse_running(folder)
    with open_node(folder) as opened:
        made, fresh = archive_node(opened, target, passphrase_from(passphrase_file))
    return {
        "node": made.node,
        "files": len(made.files),
        "bytes": sum(f.size for f in made.files),
        "new_bytes": fresh,
        "ledger_sequence": made.ledger_sequence,
        "made": iso_from_us(made.made_us),
        "text": f"{len(made.files):,} files as of {iso_from_us(made.made_us)}, {fresh:,} bytes of them new.",
    }
