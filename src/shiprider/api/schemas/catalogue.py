"""Every file of schemas, and the words that a schema's class says of itself.

Always true: a class whose name the description uses is found here, or it would go out without words.
"""

from types import ModuleType
from typing import Final

from shiprider.api.schemas import (
    access,
    alerts,
    audit,
    base,
    desk,
    interchange,
    logbook,
    marking,
    node,
    notes,
    orders,
    partners,
    picture,
    session,
    status,
    vessels,
    working,
)

_SUBJECTS: Final[tuple[ModuleType, ...]] = (
    base,
    session,
    status,
    marking,
    notes,
    alerts,
    vessels,
    picture,
    orders,
    logbook,
    node,
    audit,
    access,
    desk,
    working,
    interchange,
    partners,
)


def words_of(name: str) -> str:
    """What the class of a schema says of itself, on one line; "" where there is none."""
    made = next((getattr(each, name) for each in _SUBJECTS if hasattr(each, name)), None)
    return " ".join((getattr(made, "__doc__", None) or "").split())
