"""Findings and alerts written for other software, and what other software wrote taken in."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.evidence import evidence_taker
from shiprider.bootstrap.node import OpenNode
from shiprider.flow.logged_access import Accesses
from shiprider.model.errors import InputError, StorageError, UsageError
from shiprider.model.observer import Observer

if TYPE_CHECKING:
    from shiprider.flow.interchange.disclosing import Wanted
    from shiprider.flow.interchange.importing import Imported

FORMATS: Final = ("stix", "misp", "geojson", "csv")
#: Bytes of a file of others that are looked at: one more than is taken, so that more is noticed.
_MOST: Final = (64 << 20) + 1


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


def import_file(
    opened: OpenNode,
    format_: str,
    path: Path,
    *,
    source: str,
    by: Observer,
    grade: str = "",
    told: Callable[[int], None] = lambda _: None,
) -> "Imported":
    """Take a file of others in. Raises InputError, UsageError, StorageError, DiskFull."""
    try:
        with path.open("rb") as given:
            data = given.read(_MOST)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the file.") from error
    return import_bytes(
        opened, format_, data, source=source or path.name, by=by, grade=grade, told=told, what=str(path)
    )


def import_bytes(
    opened: OpenNode,
    format_: str,
    data: bytes,
    *,
    source: str,
    by: Observer,
    grade: str = "",
    told: Callable[[int], None] = lambda _: None,
    what: str = "It",
) -> "Imported":
    """Take in bytes that others wrote; `grade` of the source where it says none itself, `C3` for example.

    Raises InputError, UsageError, StorageError, DiskFull.
    """
    from shiprider.flow.interchange.importing import Importing, graded
    from shiprider.formats.misp import reading as misp
    from shiprider.formats.stix import reading as stix

    reliability = graded(grade)
    accesses = Accesses(opened.access_log, wall_us)
    accesses.record(accesses.entry(by, "change", f"import {format_}", "allowed", why=source))
    try:
        read = {"stix": stix, "misp": misp}[format_].read(data, source)
    except InputError as error:
        raise InputError(f"{what} is not taken in: {error}") from error
    return Importing(opened.ledger, wall_us, by.name, reliability).take(read, told)


def import_taxii(
    opened: OpenNode,
    url: str,
    *,
    by: Observer,
    source: str = "",
    grade: str = "",
    since: str = "",
    login: str = "",
    secret: str = "",
    private_addresses: tuple[str, ...] = (),
    authority: str = "",
    told: Callable[["Imported"], None] = lambda _: None,
) -> "tuple[Imported, str]":
    """Take in what a TAXII server has; what became of it, and after which time to go on next.

    Raises LinkDown, InputError, Forbidden, UsageError, StorageError, DiskFull.
    """
    from shiprider.adapters.taxii.client import TaxiiClient
    from shiprider.flow.interchange.collecting import collect
    from shiprider.flow.interchange.importing import Importing, graded

    importing = Importing(opened.ledger, wall_us, by.name, graded(grade))
    client = TaxiiClient(
        url, login=login, secret=secret, private_addresses=private_addresses, authority=authority
    )
    accesses = Accesses(opened.access_log, wall_us)
    accesses.record(accesses.entry(by, "change", "import taxii", "allowed", why=url[:200]))
    try:
        return collect(client, importing, source=source, since=since, told=told)
    finally:
        client.close()


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
