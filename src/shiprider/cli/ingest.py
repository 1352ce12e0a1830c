"""`shiprider ingest`: recordings into a node, from bytes to alerts."""

from pathlib import Path

import click

from shiprider.cli.compiling import announced


@click.command(epilog="Example: shiprider ingest recording.nmea.zst --node ./node")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option(
    "--start", default="", metavar="TIME", help="When an unstamped recording began (ISO 8601, UTC)."
)
@click.option("--columns", default="", metavar="TOML", help="What the columns of a table of your own mean.")
@click.option("--label", default="", help="Whose it is and who may have it; without one, this node's own.")
@click.option("--json", "as_json", is_flag=True, help="Print one object about what was taken.")
@announced
def command(
    files: tuple[str, ...], folder: Path, start: str, columns: str, label: str, as_json: bool
) -> None:
    """Take FILE... (NMEA or CSV; plain, .gz or .zst; - is standard input) into a node.

    A recording that was taken before is passed over; an interrupted one goes on where it was.
    """
    from shiprider.bootstrap.feeds import recording
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.detect import start_us
    from shiprider.cli.output import json_line, progress, say
    from shiprider.cli.stopping import stop_on_signal
    from shiprider.model.errors import InputError
    from shiprider.ports.ledger import Query

    feeds = [recording(path, start_us=start_us(start), columns=columns, label=label) for path in files]
    with open_node(folder) as opened, stop_on_signal(opened.node.stop) as stopped:
        with progress("ingest") as advance:
            status = opened.node.ingest(feeds, advance)
        if not stopped():
            with progress("detect") as advance:
                opened.node.catch_up(advance)
        alerts = opened.view(opened.own("cli")).count(Query("alert"))
    told = {
        "rows": dict(status.rows),
        "rejected": dict(status.rejects),
        "stopped_feeds": dict(status.stopped_feeds),
        "alerts": alerts,
        "interrupted": stopped(),
    }
    if as_json:
        json_line(told)
    else:
        for notice in status.notices:
            say(notice)
        counts = ", ".join(f"{count:,} {name}" for name, count in status.rows.items() if count)
        say(f"Took {counts or 'nothing new'}; {alerts:,} alerts in the node.")
    if status.stopped_feeds:
        raise InputError(" ".join(status.stopped_feeds.values()))
    if stopped():
        raise click.Abort
