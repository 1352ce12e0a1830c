"""`shiprider request`: ask partners for information, answer them, see what waits and how long answers take."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from shiprider.model.errors import NotFound, UsageError

if TYPE_CHECKING:
    from shiprider.cli.serving import Api

NODE = click.option(
    "--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True
)
OFFICER = click.option("--officer", default="", help="Who writes; your login name where not given.")
JSON = click.option("--json", "as_json", is_flag=True, help="One object a line.")
FIXED = click.option("--fixed", default="", help="A fixed message, instead of a text.")
SET = click.option(
    "--set", "given", multiple=True, help="NAME=VALUE of the fixed message; once for each of its gaps."
)
LANGUAGE = click.option(
    "--language", type=click.Choice(["en", "es", "pt", "fr", "nl"]), default="en", show_default=True, help="Of the text."
)  # fmt: skip
CLASS = click.option(
    "--class", "classification", default="RESTRICTED", show_default=True, help="Where no label is given."
)
LABEL = click.option("--label", default="", help="Instead of one that releases to those in --to alone.")


@click.group(epilog="Example: shiprider request list --waiting --node ./node")
def command() -> None:
    """Requests for information: ask partners, answer theirs, list what waits."""


@command.command(
    epilog="Example: shiprider request ask 'Who owns it?' --to usa --about vessel:235000001 --within-h 4"
)
@click.argument("text", default="")
@click.option("--to", multiple=True, required=True, help="A partner's node; give it once for each.")
@click.option("--about", default="", help="KIND:WHAT, as vessel:235000001, alert:ID, area:ID or case:NAME.")
@click.option("--within-h", type=click.FloatRange(0.1, 8760), help="By when it is wanted, in hours from now.")
@click.option("--urgency", type=click.Choice(["immediate", "priority", "routine"]), default="routine")
@click.option("--agreement", default="", help="Under which agreement; it goes into the label.")
@click.option("--case", default="", help="The case that it belongs to.")
@FIXED
@SET
@LANGUAGE
@CLASS
@LABEL
@OFFICER
@NODE
@JSON
def ask(
    text: str,
    to: tuple[str, ...],
    about: str,
    within_h: float | None,
    urgency: str,
    agreement: str,
    case: str,
    fixed: str,
    given: tuple[str, ...],
    language: str,
    classification: str,
    label: str,
    officer: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Ask partners TEXT, or a fixed message that they read in their own language."""
    import time

    from shiprider.cli.output import json_line, say
    from shiprider.cli.serving import officer_api

    kind, _, subject = about.partition(":")
    body = {
        "to": list(to),
        "question": said(text, language, fixed, given),
        "subject_kind": kind or "none",
        "subject": subject,
        "wanted_us": None if within_h is None else time.time_ns() // 1000 + round(within_h * 3_600_000_000),
        "urgency": urgency,
        "agreement": agreement,
        "case": case,
        "classification": classification,
        "label": label,
    }
    with officer_api(folder, officer) as api:
        made = api.ask("POST", "/requests", body)
    if as_json:
        json_line(made)
    else:
        say(f"{made['number']} is asked of {', '.join(made['to'])}: {made['question']['text']}")


