"""A note: what a person wrote on a vessel, an alert, a finding or an area.

Always true: a note is its author's words, kept as they are; a correction is a new revision.
"""

from typing import Literal

import msgspec

SubjectKind = Literal["vessel", "alert", "finding", "area"]


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """`subject` is an MMSI for a vessel, else a record's id."""

    subject_kind: SubjectKind
    subject: str
    text: str
