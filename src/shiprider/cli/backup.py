"""`shiprider backup`: a whole copy of a node, and checking one."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider backup ./copy-2026-03-02 --node ./node")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--check", is_flag=True, help="Only check the copy in TARGET against its manifest.")
@click.option("--json", "as_json", is_flag=True, help="Print one object about the copy.")
def command(target: Path, folder: Path, check: bool, as_json: bool) -> None:
    """Copy the node to the new folder TARGET, every file named with its hash."""
    from shiprider import bootstrap
    from shiprider.cli.output import json_line, progress, say
    from shiprider.cli.serving import refuse_running
    from shiprider.flow.backup import verify

    if check:
        with progress("check") as advance:
            manifest = verify(target, lambda done, total: advance(done / max(total, 1), ""))
    else:
        refuse_running(folder)
        with bootstrap.open_node(folder) as opened:
            manifest = bootstrap.backup_node(opened, target)
    told = {"node": manifest.node, "files": len(manifest.files), "bytes": sum(f.size for f in manifest.files)}
    if as_json:
        json_line(told)
    else:
        say(
            f"{told['files']:,} files, {told['bytes']:,} bytes: {'as they were made' if check else 'copied'}."
        )
