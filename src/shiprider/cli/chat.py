"""`shiprider chat`: what nodes say to each other on a case or operation."""

from pathlib import Path

import click

from shiprider.cli.request import CLASS, FIXED, JSON, LABEL, LANGUAGE, NODE, OFFICER, SET, said


@click.command(epilog="Example: shiprider chat K-7 'Fog since four.' --to usa --node ./node")
@click.argument("room")
@click.argument("text", default="")
@click.option("--operation", is_flag=True, help="ROOM is an operation, not a case.")
@click.option("--to", multiple=True, help="A partner's node; give it once for each. None: this node alone.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@FIXED
@SET
@LANGUAGE
@CLASS
@LABEL
@OFFICER
@NODE
@JSON
def command(
    room: str,
    text: str,
    operation: bool,
    to: tuple[str, ...],
    limit: int,
    fixed: str,
    given: tuple[str, ...],
    language: str,
    classification: str,
    label: str,
    officer: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Say TEXT on the case or operation ROOM; without one, print what was said, oldest first."""
    from shiprider.cli.output import json_line, plain
    from shiprider.cli.serving import node_api, officer_api
    from shiprider.measure.clock import iso_from_us

    kind = "operation" if operation else "case"
    if text or fixed:
        body = {
            "room_kind": kind,
            "room": room,
            "said": said(text, language, fixed, given),
            "to": list(to),
            "classification": classification,
            "label": label,
        }
        with officer_api(folder, officer) as api:
            listed = [api.ask("POST", "/chat", body)]
    else:
        with node_api(folder) as api:
            page = api.ask("GET", "/chat", room_kind=kind, room=room, limit=limit, words=language)
        listed = list(reversed(page["messages"]))
    for each in listed:
        if as_json:
            json_line(each)
        else:
            when = iso_from_us(each["known_us"])[:16].replace("T", " ")
            click.echo(plain(f"{when}  {each['node']}  {each['author']}: {each['said']['text']}"))
