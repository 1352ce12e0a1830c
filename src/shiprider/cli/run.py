"""`shiprider run`: a node with its feeds and its watch floor."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shiprider.bootstrap import OpenNode
    from shiprider.ports.feed import Feed


@click.command(epilog="Example: shiprider run ./node")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("node"))
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Instead of the settings' port; 0 takes a free one."
)
@click.option("--log-json", is_flag=True, help="Log to standard error, one JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="Print one object with the address when it is up.")
def command(folder: Path, port: int | None, log_json: bool, as_json: bool) -> None:
    """Run the node in FOLDER (default: ./node) until it is interrupted."""
    if log_json:
        from shiprider.cli.logs import log_json as begin_log

        begin_log()
    from shiprider import bootstrap
    from shiprider.cli.output import progress, say
    from shiprider.cli.stopping import stop_on_signal

    with bootstrap.open_node(folder) as opened:
        settings = opened.settings
        declared = settings.feeds
        files = [bootstrap.live_feed(f, folder) for f in declared if f.kind == "file"]
        live = [bootstrap.live_feed(f, folder) for f in declared if f.kind != "file"]
        with stop_on_signal(opened.node.stop) as stopped:
            if files:
                with progress("ingest") as advance:
                    status = opened.node.ingest(files, advance)
                for sentence in status.stopped_feeds.values():
                    say(sentence)
            with progress("detect") as advance:
                opened.node.catch_up(advance)
            if not stopped():
                serve(opened, folder, live, settings.api.port if port is None else port, as_json=as_json)


def serve(
    opened: "OpenNode",
    folder: Path,
    live: "Sequence[Feed]",
    port: int,
    *,
    as_json: bool,
    demo: bool = False,
    ready: "Callable[[str], None] | None" = None,
) -> None:
    """The watch floor beside the node's own loop, until the node stops."""
    from importlib.resources import files

    from shiprider import bootstrap
    from shiprider.api.server import Server
    from shiprider.cli.output import json_line
    from shiprider.cli.serving import announced, site_of

    static = Path(str(files("shiprider.api").joinpath("static")))
    care = bootstrap.caretaker(opened)
    server = Server(site_of(opened, demo=demo), host=opened.settings.api.host, port=port, static=static)
    server.start()
    care.start()
    try:
        with announced(folder, server):
            if as_json:
                json_line({"url": server.url, "port": server.port})
            else:
                click.echo(f"The watch floor is at {server.url}")
                click.echo("Ctrl-C ends it.")
            sys.stdout.flush()
            if ready is not None:
                ready(server.url)
            opened.node.run(live)
    finally:
        care.stop()
        server.stop()
