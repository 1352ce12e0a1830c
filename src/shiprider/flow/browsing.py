"""The browsing alarm, live: entries of the access log -> the fold -> records for the auditor.

Always true: every entry is judged within `every_s` of being durable; an alarm is filed once, also when the
node stops in the middle (its id is made of who, which sign and which entry); after a restart the past is
folded again, so that what is usual is known, without telling old alarms anew.
"""

import hashlib
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from shiprider.detect.browsing import Browsing, BrowsingState
from shiprider.detect.browsing_preset import Spans, Work
from shiprider.measure.clock import DAY_US
from shiprider.model.alert import Alert
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.errors import Conflict, ShipriderError
from shiprider.model.record import Draft, Record
from shiprider.ports.access_log import AccessLog, Question
from shiprider.ports.ledger import Filed, Ledger, Query

#: How often new entries are judged: well within the minute that promise 10 gives.
EVERY_S: Final = 5.0

#: So much of the past tells what is usual.
PAST_US: Final = 28 * DAY_US

_AT_ONCE: Final = 5000


@dataclass(frozen=True, slots=True)
class Duties:
    """What the node knows of its people, each by name (see `detect.browsing_preset.Work`)."""

    roles: Mapping[str, str] = field(default_factory=dict)
    cases: Mapping[str, frozenset[str]] = field(default_factory=dict)
    watches: Mapping[str, Spans] = field(default_factory=dict)


@dataclass(slots=True)
class WorkInHand:
    """What people work on, from the ledger: open matters, the objects of each case, exercises."""

    ledger: Ledger
    duties: Callable[[], Duties]
    _seen: int = 0
    _case_of: dict[str, set[str]] = field(default_factory=dict)
    _exercises: set[str] = field(default_factory=set)
    _current: frozenset[str] = frozenset()

    def __call__(self) -> Work:
        """As it is now."""
        head = self.ledger.head().sequence
        if head != self._seen:
            while records := self.ledger.since(self._seen, limit=_AT_ONCE):
                for record in records:
                    self._take(record)
                self._seen = records[-1].sequence
            found = self.ledger.find(Query("alert", (("open",),)))
            self._current = frozenset(name for record in found for name in _names(record))
        duties = self.duties()
        return Work(
            roles=duties.roles,
            cases=duties.cases,
            case_of={name: frozenset(cases) for name, cases in self._case_of.items()},
            current=self._current,
            watches=duties.watches,
            exercises=frozenset(self._exercises),
        )

    def _take(self, record: Record) -> None:
        names = _names(record)
        if record.case:
            for name in names:
                self._case_of.setdefault(name, set()).add(record.case)
        is_alert = record.kind == "alert" and record.body is not None
        if is_alert and msgspec.json.decode(record.body or b"", type=Alert).simulated:
            self._exercises.update(names)


def _names(record: Record) -> tuple[str, ...]:
    """The ids under which an access to it, or to what it is about, is logged."""
    if record.kind != "alert" or record.body is None:
        return (record.id,)
    alert = msgspec.json.decode(record.body, type=Alert)
    vessels = tuple(name for mmsi in alert.participants for name in (str(mmsi), f"mmsi:{mmsi}"))
    return (record.id, *alert.findings, *vessels)


def alarm_id(alarm: BrowsingAlarm) -> str:
    """The id of an alarm's record: the same alarm is the same record."""
    text = f"browsing\x1f{alarm.who}\x1f{alarm.sign}\x1f{alarm.sequence}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@dataclass(slots=True)
class BrowsingWatch:
    """Follows one access log. `place` keeps which entry was judged last. One thread only."""

    log: AccessLog
    ledger: Ledger
    work: Callable[[], Work]
    clock: Callable[[], int]
    place: Path
    fold: Browsing = field(default_factory=Browsing)
    trouble: str = ""
    _state: BrowsingState | None = None
    _read: int = 0

    def step(self) -> list[BrowsingAlarm]:
        """Judge what was appended since; the alarms that were filed. Raises StorageError."""
        judged = self._judged()
        work = self.work()
        if self._state is None:
            self._state, self._read = self.fold.start(), self._first()
        told: list[BrowsingAlarm] = []
        while entries := self.log.since(self._read, limit=_AT_ONCE):
            self._state, alarms = self.fold.fold(self._state, entries, work)
            told += [alarm for alarm in alarms if alarm.sequence > judged and self._file(alarm)]
            self._read = entries[-1][0]
        if self._read > judged:
            self._keep(self._read)
        return told

    def run(self, stop: threading.Event, every_s: float = EVERY_S) -> None:
        """Judge until told to stop; a failure is shown (`trouble`) and tried again."""
        while not stop.wait(every_s):
            try:
                self.step()
            except ShipriderError as error:
                self.trouble = str(error)
            else:
                self.trouble = ""

    def _first(self) -> int:
        """The entry before those that tell what is usual."""
        found = self.log.search(Question(start_us=self.clock() - PAST_US, limit=1))
        return found[0][0] - 1 if found else self.log.head().sequence

    def _file(self, alarm: BrowsingAlarm) -> bool:
        draft = Draft(
            id=alarm_id(alarm),
            kind="browsing_alarm",
            expected_revision=0,
            schema=1,
            author="node",
            valid_from_us=alarm.from_us,
            valid_to_us=alarm.to_us,
            body=msgspec.json.encode(alarm),
        )
        try:
            self.ledger.append([Filed(draft=draft, terms=(f"who:{alarm.who}", f"sign:{alarm.sign}"))])
        except Conflict:
            return False
        return True

    def _judged(self) -> int:
        try:
            return int(self.place.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def _keep(self, sequence: int) -> None:
        beside = self.place.with_name(self.place.name + ".new")
        with beside.open("w") as out:
            out.write(f"{sequence}\n")
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self.place)
