"""The common forms, the types that many share, and the error."""

from typing import Annotated

import msgspec
from msgspec import Meta

Microseconds = Annotated[int, Meta(description="Microseconds since 1970-01-01 UTC.")]
RecordId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$", description="Id of a record, 32 hex digits.")]
Mmsi = Annotated[int, Meta(ge=0, le=999_999_999)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]
Longitude = Annotated[float, Meta(ge=-180, le=180)]
ShortText = Annotated[str, Meta(max_length=200)]
LongText = Annotated[str, Meta(max_length=10_000)]
Fact = str | int | float


class Struct(msgspec.Struct, kw_only=True):
    """The common form: keywords only."""


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A body sent to us: unknown fields are refused."""


class Failure(Struct):
    """Every error: a code for programs, one sentence for people, what to do."""

    error: str
    message: str
    hint: str = ""
