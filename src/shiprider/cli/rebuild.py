"""`shiprider rebuild`: the lake from the spool, which is the truth."""

import shutil
from pathlib import Path

import click

from shiprider.cli.compiling import announced


@click.command(epilog="Example: shiprider rebuild ./node")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("node"))
@click.option("--json", "as_json", is_flag=True, help="Print one object about what was rebuilt.")
@announced
def command(folder: Path, as_json: bool) -> None:
    """Rebuild the lake of the node in FOLDER (default: ./node) from its spool.

    The old lake is put aside until the new one is whole. Findings keep their ids.
    """
    from shiprider.bootstrap.folder import load_settings, node_lock
    from shiprider.bootstrap.node import open_node, rebuild_lake
    from shiprider.cli.output import json_line, progress, say
    from shiprider.cli.serving import refuse_running

    refuse_running(folder)
    load_settings(folder)
    aside = folder / "lake.before"
    with node_lock(folder):
        # An interrupted rebuild goes on: then the old lake is aside already.
        if not aside.exists() and (folder / "lake").exists():
            aside.mkdir()
            for name in ("lake", "state"):
                if (folder / name).exists():
                    (folder / name).rename(aside / name)
    with open_node(folder) as opened, progress("rebuild") as advance:
        position = rebuild_lake(opened, lambda d, t: advance(d / max(t, 1), ""))
    with open_node(folder) as opened, progress("detect") as advance:
        opened.node.catch_up(advance)
    shutil.rmtree(aside, ignore_errors=True)
    if as_json:
        json_line({"position": position})
    else:
        say("The lake was rebuilt from the spool.")
