"""What every reader of foreign objects shares: bounds, texts, numbers, and what an unreadable one becomes.

Always true: a reader raises InputError and nothing else, and of what it reads only texts and checked numbers get on;
the exact bytes of each object go with it.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from shiprider.model.errors import InputError
from shiprider.model.foreign_report import ForeignFormat, ForeignPlace, ForeignReport
from shiprider.model.label import AnyLabel

#: Of one file or answer, and of one object in it, bytes. A larger object is named and not kept.
MOST_BYTES: Final = 32 << 20
MOST_OBJECT_BYTES: Final = 1 << 20
_MOST_TITLE: Final = 500
_MOST_TEXT: Final = 20_000
_MOST_LISTED: Final = 200


@dataclass(frozen=True, slots=True)
class Foreign:
    """An object as it was read, and the label that follows from how it was marked."""

    report: ForeignReport
    label: AnyLabel


#: What a reader cannot avoid meeting in somebody else's bytes.
UNREADABLE: Final = (
    msgspec.MsgspecError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    RecursionError,
)


def digest(raw: bytes) -> str:
    """SHA-256, 64 hex digits."""
    return hashlib.sha256(raw).hexdigest()


def unreadable(raw: bytes, source: str, format_: ForeignFormat, why: str, label: AnyLabel) -> Foreign:
    """What is kept of an object that cannot be read."""
    sha256 = digest(raw)
    kept = raw if len(raw) <= MOST_OBJECT_BYTES else b""
    report = ForeignReport(
        source=source,
        format=format_,
        foreign_id=f"sha256:{sha256}",
        foreign_type="",
        fault=why[:_MOST_TITLE],
        sha256=sha256,
        raw=kept,
    )
    return Foreign(report, label)


def each_read(
    parts: list[msgspec.Raw],
    source: str,
    format_: ForeignFormat,
    read: Callable[[bytes], Foreign | None],
    doubtful: AnyLabel,
) -> Iterator[Foreign]:
    """Every object read, or said why not; `read` gives None for what only serves others."""
    for part in parts:
        raw = bytes(part)
        if len(raw) > MOST_OBJECT_BYTES:
            why = f"The object has {len(raw):,} bytes, more than {MOST_OBJECT_BYTES:,}: ask its source for less."
            yield unreadable(raw, source, format_, why, doubtful)
            continue
        try:
            found = read(raw)
        except UNREADABLE as error:
            why = f"The object cannot be read ({type(error).__name__}: {str(error)[:200]}): ask its source."
            yield unreadable(raw, source, format_, why, doubtful)
            continue
        if found is not None:
            yield found


def bounded(data: bytes, what: str) -> bytes:
    """The bytes, where they are not more than is taken at once. Raises InputError."""
    if len(data) > MOST_BYTES:
        raise InputError(
            f"{what} has {len(data):,} bytes, and at most {MOST_BYTES:,} are taken: split it into several."
        )
    return data


def text_of(value: Any, most: int = _MOST_TEXT) -> str:
    """A text, cut to what is shown; anything else is no text. What cannot be written as UTF-8 is marked."""
    if not isinstance(value, str):
        return ""
    return value[:most].encode("utf-8", "replace").decode("utf-8").replace("\x00", "\ufffd")


def title_of(*values: Any) -> str:
    """The first that says something, on one line."""
    return next((" ".join(text_of(each, _MOST_TITLE).split()) for each in values if text_of(each, 1)), "")


def place_of(latitude: Any, longitude: Any) -> tuple[ForeignPlace, ...]:
    """A place, where both are numbers of degrees that there are."""
    try:
        found = (float(latitude), float(longitude))
    except (TypeError, ValueError, OverflowError):
        return ()
    if isinstance(latitude, bool) or isinstance(longitude, bool) or not all(map(math.isfinite, found)):
        return ()
    if abs(found[0]) > 90 or abs(found[1]) > 180:
        return ()
    return (ForeignPlace(latitude_deg=found[0], longitude_deg=found[1]),)


def listed_of(value: Any) -> list[Any]:
    """A list, as much of it as is looked at; anything else is none."""
    return value[:_MOST_LISTED] if isinstance(value, list) else []


def mapping_of(value: Any) -> dict[str, Any]:
    """An object; anything else is an empty one."""
    return value if isinstance(value, dict) else {}
