"""Rules, observers and classes for the promises on policy: most of them almost allowed, many on an edge.

A generator that draws every part at random denies nearly everything for several reasons at once, and then a rule
that is missing is not noticed. Here a case starts out allowed, and few of its parts are turned towards an edge.
"""

import random
from collections.abc import Sequence
from typing import Any

from shiprider.model.agreement import Agreement, Party, SharingClause, Standing, book
from shiprider.model.label import CAVEATS, Classification, Label, Tlp, label
from shiprider.model.observer import Observer
from shiprider.model.release_class import ReleaseClass
from shiprider.model.rules import Home, Rules

NODE = "key-west"
HOUR = 3_600_000_000
T0 = 1_790_000_000_000_000

PURPOSES = ("counterdrug", "rescue", "prosecution")
ROLES = (
    "watch_officer",
    "intelligence_analyst",
    "liaison_officer",
    "legal_adviser",
    "evaluator",
    "node_administrator",
    "auditor",
    "partner",
)
KINDS = ("finding", "alert", "note")

#: About the node's people: for auditors.
AUDITED = ("browsing_alarm", "evidence_export", "spool_seal")

#: Texts that are almost a label.
BROKEN = (
    "unknown",
    "x",
    " ",
    "shiprider-label-1",
    "shiprider-label-2|policy=COALITION|class=SECRET|rel=*|caveats=-|purpose=*|agreements=-|tlp=-|expires=-|originators=-",
    "shiprider-label-1|policy=COSMOS|class=UNCLASSIFIED|rel=*|caveats=-|purpose=*|agreements=-|tlp=CLEAR|expires=-|originators=-",
    "shiprider-label-1|policy=COALITION|class=PUBLIC|rel=*|caveats=-|purpose=*|agreements=-|tlp=CLEAR|expires=-|originators=-",
    "shiprider-label-1|policy=COALITION|class=UNCLASSIFIED|rel=*|caveats=FOUO|purpose=*|agreements=-|tlp=CLEAR|expires=-|originators=-",
    "shiprider-label-1|policy=COALITION|class=UNCLASSIFIED|rel=nations:USA,COL|caveats=-|purpose=*|agreements=-|tlp=-|expires=-|originators=-",
    "shiprider-label-1|policy=COALITION|class=UNCLASSIFIED|rel=*|caveats=-|purpose=*|agreements=-|tlp=RED|expires=-|originators=-",
    "shiprider-label-1|policy=COALITION|class=UNCLASSIFIED|rel=*|caveats=-|agreements=-|tlp=CLEAR|expires=-|originators=-",
    "shiprider-label-1|policy=COALITION|class=UNCLASSIFIED|rel=*|caveats=-|purpose=*|agreements=-|tlp=CLEAR|expires=-|originators=-|",
    "SHIPRIDER-LABEL-1|policy=COALITION|class=UNCLASSIFIED|rel=*|caveats=-|purpose=*|agreements=-|tlp=CLEAR|expires=-|originators=-",
)


def _standings(rng: random.Random) -> tuple[Standing, ...]:
    if rng.random() < 0.6:
        return (Standing(from_us=0, status="in_force"),)
    times = sorted(rng.sample(range(T0 - 5 * HOUR, T0 + 5 * HOUR, HOUR), rng.randint(1, 3)))
    words = ("signed", "provisional", "in_force", "in_force", "suspended", "denounced")
    return tuple(Standing(from_us=t, status=rng.choice(words)) for t in times)  # type: ignore[arg-type]


def rules(rng: random.Random) -> Rules:
    """A node among partners, with three agreements in one to three editions."""
    homes = (
        Home(node=NODE, nation="USA", organisation=rng.choice(("", "", "USCG"))),
        Home(node="bogota", nation="COL"),
        Home(node="willemstad", organisation="KMAR"),
    )
    agreements = []
    for id in ("US-COL", "CARIB", 'odd "name" é'):
        starts = [T0 - 100 * HOUR, *rng.sample([T0 - HOUR, T0, T0 + HOUR], rng.randint(0, 2))]
        for start in sorted(starts):
            parties = tuple(
                Party(name=name, nation=nation, organisation=organisation, standings=_standings(rng))
                for name, nation, organisation in (
                    ("US", "USA", ""),
                    ("CO", "COL", ""),
                    ("NL", "", "KMAR"),
                    ("DEA", "USA", "DEA"),
                )
            )
            clauses = tuple(
                SharingClause(
                    id=str(number),
                    shared_by=tuple(rng.sample(("US", "CO", "NL"), rng.randint(1, 3))),
                    shared_with=tuple(rng.sample(("US", "CO", "NL", "DEA"), rng.randint(1, 4))),
                    kinds=rng.choice((("*",), ("*",), ("finding", "alert"), ())),
                    purposes=rng.choice((("*",), ("*",), ("counterdrug", "rescue"), ())),
                    highest=rng.choice(("SECRET", "TOP_SECRET", "RESTRICTED")),
                    highest_tlp=rng.choice(("RED", "RED", "AMBER+STRICT", "GREEN")),
                    onward=rng.choice(("never", "with_consent", "parties", "parties")),
                )
                for number in range(rng.randint(1, 3))
            )
            until = rng.choice((None, None, start + 2 * HOUR))
            agreements.append(
                Agreement(id=id, title=id, from_us=start, until_us=until, parties=parties, sharing=clauses)
            )
    return Rules(NODE, homes, book(agreements))


