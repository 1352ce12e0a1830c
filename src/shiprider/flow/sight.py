"""Sight: what one observer may see and change now, by the policy in force, over everything there is.

Always true: the policy decides per release class and nowhere else; an answer stands while the policy, the classes
and the spans of agreements and labels are those it was given for; what is not known to be allowed is not.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl
from msgspec import structs

from shiprider.flow.labelling import labels_by_number
from shiprider.model.label import UNKNOWN_TEXT
from shiprider.model.observer import Observer
from shiprider.model.release_class import Action, ReleaseClass
from shiprider.ports.ledger import Allowed, Ledger
from shiprider.ports.policy import Decision, Policy
from shiprider.ports.spool import Source
from shiprider.share.release import ENGINE_ERROR

#: Answers kept: each is a set of numbers.
_KEPT: Final = 4096

_Key = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Frames:
    """Which rows of a table of frames may be seen, by the number of their label.

    `others`: whether a row whose number is nobody's may be (an unknown label).
    """

    shown: frozenset[int]
    hidden: frozenset[int]
    others: bool

    @property
    def everything(self) -> bool:
        """Whether no row can be hidden."""
        return self.others and not self.hidden

    def admits(self, number: int | None) -> bool:
        """Whether rows with this number may be seen (none: unlabelled, the originator's own)."""
        number = number or 0
        return number in self.shown or (self.others and number not in self.hidden)

    def condition(self, column: str = "label_id") -> pl.Expr:
        """The rows that may be seen."""
        number = pl.col(column).fill_null(0)
        if self.others:
            return ~number.is_in(sorted(self.hidden))
        return number.is_in(sorted(self.shown))


@dataclass(frozen=True, slots=True)
class _Answer:
    version: str
    size: int
    from_us: int
    until_us: int
    answer: Allowed | Frames


class Sight:
    """Of one node, for all its observers; any thread.

    `policy` gives the one in force, `node` is the origin of what is made here, `sources` are the spool's, `clock` gives microseconds since 1970 UTC.
    """

    def __init__(
        self,
        policy: Callable[[], Policy],
        ledger: Ledger,
        *,
        node: str,
        sources: Callable[[], Sequence[Source]],
        clock: Callable[[], int],
    ) -> None:
        self._policy = policy
        self._ledger = ledger
        self._node = node
        self._sources = sources
        self._clock = clock
        self._kept: dict[_Key, _Answer] = {}
        self._lock = threading.Lock()
        self._texts: frozenset[str] = frozenset()
        self._labels: tuple[int, dict[int, str]] = (0, labels_by_number(()))

    @property
    def version(self) -> str:
        """Of the policy in force."""
        return self._policy().version

    # -- records --------------------------------------------------------------------------------------

    def allowed(self, observer: Observer, action: Action = "read") -> Allowed:
        """The classes of the ledger with which the observer may do that now."""
        policy, classes, at_us = self._policy(), self._ledger.classes(), self._clock()
        observer = self._assigned(observer)
        key = (_who(observer), action)
        kept = self._standing(key, policy, len(classes), at_us)
        if isinstance(kept, Allowed):
            return kept
        numbers, listed = list(classes), list(classes.values())
        given = policy.decide(observer, action, listed, at_us)
        made = Allowed(frozenset(number for number, each in zip(numbers, given, strict=True) if each.allowed))
        self._keep(key, policy, len(listed), at_us, listed, made, given)
        return made

    def everything(self, observer: Observer) -> bool:
        """Whether no record that there is now is hidden from the observer."""
        return len(self.allowed(observer).classes) == len(self._ledger.classes())

    def may(self, observer: Observer, action: Action, of: ReleaseClass) -> bool:
        """Whether the observer may do that with things of this class now."""
        asker = self._assigned(observer)
        if observer.owner and of.case not in asker.cases:
            asker = structs.replace(asker, cases=(*asker.cases, of.case))
        return self._policy().decide(asker, action, [of], self._clock())[0].allowed

    def _assigned(self, observer: Observer) -> Observer:
        if not observer.owner:
            return observer
        cases = {each.case for each in self._ledger.classes().values() if each.case}
        return structs.replace(observer, cases=tuple(sorted({*observer.cases, *cases})))

    def own_class(self, kind: str, label: str = "", *, purpose: str = "", case: str = "") -> ReleaseClass:
        """The class of something that is made here."""
        return ReleaseClass(label=label, origin=self._node, purpose=purpose, case=case, kind=kind)

    # -- frames ---------------------------------------------------------------------------------------

    def frames(self, observer: Observer, table: str, action: Action = "read") -> Frames:
        """The rows of a table with which the observer may do that now."""
        policy, (read, numbers), at_us = self._policy(), self._known(), self._clock()
        key = (_who(observer), action, table)
        kept = self._standing(key, policy, read, at_us)
        if isinstance(kept, Frames):
            return kept
        listed = [self.own_class(table, text) for text in (*numbers.values(), UNKNOWN_TEXT)]
        *given, unknown = policy.decide(observer, action, listed, at_us)
        shown = frozenset(number for number, each in zip(numbers, given, strict=True) if each.allowed)
        made = Frames(shown, frozenset(numbers) - shown, unknown.allowed)
        self._keep(key, policy, read, at_us, listed, made, [*given, unknown])
        return made

    def labels(self) -> dict[int, str]:
        """The label of every number that rows carry, unlabelled among them."""
        return self._known()[1]

    def _known(self) -> tuple[int, dict[int, str]]:
        sources = self._sources()
        with self._lock:
            read = self._labels[0]
            if len(sources) > read:
                self._texts |= {source.declaration.label for source in sources[read:]}
                self._labels = (len(sources), labels_by_number(self._texts))
            return self._labels

    def sources(self) -> Sequence[Source]:
        """All sources of frames there ever were."""
        return self._sources()

    # -- what is kept ---------------------------------------------------------------------------------

    def _standing(self, key: _Key, policy: Policy, size: int, at_us: int) -> Allowed | Frames | None:
        kept = self._kept.get(key)
        stands = (
            kept is not None
            and kept.version == policy.version
            and kept.size == size
            and kept.from_us <= at_us < kept.until_us
        )
        return kept.answer if kept is not None and stands else None

    def _keep(
        self,
        key: _Key,
        policy: Policy,
        size: int,
        at_us: int,
        classes: Sequence[ReleaseClass],
        answer: Allowed | Frames,
        given: Sequence[Decision],
    ) -> None:
        if any(ENGINE_ERROR in each.reasons for each in given):
            # It may have been the moment's: it is asked again.
            return
        if len(self._kept) >= _KEPT:
            self._kept.clear()
        until_us = policy.until_us(classes, at_us)
        self._kept[key] = _Answer(policy.version, size, at_us, until_us, answer)


def _who(observer: Observer) -> _Key:
    """Everything of an observer that an answer may depend on."""
    return (
        observer.nation,
        observer.organisation,
        observer.communities,
        observer.clearance,
        observer.purpose,
        observer.cases,
        observer.roles,
    )
