"""Pages of a server of others, taken in one by one.

Always true: a page that is no STIX is kept with the reason, and the next is read; what was taken in stays where the
reading ends early.
"""

from collections.abc import Callable
from urllib.parse import urlsplit

from shiprider.flow.interchange.importing import Imported, Importing
from shiprider.formats.foreign import unreadable
from shiprider.formats.stix.markings import not_understood
from shiprider.formats.stix.reading import read
from shiprider.model.errors import InputError
from shiprider.ports.foreign_source import ForeignSource


def collect(
    given: ForeignSource,
    importing: Importing,
    *,
    source: str = "",
    since: str = "",
    told: Callable[[Imported], None] = lambda _: None,
) -> tuple[Imported, str]:
    """What became of all of it, and after which time the next reading goes on (empty: nothing was said).

    `source`: whom it is from; the host and the collection where not given. Raises LinkDown, InputError, Forbidden,
    StorageError, DiskFull, Conflict.
    """
    whole, last = Imported(), ""
    for page in given.pages(since):
        name = source or _named(page.collection)
        try:
            found = read(page.data, name)
        except InputError as error:
            found = [unreadable(page.data, name, "stix-2.1", str(error), not_understood(name))]
        whole.add(importing.take(found))
        last = max(last, page.added_last)
        told(whole)
    return whole, last


def _named(collection: str) -> str:
    parts = urlsplit(collection)
    return f"{parts.hostname or ''}/{parts.path.rstrip('/').rpartition('/')[2]}"
