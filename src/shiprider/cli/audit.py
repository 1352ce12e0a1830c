"""`shiprider audit`: the access log for an auditor; checking it, also against a head kept elsewhere."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from shiprider.bootstrap.node import OpenNode


@click.command(epilog="Example: shiprider audit --node ./node --who 'officer 1' --act export")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--who", default="", help="Only this person.")
@click.option("--object", "object_id", default="", help="Only accesses that touched this id.")
@click.option("--act", default="", help="read, search, count, live, export, change, release, ...")
@click.option("--outcome", type=click.Choice(["", "allowed", "denied", "failed"]), default="")
@click.option("--case", "case", default="", help="Only under this case.")
@click.option("--since", default="", help="From this time on (ISO 8601).")
@click.option("--until", default="", help="Before this time (ISO 8601).")
@click.option("--limit", type=click.IntRange(1, 100_000), default=100, show_default=True)
@click.option("--people", is_flag=True, help="Count by person instead of listing entries.")
@click.option("--alarms", is_flag=True, help="Browsing that no case explains.")
@click.option("--check", is_flag=True, help="Check every link, head and segment.")
@click.option("--head", type=click.Path(path_type=Path), help="With --check: also against this head.")
@click.option("--save-head", type=click.Path(path_type=Path), help="Write the signed head to this file.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def command(folder: Path, as_json: bool, check: bool, head: Path | None, **asked: Any) -> None:
    """Who saw, searched, exported, released or was refused what, and why. Asking is logged as well."""
    from shiprider.cli.output import json_line, say, table
    from shiprider.cli.serving import refuse_running
    from shiprider.model.errors import UsageError

    if head is not None and not check:
        raise UsageError("--head names a head to check against: give --check as well.")
    if check:
        from shiprider.bootstrap.access_log import check_access_log
        from shiprider.bootstrap.node import open_node

        # Reads files only: it goes while the node runs, and on a copy.
        reached = check_access_log(folder, head)
        if as_json:
            json_line({"sequence": reached.sequence, "hash": reached.hash})
        else:
            say(f"{reached.sequence:,} entries: every link, head and segment is whole.")
        return
    refuse_running(folder)
    from shiprider.bootstrap.access_log import check_access_log
    from shiprider.bootstrap.node import open_node

    with open_node(folder) as opened:
        titles, rows = _answer(opened, asked)
    if as_json:
        for row in rows:
            json_line(row)
    else:
        table(titles, [tuple(row.values()) for row in rows])


def _answer(opened: "OpenNode", asked: dict[str, Any]) -> tuple[tuple[str, ...], list[dict[str, Any]]]:
    import getpass
    from dataclasses import replace

    import msgspec

    from shiprider.bootstrap.files import write_new
    from shiprider.bootstrap.times import time_of
    from shiprider.measure.clock import iso_from_us
    from shiprider.model.observer import Observer
    from shiprider.ports.access_log import Question

    # Who may open the node's folder is asked by the machine: its name for him is what is logged.
    machine = f"machine:{getpass.getuser()}"
    audit = opened.audit(Observer(name=machine, login=machine, roles=("auditor",), purpose="audit"))
    spans = {
        f"{name}_us": time_of(asked[option]) if asked[option] else None
        for name, option in (("start", "since"), ("end", "until"))
    }
    question = Question(
        who=asked["who"], object_id=asked["object_id"], act=asked["act"], outcome=asked["outcome"],
        case=asked["case"], newest_first=True, limit=asked["limit"], **spans,
    )  # fmt: skip
    rows: list[dict[str, Any]]
    if asked["save_head"] is not None:
        signed = audit.head()
        write_new(asked["save_head"], msgspec.json.encode(signed) + b"\n")
        rows = [msgspec.to_builtins(signed)]
        return tuple(rows[0]), rows
    if asked["alarms"]:
        from shiprider.detect.browsing_words import told

        language = opened.settings.language
        rows = [
            {
                "recorded": iso_from_us(each.recorded_us),
                "sign": each.alarm.sign,
                "text": told(each.alarm, language),
            }
            for each in audit.alarms(who=asked["who"], limit=asked["limit"])
        ]
        return ("recorded", "sign", "text"), rows
    if asked["people"]:
        rows = [
            {
                "who": each.who,
                "entries": each.entries,
                "first": iso_from_us(each.first_us),
                "last": iso_from_us(each.last_us),
                "acts": _counts(each.acts),
                "outcomes": _counts(each.outcomes),
                "why": _counts(each.why),
            }
            for each in audit.people(replace(question, limit=1))
        ]
        return ("who", "entries", "first", "last", "acts", "outcomes", "refused because"), rows
    rows = [
        {
            "entry": sequence,
            "time": iso_from_us(entry.at_us),
            "who": entry.who,
            "act": entry.act,
            "what": entry.what,
            "outcome": entry.outcome,
            "objects": " ".join(entry.objects[:3]) + (" …" if len(entry.objects) > 3 else ""),
            "purpose": entry.purpose,
            "case": entry.case,
            "why": entry.why,
            "asked": entry.asked,
        }
        for sequence, entry in audit.entries(question)
    ]
    titles = ("entry", "time", "who", "act", "what", "outcome", "objects", "purpose", "case", "why", "asked")
    return titles, rows


def _counts(counted: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counted.items(), key=lambda each: -each[1]))
