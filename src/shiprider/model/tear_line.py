"""A tear-line: a sanitised version of a record, made by named rules, for a wider circle.

Always true: it names the rules that made it and the person who approved it; it is bound to its original by a
commitment that tells nobody which record that is, and that whoever holds the link can open.
"""

from collections.abc import Mapping
from typing import Any

import msgspec


class CoarsenPosition(msgspec.Struct, frozen=True, kw_only=True, tag="coarsen_position"):
    """Positions become the centre of their cell of a fixed grid: repeated releases refine nothing."""

    step_deg: float


class CoarsenTime(msgspec.Struct, frozen=True, kw_only=True, tag="coarsen_time"):
    """Times become the beginning of their step since 1970 UTC."""

    step_s: int


class DropSource(msgspec.Struct, frozen=True, kw_only=True, tag="drop_source"):
    """Nothing of which sensor, feed, observation, model or person it comes from."""


class DropFields(msgspec.Struct, frozen=True, kw_only=True, tag="drop_fields"):
    """These fields are not there; a fact is named `facts.its_name`."""

    fields: tuple[str, ...]


class Delay(msgspec.Struct, frozen=True, kw_only=True, tag="delay"):
    """It is released no sooner than so long after the last time in the original."""

    delay_s: int


class Pseudonyms(msgspec.Struct, frozen=True, kw_only=True, tag="pseudonyms"):
    """Identities become names that are the same in all that one recipient gets, and mean nothing to another."""

    recipient: str


class ReplaceText(msgspec.Struct, frozen=True, kw_only=True, tag="replace_text"):
    """A person's own words instead of a text; a text without them is left out."""

    field: str
    text: str


SanitisingRule = CoarsenPosition | CoarsenTime | DropSource | DropFields | Delay | Pseudonyms | ReplaceText


class TearLine(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `tear_line`. `commitment` is 64 hex digits; times in microseconds."""

    of_kind: str
    content: Mapping[str, Any]
    rules: tuple[SanitisingRule, ...]
    recipient: str
    not_before_us: int
    commitment: str
    prepared_by: str
    approved_by: str


class TearLineLink(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `tear_line_link`, under the original's label: what opens the commitment."""

    tear_line: str
    original: str
    original_revision: int
    original_digest: str
    salt: str
