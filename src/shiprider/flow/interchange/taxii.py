"""What a TAXII 2.1 reader gets of a node: pages of STIX objects in the order in which they came.

Always true: a page holds objects of disclosures that may go to who asks, and its cursor names one of them; nothing that
he may not have shows in a count, a date or a place.
"""

import heapq
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from shiprider.flow.interchange.disclosing import AT_ONCE, KINDS, Disclosing, Placed
from shiprider.flow.interchange.writing import words
from shiprider.formats.stix.names import stix_id
from shiprider.formats.stix.writing import objects, record_id
from shiprider.measure.clock import us_from_iso
from shiprider.model.errors import NotFound, UsageError
from shiprider.model.record import Record

#: Objects of one page, unless who asks wants fewer.
MOST: Final = 1000
_CURSOR: Final = re.compile(r"([0-9a-f]{32})[.]([1-9][0-9]{0,8})[.]([0-9]{1,6})")
#: Types whose id follows from the record's own.
_BY_RECORD: Final = frozenset({"report", "grouping", "location"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """TAXII 2.1, 3.4: what of a collection is asked for. A tuple that is empty lets everything through."""

    added_after_us: int | None = None
    ids: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    spec_versions: tuple[str, ...] = ()

    def admits(self, given: dict[str, Any]) -> bool:
        """Whether an object is asked for. This node keeps one version of each for others: the newest."""
        version = version_of(given)
        moments = [each for each in self.versions if each not in ("first", "last", "all")]
        return (
            (not self.ids or given["id"] in self.ids)
            and (not self.types or given["type"] in self.types)
            and (not self.spec_versions or "2.1" in self.spec_versions)
            and (not moments or len(moments) < len(self.versions) or version in moments)
        )


@dataclass(frozen=True, slots=True)
class Added:
    """An object and when it was added here, microseconds since 1970 UTC."""

    added_us: int
    given: dict[str, Any]


@dataclass(slots=True)
class Page:
    """Objects in order; `next` is empty where there is no more. `placed` are the disclosures they are of."""

    objects: list[Added] = field(default_factory=list)
    next: str = ""
    placed: list[Placed] = field(default_factory=list)


def version_of(given: dict[str, Any]) -> str:
    """Of an object that has versions its `modified`, else its `created` (TAXII 2.1, 3.4.3)."""
    return str(given.get("modified") or given["created"])


def page(disclosing: Disclosing, wanted: Filter, *, node: str, cursor: str = "", limit: int = MOST) -> Page:
    """One page. Not logged: the caller does, with `placed`. Raises UsageError where the cursor is none of ours."""
    sequence, skipped = _place(disclosing, cursor) if cursor else (0, 0)
    found = Page()
    shown: set[tuple[str, str]] = set()
    for placed in _following(disclosing, wanted, sequence, min(AT_ONCE, limit + 1)):
        before = len(found.objects)
        listed = [each for each in objects(placed.given, node, words) if wanted.admits(each)]
        skip = skipped if placed.sequence == sequence + 1 else 0
        for at, each in enumerate(listed):
            name = (each["id"], version_of(each))
            if at < skip or name in shown:
                continue
            if len(found.objects) >= limit:
                if len(found.objects) > before:
                    found.placed.append(placed)
                    found.next = f"{placed.given.record}.{placed.given.revision}.{at}"
                else:
                    last = found.placed[-1].given
                    found.next = f"{last.record}.{last.revision}.{_ALL}"
                return found
            shown.add(name)
            found.objects.append(Added(placed.given.modified_us, each))
        if len(found.objects) > before:
            found.placed.append(placed)
    return found


#: All objects of a record were given.
_ALL: Final = 999_999


def _place(disclosing: Disclosing, cursor: str) -> tuple[int, int]:
    """After which entry of the log to go on, and how many objects of the next were given."""
    stale = UsageError("The cursor (next) is not one of ours: read the collection anew.")
    read = _CURSOR.fullmatch(cursor)
    if read is None:
        raise stale
    id_, revision, given = read[1], int(read[2]), int(read[3])
    ledger, may_go = disclosing.view.ledger, disclosing.may_go
    try:
        history = ledger.history(id_, allowed=may_go)
        record: Record = history[revision - 1]
    except (NotFound, IndexError):
        raise stale from None
    if given >= _ALL or revision < len(history):
        # It was all given, or there is a newer revision, which comes whole where it stands now.
        return record.sequence, 0
    return record.sequence - 1, given


def _following(disclosing: Disclosing, wanted: Filter, sequence: int, at_once: int) -> Iterator[Placed]:
    streams = [_of_kind(disclosing, kind, wanted, sequence, at_once) for kind in KINDS]
    return heapq.merge(*streams, key=lambda placed: placed.sequence)


def _of_kind(
    disclosing: Disclosing, kind: Any, wanted: Filter, sequence: int, at_once: int
) -> Iterator[Placed]:
    while records := disclosing.records_after(kind, sequence, at_once):
        sequence = records[-1].sequence
        # Where nothing of a few is asked for, more are looked at: a filter must not cost a question a record.
        at_once = min(2 * at_once, AT_ONCE)
        yield from disclosing.placed([each for each in records if _may_match(each, kind, wanted)])


def _may_match(record: Record, kind: str, wanted: Filter) -> bool:
    """Whether an object of it can be asked for, as far as that is known without making it."""
    if wanted.added_after_us is not None and record.recorded_us <= wanted.added_after_us:
        return False
    if wanted.ids and all(each.partition("--")[0] in _BY_RECORD for each in wanted.ids):
        own = (record_id(kind, record.origin, record.id), stix_id("location", record.origin, record.id))
        return not set(own).isdisjoint(wanted.ids)
    return True


def filter_of(parameters: Sequence[tuple[str, str]]) -> Filter:
    """The filter of a request's parameters. Raises UsageError."""
    given = dict(parameters)

    def listed(name: str) -> tuple[str, ...]:
        return tuple(part for part in given.get(f"match[{name}]", "").split(",") if part)[:100]

    added = None
    if given.get("added_after"):
        try:
            added = us_from_iso(given["added_after"])
        except (ValueError, OverflowError):
            raise UsageError("added_after is no time: write it as 2026-01-31T06:00:00Z.") from None
    return Filter(
        added_after_us=added,
        ids=listed("id"),
        types=listed("type"),
        versions=listed("version"),
        spec_versions=listed("spec_version"),
    )
