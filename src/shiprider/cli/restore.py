"""`shiprider restore`: a node from a copy."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider restore ./copy-2026-03-02 ./node")
@click.argument("copy", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one object about what was restored.")
def command(copy: Path, folder: Path, as_json: bool) -> None:
    """Make the node in FOLDER from COPY, checked first. An existing node is never overwritten."""
    from shiprider.cli.output import json_line, progress, say
    from shiprider.flow.backup import restore

    with progress("restore") as advance:
        manifest = restore(copy, folder, lambda done, total: advance(done / max(total, 1), ""))
    if as_json:
        json_line({"node": manifest.node, "folder": str(folder), "files": len(manifest.files)})
    else:
        say(f"Restored {manifest.node!r} to {folder}: shiprider run {folder}")
