"""`shiprider policy`: is a node's policy in order, and what would a new one let out?"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from shiprider.share.change import Change, Shift


@click.group(
    "policy",
    epilog="Example: shiprider policy check policy.toml\nExample: shiprider policy diff policy.toml new.toml --node ./node",
)
def command() -> None:
    """Check a policy, or see what a new one would newly release.

    A policy is a TOML file: whose nodes are whose, which agreements there are (docs/sharing.md).
    """


@command.command("check", epilog="Example: shiprider policy check policy.toml")
@click.argument("file")
@click.option("--cedar", is_flag=True, help="Print the policies that the engine is given.")
@click.option("--json", "as_json", is_flag=True, help="One agreement a line.")
def check(file: str, cedar: bool, as_json: bool) -> None:
    """Read a policy, compile it and hold it against the engine's schema."""
    from shiprider.bootstrap.policies import policy, read_rules
    from shiprider.cli.output import json_line, say, table
    from shiprider.measure.clock import iso_from_us
    from shiprider.model.agreement import ALWAYS_US

    rules = read_rules(file)
    engine = policy(rules)
    if cedar:
        click.echo(engine.text)
        return
    rows = [
        (
            edition.agreement.id,
            iso_from_us(edition.start_us),
            "" if edition.end_us >= ALWAYS_US else iso_from_us(edition.end_us),
            len(edition.agreement.parties),
            len(edition.agreement.sharing),
        )
        for edition in rules.book.editions()
    ]
    names = ("agreement", "from", "until", "parties", "clauses")
    if as_json:
        for row in rows:
            json_line(dict(zip(names, row, strict=True)))
    else:
        table(names, rows)
    say(f"The policy of {rules.node} is in order: version {engine.version[:16]}.")


@command.command("diff", epilog="Example: shiprider policy diff policy.toml new.toml --node ./node")
@click.argument("old")
@click.argument("new")
@click.option(
    "--node", "folder", type=click.Path(path_type=Path), help="Count what this node's ledger holds."
)
@click.option("--at", "moment", default="", help="From when on, ISO 8601 (default: now).")
@click.option("--json", "as_json", is_flag=True, help="One class and kind of observer a line.")
def diff(old: str, new: str, folder: Path | None, moment: str, as_json: bool) -> None:
    """What NEW would newly release, and withhold, compared with OLD.

    With --node for the records of its ledger, else for one record of every kind and label that the two policies tell
    apart. Ends with 1 where anything would be newly released: then two people must agree.
    """
    from shiprider.bootstrap.policy_changes import policy_change
    from shiprider.cli.output import json_line, say

    change = policy_change(old, new, folder, moment)
    if as_json:
        for told, shifts in (("released", change.released), ("withheld", change.withheld)):
            for shift in shifts:
                json_line({"change": told, **_told(shift)})
    else:
        _show(change)
    if change.widens:
        say(f"Newly released: {len(change.released):,} (two different people must agree).")
        raise SystemExit(1)
    say(f"Nothing is newly released; {len(change.withheld):,} withheld (one person is enough).")


def _told(shift: "Shift") -> dict[str, Any]:
    from shiprider.measure.clock import iso_from_us
    from shiprider.model.label import parse, understood

    who, of = shift.observer, shift.of
    return {
        "nation": who.nation,
        "organisation": who.organisation,
        "clearance": understood(parse(of.label)).classification.name,
        "purpose": who.purpose,
        "action": shift.action,
        "kind": of.kind,
        "label": of.label,
        "origin": of.origin,
        "case": of.case,
        "count": shift.count,
        "from": iso_from_us(shift.from_us),
    }


def _show(change: "Change") -> None:
    from shiprider.cli.output import table
    from shiprider.measure.clock import iso_from_us
    from shiprider.model.label import parse
    from shiprider.share.marking import banner

    rows: dict[tuple[object, ...], dict[str, str]] = {}
    for told, shifts in (("release", change.released), ("withhold", change.withheld)):
        for each in shifts:
            whose = " ".join(part for part in (each.observer.nation, each.observer.organisation) if part)
            marking = banner(parse(each.of.label))
            row = (told, whose, each.of.origin, each.of.kind, marking, each.count, iso_from_us(each.from_us))
            rows.setdefault(row, {})[each.action] = each.action
    titles = ("change", "to", "from", "kind", "label", "count", "since", "actions")
    table(titles, [(*row, ", ".join(actions)) for row, actions in rows.items()])
