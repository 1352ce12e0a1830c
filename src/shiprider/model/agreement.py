"""Agreements: what partners have promised each other, as it stood on any date.

Always true: an answer for a time uses the edition and each party's standing of that time; what an agreement does
not say is not allowed; an edition is never edited, a change is a new edition with its own start.

Clauses on sharing stand here; clauses on what may be done at sea (boarding, entry, jurisdiction) join the same noun
later. Facts of real instruments are data, each with its source, and are never assumed.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from shiprider.model.label import Classification, Tlp

#: Version of the body's form.
SCHEMA: Final = 1

#: What a party's word is worth from a moment on. Signed alone binds nobody to share.
StandingStatus = Literal["signed", "provisional", "in_force", "suspended", "denounced"]
BINDING: Final[frozenset[StandingStatus]] = frozenset({"provisional", "in_force"})

#: Whether who received may pass it on: never, with the originator's consent (given as a release of its own),
#: or to the clause's other recipients.
Onward = Literal["never", "with_consent", "parties"]

#: The last moment there is, microseconds: an edition without an end.
ALWAYS_US: Final = 2**62


class Standing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A party's standing from a moment on, with where that is written."""

    from_us: int
    status: StandingStatus
    source: str = ""


class Party(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who has promised: a nation, an organisation, or an organisation of a nation. `name` is used in clauses.

    `standings` in order of time; before the first of them it is no party.
    """

    name: str
    nation: str = ""
    organisation: str = ""
    standings: tuple[Standing, ...] = ()

    def is_of(self, nation: str, organisation: str) -> bool:
        """Whether somebody of this nation and organisation belongs to it; nobody belongs to a nameless party."""
        return (
            bool(self.nation or self.organisation)
            and self.nation in ("", nation)
            and self.organisation in ("", organisation)
        )

    def binding_spans(self) -> list[tuple[int, int]]:
        """Half-open spans, microseconds, in which its word binds; in order, touching ones joined."""
        spans: list[tuple[int, int]] = []
        for at, standing in enumerate(self.standings):
            end = self.standings[at + 1].from_us if at + 1 < len(self.standings) else ALWAYS_US
            if standing.status not in BINDING or end <= standing.from_us:
                continue
            if spans and spans[-1][1] == standing.from_us:
                spans[-1] = (spans[-1][0], end)
            else:
                spans.append((standing.from_us, end))
        return spans

    def binds(self, at_us: int) -> bool:
        """Whether its word binds at a time."""
        return any(start <= at_us < end for start, end in self.binding_spans())


class Territory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A box of latitude and longitude; `east_deg` less than `west_deg` crosses the date line."""

    name: str
    south_deg: float
    north_deg: float
    west_deg: float
    east_deg: float

    def holds(self, latitude_deg: float, longitude_deg: float) -> bool:
        """Whether a point lies in it, its edges included."""
        if not self.south_deg <= latitude_deg <= self.north_deg:
            return False
        if self.west_deg <= self.east_deg:
            return self.west_deg <= longitude_deg <= self.east_deg
        return longitude_deg >= self.west_deg or longitude_deg <= self.east_deg


class SharingClause(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `shared_by` share with `shared_with` (names of parties): kinds of records, up to which label, for what.

    `kinds` and `purposes`: ("*",) is any; empty is none.
    """

    id: str
    shared_by: tuple[str, ...]
    shared_with: tuple[str, ...]
    kinds: tuple[str, ...]
    purposes: tuple[str, ...]
    highest: str
    highest_tlp: str = "RED"
    onward: Onward = "never"

    @property
    def classification(self) -> Classification:
        """The highest classification that it covers."""
        return Classification[self.highest]

    @property
    def tlp(self) -> Tlp:
        """The most restrictive colour that it covers."""
        return Tlp[self.highest_tlp.replace("+", "_")]

    def covers(self, kind: str, purpose: str, classification: Classification, tlp: Tlp) -> bool:
        """Whether a record of this kind and label, for this purpose, falls under it."""
        return (
            (self.kinds == ("*",) or (kind != "" and kind in self.kinds))
            and (self.purposes == ("*",) or (purpose != "" and purpose in self.purposes))
            and classification <= self.classification
            and tlp <= self.tlp
        )


class Agreement(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One edition of one agreement: the body of a record of kind `agreement`.

    It holds from `from_us` until the next edition of the same id, or `until_us` (exclusive; None: no end).
    """

    id: str
    title: str
    from_us: int
    until_us: int | None = None
    parties: tuple[Party, ...] = ()
    sharing: tuple[SharingClause, ...] = ()
    territories: tuple[Territory, ...] = ()
    source: str = ""

    def party(self, name: str) -> Party:
        """The party of that name. Raises KeyError."""
        return next(each for each in self.parties if each.name == name)

    def in_territory(self, latitude_deg: float, longitude_deg: float) -> bool:
        """Whether it applies there; without territories it applies everywhere.

        For who labels or seals a record: a label that names the agreement says that this was looked at.
        """
        return not self.territories or any(t.holds(latitude_deg, longitude_deg) for t in self.territories)


def faults(agreement: Agreement) -> list[str]:
    """What cannot be meant in an edition: one sentence each, empty where all is well."""
    found = []
    names = [party.name for party in agreement.parties]
    if agreement.until_us is not None and agreement.until_us <= agreement.from_us:
        found.append("it ends before it begins")
    found += [f"the party {name!r} stands twice" for name in sorted(set(names)) if names.count(name) > 1]
    for party in agreement.parties:
        times = [standing.from_us for standing in party.standings]
        if times != sorted(set(times)):
            found.append(f"the standings of {party.name!r} are not in order of time")
        if not party.nation and not party.organisation:
            found.append(f"the party {party.name!r} is no nation and no organisation")
    ids = [clause.id for clause in agreement.sharing]
    found += [f"the clause {name!r} stands twice" for name in sorted(set(ids)) if ids.count(name) > 1]
    for clause in agreement.sharing:
        unknown = sorted({*clause.shared_by, *clause.shared_with} - set(names))
        if unknown:
            found.append(f"clause {clause.id!r} names {', '.join(unknown)}, who are no parties")
        if clause.highest not in Classification.__members__:
            found.append(f"clause {clause.id!r} has {clause.highest!r} for its highest classification")
        if clause.highest_tlp.replace("+", "_") not in Tlp.__members__:
            found.append(f"clause {clause.id!r} has {clause.highest_tlp!r} for its highest colour")
    return found


@dataclass(frozen=True, slots=True)
class Edition:
    """An agreement with the half-open span, microseconds, in which this edition is the one that holds."""

    agreement: Agreement
    start_us: int
    end_us: int


class AgreementBook(msgspec.Struct, frozen=True):
    """All editions of all agreements that a node knows."""

    agreements: tuple[Agreement, ...] = ()

    def editions(self) -> list[Edition]:
        """Every edition with its span, by id and start; an edition ends where the next one begins."""
        ordered = sorted(self.agreements, key=lambda each: (each.id, each.from_us))
        found = []
        for at, each in enumerate(ordered):
            after = ordered[at + 1] if at + 1 < len(ordered) and ordered[at + 1].id == each.id else None
            ends = [ALWAYS_US if each.until_us is None else each.until_us]
            if after is not None:
                ends.append(after.from_us)
            found.append(Edition(each, each.from_us, min(ends)))
        return found

    def at(self, at_us: int) -> dict[str, Agreement]:
        """The agreements that hold at a time, by id."""
        return {e.agreement.id: e.agreement for e in self.editions() if e.start_us <= at_us < e.end_us}

    def edges(self) -> list[int]:
        """Every moment at which an answer can change, ascending."""
        moments = set[int]()
        for edition in self.editions():
            moments |= {edition.start_us, edition.end_us}
            for party in edition.agreement.parties:
                moments |= {moment for span in party.binding_spans() for moment in span}
        return sorted(moments - {ALWAYS_US})

    def faults(self) -> list[str]:
        """What cannot be meant, with the agreement it stands in."""
        found = [f"agreement {a.id!r}: {fault}" for a in self.agreements for fault in faults(a)]
        starts = [(a.id, a.from_us) for a in self.agreements]
        doubled = sorted({id for id, start in starts if starts.count((id, start)) > 1})
        return found + [f"agreement {id!r} has two editions that begin at one time" for id in doubled]

    def ids(self) -> Sequence[str]:
        """Every agreement's id, once."""
        return sorted({each.id for each in self.agreements})


def book(agreements: Iterable[Agreement]) -> AgreementBook:
    """A book; raises ValueError with the first thing that cannot be meant."""
    made = AgreementBook(tuple(agreements))
    for fault in made.faults():
        raise ValueError(fault)
    return made