def moments(rng: random.Random, of: Rules) -> int:
    """A time, mostly a microsecond around an edge."""
    edge = rng.choice([T0, *(edge for edge in of.book.edges() if edge > 0)])
    return edge + rng.choice((-1, 0, 1, HOUR // 2))


def observer(rng: random.Random, edgy: float = 0.12) -> Observer:
    """Somebody who may read most, with a few parts missing or odd."""

    def turn(usual: Any, *odd: Any) -> Any:
        return rng.choice(odd) if rng.random() < edgy else usual

    nation, organisation = rng.choice(
        (("USA", "USCG"), ("USA", "DEA"), ("COL", "ARC"), ("COL", "ARC"), ("NLD", "KMAR"), ("HND", "FNH"))
    )
    return Observer(
        name=f"n{rng.random()}",
        roles=turn(
            ("liaison_officer",), (rng.choice(ROLES),), (rng.choice(ROLES), rng.choice(ROLES)), (), ("boss",)
        ),
        nation=turn(nation, ""),
        organisation=turn(organisation, ""),
        communities=turn(("JIATF", "CARIB"), (), ("JIATF",), ("",)),
        clearance=turn("TOP_SECRET", "", "SECRET", "CONFIDENTIAL", "RESTRICTED", "UNCLASSIFIED", "COSMIC"),
        purpose=turn("counterdrug", "", *PURPOSES),
        cases=turn(("C1", "C2"), (), ("C1",), ("",)),
    )


def some_label(rng: random.Random, at_us: int, edgy: float = 0.12) -> str:
    """The text of a label that releases most, with a few parts that do not; sometimes none at all."""

    def turn(usual: Any, *odd: Any) -> Any:
        return rng.choice(odd) if rng.random() < edgy else usual

    if rng.random() < 0.06:
        return rng.choice(("", *BROKEN))
    if rng.random() < 0.05:
        return label(policies=["COALITION"], tlp=Tlp.CLEAR, expires_us=turn(None, at_us, at_us + 1)).text
    nations = turn(("COL", "HND", "NLD", "USA"), None, ("COL",), ("USA",), (), ("HND", "NLD"))
    organisations = turn(None, ("ARC", "KMAR", "USCG"), ("ARC",), ("FNH",), ("DEA",))
    tlp = turn(Tlp.NONE, *Tlp)
    if tlp >= Tlp.AMBER_STRICT and organisations is None:
        organisations = ("ARC", "FNH", "KMAR", "USCG")
    made: Label = label(
        policies=rng.choice((["COALITION"], ["NATO"], ["COALITION", "NATO"])),
        classification=rng.choice(list(Classification)),
        nations=nations,
        organisations=organisations,
        communities=turn(None, ("JIATF",), ("CARIB", "JIATF"), ("OTHER",)),
        caveats=turn((), *[(c,) for c in CAVEATS], CAVEATS),
        purposes=turn(None, ("counterdrug",), ("counterdrug", "prosecution"), ("rescue",), ()),
        agreements=rng.choice(((), (), ("US-COL",), ("CARIB",), ("CARIB", "US-COL"), turn((), ("GONE",)))),
        tlp=tlp,
        expires_us=turn(None, at_us - 1, at_us, at_us + 1),
        originators=turn((), (NODE,), ("bogota",), (NODE, "bogota")),
    )
    return made.text


def release_class(rng: random.Random, at_us: int, edgy: float = 0.12) -> ReleaseClass:
    """One class."""

    def turn(usual: Any, *odd: Any) -> Any:
        return rng.choice(odd) if rng.random() < edgy else usual

    return ReleaseClass(
        label=some_label(rng, at_us, edgy),
        origin=turn(NODE, "bogota", "willemstad", "elsewhere", ""),
        purpose=turn("", *PURPOSES),
        case=turn("", "C1", "C3"),
        kind=turn(rng.choice(KINDS), "", *AUDITED),
    )


def classes(rng: random.Random, count: int, times: Sequence[int]) -> list[ReleaseClass]:
    """Distinct classes, their expiries around these times."""
    found: dict[ReleaseClass, None] = {}
    while len(found) < count:
        found[release_class(rng, rng.choice(times))] = None
    return list(found)
