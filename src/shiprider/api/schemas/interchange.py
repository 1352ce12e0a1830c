"""Exchange with other software: foreign reports, and the tokens of programs."""

from typing import Annotated

from msgspec import Meta

from shiprider.api.schemas.base import Microseconds, RecordId, Request, ShortText, Struct
from shiprider.api.schemas.marking import Marking

TokenId = Annotated[str, Meta(pattern="^[0-9a-f]{16}$", description="Id of a token, 16 hex digits.")]


class ForeignIdentifier(Struct):
    """What a foreign report calls something: text, never followed."""

    name: str
    value: str


class ForeignPlaceOut(Struct):
    """A place that a foreign report names."""

    latitude_deg: float
    longitude_deg: float


class ForeignReportOut(Struct):
    """An object of other software, as text. `fault`: why it could not be read; then only its bytes are kept.

    `reliability` A to F and `credibility` 1 to 6 are of the Admiralty scale; `markings` as the source gave them.
    """

    id: RecordId
    revision: int
    source: str
    format: str
    foreign_id: str
    foreign_type: str
    modified: str
    title: str
    text: str
    identifiers: list[ForeignIdentifier]
    places: list[ForeignPlaceOut]
    markings: list[str]
    reliability: str
    credibility: str
    revoked: bool
    fault: str
    sha256: str
    bytes: int
    taken_in_by: str
    recorded_us: Microseconds
    marking: Marking


class ForeignReports(Struct):
    """A page of foreign reports, newest first."""

    reports: list[ForeignReportOut]
    next_cursor: str
    marking: Marking


class Unread(Struct):
    """An object that could not be read, as its source calls it or by its digest, and why."""

    foreign_id: str
    why: str


class TakenIn(Struct):
    """What became of what was handed in: how many reports are new, revised, known already, older than what is here.

    `unreadable` are among the new and revised; the first of them are named.
    """

    new: int
    revised: int
    known: int
    older: int
    unreadable: int
    unread: list[Unread]


class TokenOut(Struct):
    """A token of a program of mine. Its secret was shown once and is kept nowhere."""

    id: TokenId
    name: str
    purpose: str
    case: str
    made_us: Microseconds
    until_us: Microseconds
    over: bool


class Tokens(Struct):
    """My tokens, newest first."""

    tokens: list[TokenOut]


class TokenNew(Request):
    """A token for a program: what it is called, what it reads for, how many days it is good."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    purpose: ShortText
    case: ShortText = ""
    days: Annotated[int, Meta(ge=1, le=366)] = 90


class TokenMade(Struct):
    """A new token and its secret, shown this once."""

    token: TokenOut
    secret: str
