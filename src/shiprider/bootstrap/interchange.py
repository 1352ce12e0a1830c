"""Findings and alerts written for other software, and servers of others."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.evidence import evidence_taker
from shiprider.bootstrap.node import OpenNode
from shiprider.flow.logged_access import Accesses
from shiprider.model.errors import StorageError, UsageError

if TYPE_CHECKING:
    from shiprider.flow.interchange.disclosing import Wanted
    from shiprider.ports.foreign_source import ForeignSource


def export_disclosures(
    opened: OpenNode,
    format_: str,
    target: Path,
    wanted: "Wanted",
    *,
    by: str,
    purpose: str,
    reason: str,
    told: Callable[[int, int], None] = lambda *_: None,
) -> tuple[int, str]:
    """Write what `by` (a login) may export to a new file; how many, and the label of the whole.

    `told` hears how many of how many are written. Raises Forbidden, StorageError, UsageError.
    """
    from shiprider.flow.interchange.disclosing import Disclosing
    from shiprider.flow.interchange.writing import file_of
    from shiprider.measure.clock import iso_from_us

    observer = evidence_taker(opened, by, purpose)
    accesses = Accesses(opened.access_log, wall_us)
    disclosing = Disclosing(opened.view(observer), accesses, f"export {format_}", reason)
    disclosing.check()
    opened.node.load_picture()
    label, count = disclosing.joined(wanted)
    pages = disclosing.pages(wanted, label, lambda done: told(done, count))
    name = f"{opened.settings.node} {observer.login} {iso_from_us(wall_us())}"
    with _new_file(target) as out:
        for piece in file_of(format_, pages, node=opened.settings.node, label=label, name=name):
            out.write(piece)
    return count, label


def open_taxii(
    url: str,
    *,
    login: str = "",
    secret: str = "",
    private_addresses: tuple[str, ...] = (),
    authority: str = "",
) -> "ForeignSource":
    """A TAXII 2.1 server of others. Raises UsageError."""
    from shiprider.adapters.taxii.client import TaxiiClient

    return TaxiiClient(
        url, login=login, secret=secret, private_addresses=private_addresses, authority=authority
    )


@contextmanager
def _new_file(target: Path) -> Iterator[BinaryIO]:
    """A new file for its owner alone; what is half written when it fails is taken away. Raises UsageError, StorageError."""
    import os

    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(f"{target} exists, and nothing is overwritten: name a new file.") from None
    except OSError as error:
        raise StorageError(f"{target} cannot be written ({error.strerror}): choose another place.") from error
    try:
        with os.fdopen(handle, "wb") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
    except BaseException as error:
        target.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise StorageError(
                f"{target} cannot be written ({error.strerror}): choose another place."
            ) from error
        raise
