"""A source of foreign objects elsewhere: pages of bytes as they came.

Always true: only where the operator sent it is asked; a page is bounded in size and time.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ForeignPage:
    """The exact bytes of a page, the collection it is of, and when the last of it was added there, as it says."""

    collection: str
    data: bytes
    added_last: str = ""


class ForeignSource(Protocol):
    """One server of others."""

    def pages(self, since: str = "") -> Iterator[ForeignPage]:
        """Everything that may be read there and was added after a time (ISO 8601; empty: from the beginning).

        Raises LinkDown where it does not answer, InputError where it answers wrongly, Forbidden where it sends elsewhere.
        """
        ...
