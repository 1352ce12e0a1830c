"""Foreign objects taken into the ledger, each as a record of its own.

Always true: what comes again unchanged is not filed again, a changed object is the next revision of its record, an
older version never follows a newer one; a source revises its own objects only; the label follows from how
the object was marked and is never wider than the one before it.
"""

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from shiprider.flow.terms import of_foreign_report
from shiprider.flow.view import seen
from shiprider.formats.foreign import Foreign, unreadable
from shiprider.formats.misp import reading as misp
from shiprider.formats.stix import reading as stix
from shiprider.formats.stix.markings import not_understood
from shiprider.model.errors import InputError, NotFound, UsageError
from shiprider.model.foreign_report import CREDIBILITIES, RELIABILITIES, ForeignFormat, ForeignReport
from shiprider.model.label import combined_text
from shiprider.model.record import Draft, Record
from shiprider.ports.ledger import Allowed, Filed, Ledger

#: What can be read, and what it is called in a report.
READERS: Final[dict[str, Callable[[bytes, str], list[Foreign]]]] = {"stix": stix.read, "misp": misp.read}
FORMATS: Final[dict[str, ForeignFormat]] = {"stix": "stix-2.1", "misp": "misp"}
#: Filed in one append.
AT_ONCE: Final = 500
#: Of what could not be read, so many are named; all of them are counted.
_MOST_TOLD: Final = 1000


@dataclass(slots=True)
class Imported:
    """What became of what was read. `unreadable` are among `new` and `revised`; ids as the source calls them."""

    new: int = 0
    revised: int = 0
    known: int = 0
    older: int = 0
    unreadable: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)

    @property
    def total(self) -> int:
        """Objects that were looked at."""
        return self.new + self.revised + self.known + self.older

    def unread(self, report: ForeignReport) -> None:
        """One more that could not be read."""
        self.unreadable += 1
        if len(self.failed) < _MOST_TOLD:
            self.failed.append((report.foreign_id, report.fault))


def report_id(node: str, report: ForeignReport) -> str:
    """The id of the record of one foreign object at this node: the same whenever it comes."""
    whole = "\x1f".join((node, report.source, report.format, report.foreign_id))
    return hashlib.sha256(f"foreign_report\x1f{whole}".encode("utf-8", "replace")).hexdigest()[:32]


def graded(grade: str) -> tuple[str, str]:
    """A grade of the Admiralty scale, `C3`; empty: it cannot be judged. Raises UsageError."""
    given = grade.strip().upper() or "F6"
    if len(given) != 2 or given[0] not in RELIABILITIES or given[1] not in CREDIBILITIES:
        raise UsageError(
            f"{grade[:40]!r} is no grade: write a letter from A to F and a number from 1 to 6, C3 for example."
        )
    return given[0], given[1]


@dataclass(frozen=True, slots=True)
class Importing:
    """Into one node's ledger. `clock` in microseconds since 1970 UTC, `by` who has it taken in.

    `grade` is that of the source (reliability, credibility) where an object says none of its own.
    """

    ledger: Ledger
    clock: Callable[[], int]
    by: str
    grade: tuple[str, str] = ("F", "6")
    #: What whoever hands in may read; of what is here and hidden from him he is told what he would be told without it.
    allowed: Allowed | None = None

    def take_file(
        self,
        format_: str,
        data: bytes,
        source: str,
        *,
        keep: bool = False,
        told: Callable[[int], None] = lambda _: None,
    ) -> Imported:
        """File what is in a file; with `keep`, what is not of that format too. Raises InputError, see `take`."""
        try:
            found = READERS[format_](data, source)
        except InputError as error:
            if not keep:
                raise
            found = [unreadable(data, source, FORMATS[format_], str(error), not_understood(source))]
        return self.take(found, told)

    def take(self, read: Iterable[Foreign], told: Callable[[int], None] = lambda _: None) -> Imported:
        """File what was read. Raises DiskFull, StorageError, Conflict."""
        done = Imported()
        batch: dict[str, Foreign] = {}
        for each in map(self._graded, read):
            id_ = report_id(self.ledger.origin, each.report)
            held = batch.get(id_)
            if held is not None and _newness(held.report) >= _newness(each.report):
                done.older += 1
                continue
            done.older += held is not None
            batch[id_] = each
            if len(batch) >= AT_ONCE:
                self._file(batch, done)
                told(done.total)
                batch = {}
        self._file(batch, done)
        told(done.total)
        return done

    def _graded(self, each: Foreign) -> Foreign:
        report = each.report
        if report.fault:
            return each
        reliability = self.grade[0] if report.reliability == "F" else report.reliability
        credibility = self.grade[1] if report.credibility == "6" else report.credibility
        return replace(
            each,
            report=msgspec.structs.replace(report, reliability=reliability, credibility=credibility),
        )

    def _file(self, batch: dict[str, Foreign], done: Imported) -> None:
        before = self.ledger.latest_of(list(batch))
        shown = before if self.allowed is None else self.ledger.latest_of(list(batch), allowed=self.allowed)
        filed = []
        for id_, each in batch.items():
            report, label = each.report, each.label.text
            record, hidden = before.get(id_), id_ not in shown
            done.new += hidden
            if hidden and report.fault:
                done.unread(report)
            if record is not None:
                held = _body(record)
                if held is not None and held.sha256 == report.sha256:
                    done.known += not hidden
                    continue
                if held is not None and _newness(held) > _newness(report):
                    done.older += not hidden
                    continue
                # Whoever reads what it says now could read what it said before; nobody is let in by a later version.
                label = combined_text((record.label, label))
            done.revised += not hidden
            if not hidden and report.fault:
                done.unread(report)
            filed.append(
                Filed(
                    draft=Draft(
                        id=id_,
                        kind="foreign_report",
                        expected_revision=record.revision if record is not None else 0,
                        schema=1,
                        author=self.by,
                        valid_from_us=self.clock(),
                        label=label,
                        body=msgspec.json.encode(report),
                    ),
                    terms=of_foreign_report(report),
                )
            )
        if filed:
            self.ledger.append(filed)


def _newness(report: ForeignReport) -> str:
    """Comparable within one source and format: both write times that sort as texts, MISP whole seconds."""
    return report.modified.rjust(40, "0") if report.format == "misp" else report.modified


def _body(record: Record) -> ForeignReport | None:
    try:
        return seen(record, ForeignReport).body
    except NotFound:
        return None
