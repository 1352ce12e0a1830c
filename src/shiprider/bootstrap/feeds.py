"""Feeds: a recording, the same at its own pace, a live one of the settings."""

import random
from pathlib import Path

from shiprider.adapters.feeds.file import FileFeed, spelt
from shiprider.adapters.feeds.standard_input import StandardInputFeed
from shiprider.adapters.feeds.stored import Unpacking
from shiprider.bootstrap.columns import column_map
from shiprider.bootstrap.folder import beside
from shiprider.measure.clock import us_from_iso
from shiprider.model.codes import Nature, ReceiverKind
from shiprider.model.errors import UsageError
from shiprider.model.label import written
from shiprider.ports.feed import Declaration, Feed, Origin
from shiprider.settings import FeedSettings


def recording(
    path: str,
    *,
    name: str = "",
    start_us: int | None = None,
    form: str = "",
    columns: str = "",
    label: str = "",
) -> Feed:
    """The feed of one recording; `-` is standard input; `columns` a TOML file about a table's columns.

    `label` is the label of its rows as a person writes it. Raises UsageError where there is no such file, InputError
    where the column map or the label is none.
    """
    declaration = Declaration(
        name=name or ("stdin" if path == "-" else spelt(Path(path).name)),
        standard="IEC 61162-1 VDM/VDO, or CSV",
        format=form,
        start_us=start_us,
        received_clock="recording",
        columns=column_map(columns) if columns else "",
        label=written(label).text,
    )
    if path == "-":
        return StandardInputFeed(declaration)
    place = Path(path)
    if not place.is_file():
        what = "is a folder: give its files" if place.is_dir() else "does not exist: check the name"
        raise UsageError(f"{path} {what}.")
    return FileFeed(place, declaration)


def paced_recording(path: Path, *, speed: float, nature: Nature = Nature.DECLARED, label: str = "") -> Feed:
    """A recording given out at its own pace, by the time stamps in its tag blocks."""
    from shiprider.adapters.feeds.paced import PacedFeed
    from shiprider.formats.ais.stamps import stamped_pieces

    declaration = Declaration(
        name="replay",
        standard="IEC 61162-1 VDM/VDO",
        nature=nature,
        received_clock="recording",
        label=written(label).text,
    )
    return PacedFeed(
        stamped_pieces(path.open("rb")), declaration, origin=Origin(file=spelt(path.name)), speed=speed
    )


def live_feed(declared: FeedSettings, folder: Path) -> Feed:
    """A feed of the settings. Raises UsageError, InputError."""
    from shiprider.adapters.feeds.folder import FolderFeed
    from shiprider.adapters.feeds.tcp import TcpFeed
    from shiprider.adapters.feeds.udp import UdpFeed

    recorded = declared.kind in ("file", "folder")
    declaration = Declaration(
        name=declared.name,
        standard={"tcp": "IEC 61162-1 over TCP", "udp": "IEC 61162-1 over UDP"}.get(
            declared.kind, declared.kind
        ),
        format=declared.format,
        nature=Nature[declared.nature.upper()],
        receiver_kind=ReceiverKind[declared.receiver_kind.upper()],
        start_us=us_from_iso(declared.start) if declared.start else None,
        received_clock="recording" if recorded else "wall",
        columns=column_map(beside(folder, declared.columns)) if declared.columns else "",
        label=written(declared.label, f"The label of feed {declared.name!r}").text,
    )
    if declared.kind == "tcp":
        return TcpFeed(declared.host, declared.port, declaration, jitter=random.random)
    if declared.kind == "udp":
        return UdpFeed(declared.host, declared.port, declaration)
    if declared.kind == "stdin":
        return StandardInputFeed(declaration)
    path = Path(declared.path) if Path(declared.path).is_absolute() else folder / declared.path
    unpacking = Unpacking(declared.unpacked_ratio, int(declared.unpacked_gib * 2**30))
    kind = FolderFeed if declared.kind == "folder" else FileFeed
    return kind(path, declaration, unpacking=unpacking)
