"""The auditor's questions: who saw, searched, exported, released, was refused, and why.

Always true: only an auditor is answered; asking is itself an entry of the log, durable before the answer is
given; an answer is entries as they are, or counts of them, never a judgement.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from shiprider.flow.logged_access import Accesses
from shiprider.flow.view import seen
from shiprider.model.access_entry import AccessEntry
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.errors import Forbidden
from shiprider.model.observer import Observer
from shiprider.ports.access_log import LogSegment, Question, SignedHead
from shiprider.ports.ledger import Head, Ledger, Query

AUDITOR: Final = "auditor"

#: Entries that a summary counts at most.
_MOST: Final = 1_000_000


@dataclass(slots=True)
class Touch:
    """What one person did with what was asked about: entries by act and outcome, reasons of refusals."""

    who: str
    first_us: int
    last_us: int
    entries: int = 0
    acts: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    purposes: Counter[str] = field(default_factory=Counter)
    cases: Counter[str] = field(default_factory=Counter)
    why: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Alarmed:
    """An alarm as it was filed."""

    id: str
    recorded_us: int
    alarm: BrowsingAlarm


@dataclass(frozen=True, slots=True)
class Audit:
    """One auditor's view of the access log. Every method raises Forbidden where the observer is none."""

    observer: Observer
    accesses: Accesses
    ledger: Ledger

    def entries(self, question: Question) -> list[tuple[int, AccessEntry]]:
        """Entries that match."""
        self._asked(f"audit entries {_words(question)}")
        return self.accesses.log.search(question)

    def people(self, question: Question) -> list[Touch]:
        """By person, who did most first: of an object, a case, a time."""
        self._asked(f"audit people {_words(question)}")
        wide = Question(
            who=question.who,
            object_id=question.object_id,
            act=question.act,
            outcome=question.outcome,
            case=question.case,
            start_us=question.start_us,
            end_us=question.end_us,
            limit=_MOST,
        )
        return summed(entry for _, entry in self.accesses.log.search(wide))

    def alarms(self, *, who: str = "", limit: int = 100) -> list[Alarmed]:
        """Browsing that nothing explained, newest first."""
        self._asked(f"audit alarms who={who!r}")
        terms = ((f"who:{who}",),) if who else ()
        found = self.ledger.find(Query("browsing_alarm", terms, limit=limit))
        return [
            Alarmed(record.id, record.recorded_us, seen(record, BrowsingAlarm).body)
            for record in found
            if record.body is not None
        ]

    def head(self) -> SignedHead:
        """The signed end of the log, to be kept elsewhere: later it shows what was changed since."""
        self._asked("audit head")
        return self.accesses.log.signed_head()

    def segments(self) -> Sequence[LogSegment]:
        """What is held, and what retention let go."""
        self._asked("audit segments")
        return self.accesses.log.segments()

    def verify(self) -> Head:
        """The whole log checked. Raises CorruptStore."""
        self._asked("audit verify")
        return self.accesses.log.verify()

    def _asked(self, what: str) -> None:
        if AUDITOR in self.observer.roles:
            self.accesses.record(self.accesses.entry(self.observer, "read", what[:200], "allowed"))
        else:
            self.accesses.record(
                self.accesses.entry(self.observer, "read", what[:200], "denied", why="no auditor")
            )
            raise Forbidden(
                "Only an auditor reads the access log: ask one, or the administrator for the role."
            )


def summed(entries: Iterable[AccessEntry]) -> list[Touch]:
    """Entries by person, who did most first."""
    found: dict[str, Touch] = {}
    for entry in entries:
        touch = found.get(entry.who)
        if touch is None:
            touch = found[entry.who] = Touch(entry.who, entry.at_us, entry.at_us)
        touch.first_us, touch.last_us = min(touch.first_us, entry.at_us), max(touch.last_us, entry.at_us)
        touch.entries += 1
        touch.acts[entry.act] += 1
        touch.outcomes[entry.outcome] += 1
        for counter, value in ((touch.purposes, entry.purpose), (touch.cases, entry.case)):
            if value:
                counter[value] += 1
        if entry.outcome != "allowed" and entry.why:
            touch.why[entry.why] += 1
    return sorted(found.values(), key=lambda touch: (-touch.entries, touch.who))


def _words(question: Question) -> str:
    named = ("who", "object_id", "act", "outcome", "case", "start_us", "end_us")
    return " ".join(f"{name}={value!r}" for name in named if (value := getattr(question, name)))