@command.command(epilog="Example: shiprider request answer USA-3F7A2C answered 'It is ours.' --node ./node")
@click.argument("request")
@click.argument("step", type=click.Choice(["taken", "answered", "partly", "refused"]))
@click.argument("text", default="")
@click.option("--reason", default=None, help="Why, for refused: not_held, not_releasable, no_agreement ...")
@click.option("--reference", "references", multiple=True, help="Id of a record that answers it.")
@FIXED
@SET
@LANGUAGE
@LABEL
@OFFICER
@NODE
@JSON
def answer(
    request: str,
    step: str,
    text: str,
    reason: str | None,
    references: tuple[str, ...],
    fixed: str,
    given: tuple[str, ...],
    language: str,
    label: str,
    officer: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Answer a partner's REQUEST (its number or id): take it, answer it, in part, or refuse it."""
    from shiprider.cli.output import json_line, say
    from shiprider.cli.serving import officer_api

    body = {
        "step": step,
        "said": said(text, language, fixed, given),
        "reason": reason,
        "references": list(references),
        "label": label,
    }
    with officer_api(folder, officer) as api:
        made = api.ask("POST", f"/requests/{_id_of(api, request)}/answers", body)
    if as_json:
        json_line(made)
    else:
        say(f"{made['number']}: {made['answers'][-1]['step_text']}.")


@command.command("list", epilog="Example: shiprider request list --waiting --node ./node")
@click.option("--of-us", is_flag=True, help="Only what partners ask of this node.")
@click.option("--by-us", is_flag=True, help="Only what this node asks.")
@click.option("--waiting", is_flag=True, help="Only what is not answered.")
@click.option("--overdue", is_flag=True, help="Only what is late.")
@click.option("--times", is_flag=True, help="How long answers take, by node, instead of the requests.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@click.option("--words", type=click.Choice(["en", "es", "pt", "fr", "nl"]), default="en", show_default=True)
@NODE
@JSON
def list_(
    of_us: bool,
    by_us: bool,
    waiting: bool,
    overdue: bool,
    times: bool,
    limit: int,
    words: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Requests, newest first; or how long answers take."""
    from shiprider.cli.output import json_line, say, table
    from shiprider.cli.serving import node_api
    from shiprider.measure.clock import iso_from_us

    with node_api(folder) as api:
        if times:
            _show_times(api.ask("GET", "/answer-times")["times"], as_json)
            return
        direction = "asked_of_us" if of_us and not by_us else "asked_by_us" if by_us and not of_us else ""
        stands = ",".join(name for name, on in (("waiting", waiting), ("overdue", overdue)) if on)
        page = api.ask("GET", "/requests", direction=direction, stands=stands, limit=limit, words=words)
    if as_json:
        for each in page["requests"]:
            json_line(each)
        return
    table(
        ("number", "of", "to", "asked (UTC)", "wanted by", "stands", "question"),
        [
            (
                each["number"],
                each["node"],
                ", ".join(f"{a['node']}: {a['reply_text']}" for a in each["addressed"]),
                iso_from_us(each["asked_us"])[:16],
                iso_from_us(each["wanted_us"])[:16] if each["wanted_us"] is not None else "",
                "OVERDUE" if each["overdue"] else "waiting" if each["waits"] else each["state_text"],
                each["question"]["text"],
            )
            for each in page["requests"]
        ],
    )
    say(f"{len(page['requests'])} of {page['total']:,} requests.")


def _show_times(times: list[dict[str, Any]], as_json: bool) -> None:
    from shiprider.cli.output import json_line, table

    if as_json:
        for each in times:
            json_line(each)
        return

    def minutes(us: int | None) -> str:
        return "" if us is None else f"{us / 60e6:.1f} min"

    table(
        ("who answers", "asked", "answered", "waiting", "overdue", "median", "90 % within"),
        [
            (
                each["node"],
                each["asked"],
                each["answered"],
                each["waiting"],
                each["overdue"],
                minutes(each["median_us"]),
                minutes(each["p90_us"]),
            )
            for each in times
        ],
    )


def said(text: str, language: str, fixed: str, given: tuple[str, ...]) -> dict[str, Any]:
    """What somebody says, as the API takes it. Raises UsageError."""
    arguments: dict[str, Any] = {}
    for each in given:
        name, found, value = each.partition("=")
        if not found:
            raise UsageError(f"{each[:40]!r} is no NAME=VALUE: write for example vessel=235000001.")
        arguments[name] = int(value) if value.isdecimal() else value
    return {"text": text, "language": language, "template": fixed, "arguments": arguments}


def _id_of(api: "Api", request: str) -> str:
    """The id behind a number, `COL-3F7A2C`. Raises NotFound, UsageError."""
    if "-" not in request:
        return request
    found = [
        each["id"]
        for each in api.ask("GET", "/requests", limit=1000)["requests"]
        if each["number"] == request.upper()
    ]
    if len(found) > 1:
        raise UsageError(f"{request[:40]!r} is the number of {len(found)} requests: give the id of one.")
    if not found:
        raise NotFound(f"There is no request {request[:40]!r}: look the list up again.")
    return str(found[0])
