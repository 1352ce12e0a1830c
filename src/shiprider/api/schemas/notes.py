"""Notes on records."""

from typing import Annotated, Literal

from msgspec import Meta

from shiprider.api.schemas.base import Microseconds, RecordId, Request, Struct
from shiprider.api.schemas.marking import Marking


class NoteOut(Struct):
    """A note on a vessel or an alert."""

    id: RecordId
    revision: int
    subject_kind: Literal["vessel", "alert", "finding", "area"]
    subject: str
    text: str
    author: str
    recorded_us: Microseconds
    marking: Marking


class NoteNew(Request):
    """Write a note."""

    subject_kind: Literal["vessel", "alert", "finding", "area"]
    subject: Annotated[str, Meta(min_length=1, max_length=64)]
    text: Annotated[str, Meta(min_length=1, max_length=10_000)]


class Notes(Struct):
    """Notes, newest first."""

    notes: list[NoteOut]
