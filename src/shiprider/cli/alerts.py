"""`shiprider alerts`: a node's queue, and deciding on it."""

from pathlib import Path
from typing import Any

import click

DECISIONS = ("take", "dismiss", "escalate", "reopen", "undo")


@click.command(epilog="Example: shiprider alerts --node ./node --limit 10")
@click.argument("alert", required=False, metavar="[ALERT]")
@click.argument("decision", required=False, type=click.Choice(DECISIONS))
@click.option("--reason", default="", help="Why, for dismiss: one of the reasons the watch floor offers.")
@click.option("--text", default="", help="In your own words.")
@click.option("--officer", default="", help="Who decides; your login name where not given.")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--state", default="", help="Comma list: new, taken, escalated, dismissed, merged.")
@click.option("--behaviour", default="", help="Comma list.")
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@click.option("--language", type=click.Choice(["en", "es"]), default="en", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One alert a line.")
def command(
    alert: str | None,
    decision: str | None,
    reason: str,
    text: str,
    officer: str,
    folder: Path,
    state: str,
    behaviour: str,
    limit: int,
    language: str,
    as_json: bool,
) -> None:
    """List a node's alerts; or show one ALERT (its id); or decide on it."""
    from shiprider.cli.output import json_line, plain, say, table
    from shiprider.cli.serving import node_api
    from shiprider.measure.clock import iso_from_us

    with node_api(folder) as api:
        if alert and decision:
            import getpass
            from dataclasses import replace

            api = replace(api, officer=officer or getpass.getuser())
            now = api.ask("GET", f"/alerts/{alert}", lang=language)["alert"]
            body: dict[str, Any] = {"expected_revision": now["revision"], "text": text}
            if decision == "dismiss":
                body["reason"] = reason
            decided = api.ask("POST", f"/alerts/{alert}/{decision}", body, lang=language)
            json_line(decided) if as_json else say(f"{decided['state_text']}: {decided['reason']}")
            return
        if alert:
            detail = api.ask("GET", f"/alerts/{alert}", lang=language)
            json_line(detail) if as_json else click.echo(plain(detail["alert"]["reason"]))
            return
        page = api.ask("GET", "/alerts", state=state, behaviour=behaviour, limit=limit, lang=language)
    if as_json:
        for each in page["alerts"]:
            json_line(each)
        return
    table(
        ("id", "likelihood", "behaviour", "state", "since (UTC)", "why"),
        [
            (
                each["id"][:32],
                each["band_text"],
                each["behaviour_text"],
                each["state_text"],
                iso_from_us(each["start_us"])[:16],
                ("SIMULATED " if each["simulated"] else "") + each["reason"],
            )
            for each in page["alerts"]
        ],
    )
    say(f"{len(page['alerts'])} of {page['total']:,} alerts.")
