"""`shiprider restore`: a node from a copy, or from an archive as it was at a time."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider restore ./copy-2026-03-02 ./node")
@click.argument("copy", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--at", "at", default="", help="From an archive: the node as it was then (ISO 8601).")
@click.option(
    "--sequence", type=click.IntRange(min=0), help="From an archive: the ledger not beyond this record."
)
@click.option("--passphrase-file", type=click.Path(path_type=Path), help="Opens the node's private keys.")
@click.option("--json", "as_json", is_flag=True, help="Print one object about what was restored.")
def command(
    copy: Path, folder: Path, at: str, sequence: int | None, passphrase_file: Path | None, as_json: bool
) -> None:
    """Make the node in FOLDER from COPY, checked first. An existing node is never overwritten."""
    from shiprider.bootstrap.backups import open_secrets
    from shiprider.bootstrap.keys import passphrase_from
    from shiprider.bootstrap.times import time_of
    from shiprider.cli.output import json_line, progress, say
    from shiprider.flow import archive
    from shiprider.flow.backup import MANIFEST, restore
    from shiprider.measure.clock import iso_from_us
    from shiprider.model.errors import UsageError

    passphrase = passphrase_from(passphrase_file)
    with progress("restore") as advance:

        def told(done: int, total: int) -> None:
            advance(done / max(total, 1), "")

        if (copy / MANIFEST).exists() or not (copy / "snapshots").is_dir():
            if at or sequence is not None:
                raise UsageError(f"{copy} is one copy, not an archive: leave --at and --sequence out.")
            manifest = restore(copy, folder, told)
            node, made_us, files = manifest.node, manifest.made_us, len(manifest.files)
        else:
            chosen = archive.choose(copy, at_us=time_of(at) if at else None, sequence=sequence)
            archive.restore(copy, chosen, folder, told)
            node, made_us, files = chosen.node, chosen.made_us, len(chosen.files)
    keys = open_secrets(folder, passphrase)
    if as_json:
        json_line(
            {"node": node, "folder": str(folder), "files": files, "made": iso_from_us(made_us), "keys": keys}
        )
    else:
        say(f"Restored {node!r} as of {iso_from_us(made_us)} to {folder}: shiprider run {folder}")
