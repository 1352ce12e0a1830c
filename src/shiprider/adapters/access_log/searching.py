"""Entries found in the segments: by place, time, person, object, act.

Always true: only what was acknowledged is read; a line is looked at closely only where the bytes of the
rarest thing asked for stand in it, so a question about one person reads a year at the speed of memory.
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from shiprider.adapters.access_log.lines import entry_of, lines, place_of
from shiprider.adapters.access_log.verifying import segment_path
from shiprider.model.access_entry import AccessEntry
from shiprider.model.errors import CorruptStore
from shiprider.ports.access_log import Question

Span = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Held:
    """One segment as it was when the question was asked: `bytes` of it are acknowledged."""

    number: int
    first: int
    last: int
    first_us: int
    last_us: int
    bytes: int


def widened(span: Span, at_us: int) -> Span:
    """The span of times with one more."""
    return (min(span[0], at_us), max(span[1], at_us)) if span else (at_us, at_us)


def span(data: bytes) -> Span:
    """The span of times of a segment's lines."""
    found: Span = None
    for line in data.splitlines(keepends=True):
        found = widened(found, entry_of(line)[1].at_us)
    return found


def search(folder: Path, segments: Sequence[Held], question: Question) -> list[tuple[int, AccessEntry]]:
    """Entries that match, at most `limit`. Raises OSError, CorruptStore."""
    found: list[tuple[int, AccessEntry]] = []
    for segment in reversed(segments) if question.newest_first else segments:
        if len(found) >= question.limit:
            break
        if segment.bytes and _may_hold(segment, question):
            _search_one(segment_path(folder, segment.number), segment, question, found)
    return found


def _may_hold(segment: Held, question: Question) -> bool:
    place, start, end = question.from_sequence, question.start_us, question.end_us
    if place is not None and (segment.first >= place if question.newest_first else segment.last <= place):
        return False
    return (start is None or segment.last_us >= start) and (end is None or segment.first_us < end)


def _search_one(path: Path, segment: Held, question: Question, found: list[tuple[int, AccessEntry]]) -> None:
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        begin, end = 0, min(segment.bytes, len(data))
        place = question.from_sequence
        if place is not None and question.newest_first:
            end = place_of(data, end, place)
        elif place is not None:
            begin = place_of(data, end, place + 1)
        for line in lines(data, begin, end, _needle(question), question.newest_first):
            try:
                sequence, entry = entry_of(line)
            except (ValueError, msgspec.DecodeError) as error:
                raise CorruptStore(f"{path} is damaged: restore the access log from a back-up.") from error
            if matches(entry, question):
                found.append((sequence, entry))
                if len(found) >= question.limit:
                    return


def _needle(question: Question) -> bytes:
    """Bytes that every line that matches has: of the rarest thing asked for."""
    if question.object_id:
        return msgspec.json.encode(question.object_id)
    for name, value in (("who", question.who), ("case", question.case), ("act", question.act)):
        if value:
            return b'"%b":%b' % (name.encode(), msgspec.json.encode(value))
    return b""


def matches(entry: AccessEntry, question: Question) -> bool:
    """Whether an entry is asked for."""
    return (
        (not question.who or entry.who == question.who)
        and (not question.object_id or question.object_id in entry.objects)
        and (not question.act or entry.act == question.act)
        and (not question.outcome or entry.outcome == question.outcome)
        and (not question.case or entry.case == question.case)
        and (question.start_us is None or entry.at_us >= question.start_us)
        and (question.end_us is None or entry.at_us < question.end_us)
    )
