"""The mask in memory: which of many classes an observer may read, asked of columns instead of one by one.

Always true: the answer is that of `release.judge` for every class; a class's place in the arrays is its number.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shiprider.model.agreement import Agreement, SharingClause
from shiprider.model.label import Classification, Label, Names, Tlp, parse, understood
from shiprider.model.observer import Observer
from shiprider.model.release_class import Action, ReleaseClass
from shiprider.model.rules import Rules
from shiprider.share.release import AUDITED, AUDITED_ROLES, COURT, ROLES, clearance_of

Bools = NDArray[np.bool_]

_NEVER_US: Final = np.iinfo(np.int64).max


@dataclass(slots=True)
class _Names:
    """Which of n classes name what in one of their parts, and which are not restricted by it."""

    size: int
    free: Bools = field(init=False)
    some: Bools = field(init=False)
    of: dict[str, Bools] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.free = np.zeros(self.size, np.bool_)
        self.some = np.zeros(self.size, np.bool_)

    def put(self, at: int, names: Names | None) -> None:
        """The names of one class; None is no restriction."""
        self.free[at] = names is None
        self.some[at] = bool(names)
        for name in names or ():
            if name not in self.of:
                self.of[name] = np.zeros(self.size, np.bool_)
            self.of[name][at] = True

    def any_of(self, names: Iterable[str]) -> Bools:
        """Classes that name one of these."""
        found = np.zeros(self.size, np.bool_)
        for name in names:
            if name in self.of:
                found |= self.of[name]
        return found


class ClassTable:
    """Release classes in columns; make it anew where a class is added."""

    def __init__(self, classes: Sequence[ReleaseClass]) -> None:
        n = self.size = len(classes)
        self.known = np.zeros(n, np.bool_)
        self.level, self.tlp = np.zeros(n, np.int8), np.zeros(n, np.int8)
        self.expires_us = np.full(n, _NEVER_US, np.int64)
        self.nations, self.organisations, self.communities = _Names(n), _Names(n), _Names(n)
        self.purposes, self.caveats, self.agreements, self.originators = (_Names(n) for _ in range(4))
        self.origin, self.kind, self.purpose, self.case = (
            np.array([getattr(of, part) for of in classes], np.object_)
            for part in ("origin", "kind", "purpose", "case")
        )
        #: Whether all whose consent counts beside the record's origin are that origin.
        self.sole = np.ones(n, np.bool_)
        for at, of in enumerate(classes):
            label = parse(of.label)
            self.known[at] = isinstance(label, Label)
            self._put(at, understood(label), of)

    def _put(self, at: int, label: Label, of: ReleaseClass) -> None:
        self.level[at], self.tlp[at] = label.classification, label.tlp
        if label.expires_us is not None:
            self.expires_us[at] = label.expires_us
        for part in ("nations", "organisations", "communities", "purposes", "caveats", "agreements"):
            getattr(self, part).put(at, getattr(label, part))
        self.sole[at] = all(node == of.origin for node in label.originators)

    def mask(self, rules: Rules, observer: Observer, action: Action, at_us: int) -> Bools:
        """(n,) true where the observer may, at that time."""
        asked = np.where(
            _isin(self.kind, AUDITED),
            _has_role(observer, AUDITED_ROLES.get(action, ())),
            _has_role(observer, ROLES[action]),
        )
        if not asked.any():
            return np.zeros(self.size, np.bool_)
        clearance = clearance_of(observer)
        known, own = self.known, self._own(rules, observer)
        covered = _Covered(self, rules, observer, at_us)
        may = asked & ((self.case == "") | _isin(self.case, observer.cases))
        may &= known | (own & (clearance >= Classification.TOP_SECRET))
        may &= self.level <= max(clearance, 0)
        if action != "downgrade":
            may &= (self.purpose == "") | (self.purpose == observer.purpose)
            may &= self.purposes.free | self.purposes.any_of([observer.purpose])
            if observer.purpose == COURT:
                may &= ~self.caveats.any_of(["NO-COURT-USE"])
        if action == "change":
            may &= self.origin == rules.node
        released = (
            (self.nations.free | self.nations.any_of([observer.nation]))
            & (self.organisations.free | self.organisations.any_of([observer.organisation]))
            & (self.communities.free | self.communities.any_of(observer.communities))
            & (at_us < self.expires_us)
            & ((self.tlp != Tlp.RED) | (self.case != ""))
            & covered.every_named(_any_clause)
        )
        may &= own | (known & released)
        may &= self._passing_on(action, own, covered)
        given = own.copy()
        if action != "downgrade":
            given |= known & covered.some(_any_clause)
            if action != "change":
                given |= self._public()
        return np.asarray(may & given)

    def _own(self, rules: Rules, observer: Observer) -> Bools:
        nodes = {h.node for h in rules.homes if h.is_of(observer.nation, observer.organisation)}
        return _isin(self.origin, nodes)

    def _public(self) -> Bools:
        free = self.nations.free & self.organisations.free & self.communities.free
        strings = self.caveats.some | self.agreements.some
        return self.known & free & (self.level == 0) & (self.tlp == Tlp.CLEAR) & ~strings

    def _passing_on(self, action: Action, own: Bools, covered: "_Covered") -> Bools:
        say = own & self.sole
        if action == "downgrade":
            return say
        if action not in ("export", "release"):
            return np.ones(self.size, np.bool_)
        held = self.caveats.any_of(["ORCON", "NO-ONWARD-SHARING"])
        if action == "export":
            return np.asarray(self.known & (say | (~held & (self.tlp < Tlp.RED))))
        onward = covered.some(_goes_on) & covered.every_named(_goes_on)
        return np.asarray(self.known & (say | (~held & (self.tlp < Tlp.AMBER) & onward)))


def _any_clause(_: SharingClause) -> bool:
    return True


def _goes_on(clause: SharingClause) -> bool:
    return clause.onward == "parties"


class _Covered:
    """Which classes the clauses in force cover, for one observer at one time."""

    def __init__(self, table: ClassTable, rules: Rules, observer: Observer, at_us: int) -> None:
        self._table = table
        self._held = {
            id: [(c, self._clause(held, c, rules, observer, at_us)) for c in held.sharing]
            for id, held in rules.book.at(at_us).items()
        }

    def _clause(
        self, held: Agreement, clause: SharingClause, rules: Rules, observer: Observer, at_us: int
    ) -> Bools:
        table = self._table
        parties = {party.name: party for party in held.parties if party.binds(at_us)}
        takes = any(
            name in parties and parties[name].is_of(observer.nation, observer.organisation)
            for name in clause.shared_with
        )
        for_this = clause.purposes == ("*",) or (
            observer.purpose != "" and observer.purpose in clause.purposes
        )
        if not takes or not for_this:
            return np.zeros(table.size, np.bool_)
        givers = [parties[name] for name in clause.shared_by if name in parties]
        nodes = {home.node for home in rules.homes for party in givers if home.is_party(party)}
        covered = (
            _isin(table.origin, nodes) & (table.level <= clause.classification) & (table.tlp <= clause.tlp)
        )
        if clause.kinds != ("*",):
            covered &= _isin(table.kind, {kind for kind in clause.kinds if kind})
        return np.asarray(covered)

    def some(self, wanted: Callable[[SharingClause], bool]) -> Bools:
        """Covered by any such clause."""
        found = np.zeros(self._table.size, np.bool_)
        for clauses in self._held.values():
            for clause, covered in clauses:
                if wanted(clause):
                    found |= covered
        return found

    def every_named(self, wanted: Callable[[SharingClause], bool]) -> Bools:
        """Covered by such a clause of every agreement that is named."""
        found = np.ones(self._table.size, np.bool_)
        for name, named in self._table.agreements.of.items():
            covered = np.zeros(self._table.size, np.bool_)
            for clause, by in self._held.get(name, ()):
                if wanted(clause):
                    covered |= by
            found &= ~named | covered
        return found


def _has_role(observer: Observer, roles: tuple[str, ...]) -> bool:
    return any(role in roles for role in observer.roles)


def _isin(column: NDArray[np.object_], names: Iterable[str]) -> Bools:
    wanted = set(names)
    return np.fromiter((each in wanted for each in column), np.bool_, len(column))


def bitmap(mask: Bools) -> bytes:
    """The mask as bytes, class 0 in the lowest bit of the first: what a store's filter is told."""
    return np.packbits(mask, bitorder="little").tobytes()
