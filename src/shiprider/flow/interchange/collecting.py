"""Pages of a server of others, taken in one by one.

Always true: a page that is no STIX is kept with the reason, and the next is read; what was taken in stays where the
reading ends early.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from shiprider.ports.foreign_source import ForeignSource

#: Takes in the bytes of a page from a source by its name.
Take = Callable[[bytes, str], None]


def collect(given: ForeignSource, take: Take, *, source: str = "", since: str = "") -> str:
    """Hand every page to `take`; after which time the next reading goes on (empty: nothing was said).

    `source`: whom it is from; the host and the collection where not given. Raises LinkDown, InputError, Forbidden,
    and what `take` raises.
    """
    last = ""
    for page in given.pages(since):
        take(page.data, source or _named(page.collection))
        last = max(last, page.added_last)
    return last


def _named(collection: str) -> str:
    parts = urlsplit(collection)
    return f"{parts.hostname or ''}/{parts.path.rstrip('/').rpartition('/')[2]}"
