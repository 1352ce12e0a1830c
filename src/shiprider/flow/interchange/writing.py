"""Pages of disclosures as one file of another software's format, in pieces.

Always true: what is held is one page; every format carries its label inside.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shiprider.formats import disclosed_csv, disclosed_geojson
from shiprider.formats.misp import writing as misp
from shiprider.formats.stix import writing as stix
from shiprider.model.disclosure import Disclosure
from shiprider.model.errors import UsageError
from shiprider.model.label import parse
from shiprider.share.marking import banner

#: Format -> media type, ending of a file's name.
MEDIA: Final = {
    "stix": ("application/stix+json;version=2.1", "json"),
    "misp": ("application/json", "json"),
    "geojson": ("application/geo+json", "geojson"),
    "csv": ("text/csv; header=present", "csv"),
}


def words(label: str) -> str:
    """A label's stored text for people who run other software: in English."""
    return banner(parse(label))


def file_of(
    format_: str, pages: Iterable[Sequence[Disclosure]], *, node: str, label: str, name: str
) -> Iterator[bytes]:
    """The file in pieces; `label` is that of everything in it, `name` says which file it is. Raises UsageError."""
    if format_ == "stix":
        objects = ((each for given in page for each in stix.objects(given, node, words)) for page in pages)
        return stix.bundle(objects, name)
    if format_ == "misp":
        return misp.events(pages, node)
    if format_ == "geojson":
        return disclosed_geojson.collection(pages, label, words)
    if format_ == "csv":
        return disclosed_csv.rows(pages, label, words)
    raise UsageError(f"{format_[:40]!r} is no format here: use one of {', '.join(MEDIA)}.")
