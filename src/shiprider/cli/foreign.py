"""`shiprider foreign`: what was taken in from other software."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider foreign --node ./node --source JIATF")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--source", default="", help="Only of this source.")
@click.option(
    "--mmsi", type=click.IntRange(0, 999_999_999), default=None, help="Only what names this vessel."
)
@click.option("--unreadable", is_flag=True, help="Only what could not be read, and why.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One report a line.")
def command(folder: Path, source: str, mmsi: int | None, unreadable: bool, limit: int, as_json: bool) -> None:
    """List foreign reports, newest first. Everything in them is the words of whoever wrote them."""
    from shiprider.cli.output import json_line, say, table
    from shiprider.cli.serving import node_api
    from shiprider.measure.clock import iso_from_us

    with node_api(folder) as api:
        state = "unreadable" if unreadable else ""
        page = api.ask("GET", "/foreign-reports", source=source, mmsi=mmsi, state=state, limit=limit)
    if as_json:
        for each in page["reports"]:
            json_line(each)
        return
    table(
        ("id", "taken in (UTC)", "source", "grade", "type", "title", "marking"),
        [
            (
                each["id"],
                iso_from_us(each["recorded_us"])[:16],
                each["source"],
                each["reliability"] + each["credibility"],
                each["foreign_type"],
                each["fault"] or each["title"],
                each["marking"]["portion"],
            )
            for each in page["reports"]
        ],
    )
    say(f"{len(page['reports'])} reports{' and more' if page['next_cursor'] else ''}.")
