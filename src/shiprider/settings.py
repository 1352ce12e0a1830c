"""Typed settings of one node: built once from `shiprider.toml`, handed in, never read elsewhere.

Always true: every setting has a default that is safe; an unknown or misspelt key is refused with a
sentence; no secret is a default.
"""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

FILE_NAME: Final = "shiprider.toml"

#: "" looks at the bytes.
FeedFormat = Literal["", "nmea", "csv"]
FeedKind = Literal["file", "folder", "stdin", "tcp", "udp"]
NatureName = Literal["declared", "simulated", "exercise"]
ReceiverKindName = Literal["unknown", "terrestrial", "satellite", "aircraft", "vessel"]


class FeedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source of bytes. `path` for file and folder, `host` and `port` for tcp and udp.

    `columns` names a TOML file, beside the settings, with what the columns of a table mean.
    """

    name: str
    kind: FeedKind
    path: str = ""
    host: str = "127.0.0.1"
    port: int = 0
    format: FeedFormat = ""
    columns: str = ""
    start: str = ""
    nature: NatureName = "declared"
    receiver_kind: ReceiverKindName = "unknown"


class RetentionSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long tables are kept, in days (0: for ever), under one disk budget in gibibytes."""

    observations_days: int = 365
    statements_days: int = 730
    messages_days: int = 730
    track_points_days: int = 730
    reception_days: int = 730
    quarantine_days: int = 90
    disk_budget_gib: float = 200.0


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many alerts a watch can bear, how long a watch is, which presets run."""

    alerts_per_watch: int = 60
    watch_hours: float = 8.0
    presets: tuple[str, ...] = ()
    user_presets: str = ""
    anchorages: str = ""
    receivers: str = ""
    allowed_lateness_min: float = 30.0
    refold_every_s: float = 60.0


class EvidenceSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`time_stamp_url`: a time-stamping authority (RFC 3161) that packages are stamped by; empty: none is asked."""

    time_stamp_url: str = ""


class CareSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`time_source`: `ntp://host` or `https://host` that `shiprider doctor` compares the clock with; empty: none.

    `access_log_days`: so long the access log is kept (0: for ever), by whole segments.
    """

    time_source: str = ""
    access_log_days: int = 1825


class ApiSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the watch floor listens; until there is access control only the loopback is accepted."""

    host: str = "127.0.0.1"
    port: int = 8750


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. `folder` is where spool, lake and ledger live."""

    node: str = "node"
    nation: str = ""
    language: Literal["en", "es"] = "en"
    commit_every_s: float = 10.0
    feeds: tuple[FeedSettings, ...] = ()
    retention: RetentionSettings = RetentionSettings()
    watch: WatchSettings = WatchSettings()
    api: ApiSettings = ApiSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    care: CareSettings = CareSettings()


def load(folder: Path) -> Settings:
    """Settings of the node in `folder`; raises ValueError with one sentence for people."""
    path = folder / FILE_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{folder} is not a node: make one with `shiprider init {folder}`.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read ({error}): check the file and its rights.") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> Settings:
    """Settings from TOML text; `name` is shown in errors. Raises ValueError with one sentence for people."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{name} is not valid TOML: {error}; correct that line.") from error
    try:
        settings = msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise ValueError(f"{name} has a setting that cannot be meant: {error}.") from error
    _check(settings, name)
    return settings


def _check(settings: Settings, name: str) -> None:
    names = [feed.name for feed in settings.feeds]
    for feed in settings.feeds:
        if names.count(feed.name) > 1:
            raise ValueError(f"{name} names two feeds {feed.name!r}: give each its own name.")
        if feed.kind in ("file", "folder") and not feed.path:
            raise ValueError(f"{name}: feed {feed.name!r} of kind {feed.kind} needs a `path`.")
        if feed.kind in ("tcp", "udp") and not 0 < feed.port < 65536:
            raise ValueError(
                f"{name}: feed {feed.name!r} of kind {feed.kind} needs a `port` from 1 to 65535."
            )
        if feed.start:
            try:
                datetime.fromisoformat(feed.start)
            except ValueError:
                raise ValueError(
                    f"{name}: feed {feed.name!r} has start {feed.start!r}: write ISO 8601, for example "
                    "2026-01-31T06:00:00Z."
                ) from None
    if settings.watch.alerts_per_watch < 1 or settings.watch.watch_hours <= 0:
        raise ValueError(f"{name}: `alerts_per_watch` and `watch_hours` must be positive.")


TEMPLATE: Final = """\
# Settings of this Shiprider node. Every key has a default; a misspelt key is refused.
node = "{node}"
language = "en"            # en or es
commit_every_s = 10.0      # the lake commits this often

[watch]
alerts_per_watch = 60      # the budget of attention
watch_hours = 8.0
# anchorages = "anchorages.csv"   # name,latitude_deg,longitude_deg
# receivers = "receivers.csv"     # source,kind,latitude_deg,longitude_deg

[api]
host = "127.0.0.1"
port = 8750

# A feed is where bytes come from: kind is file, folder, stdin, tcp or udp.
# [[feeds]]
# name = "coast"
# kind = "tcp"
# host = "127.0.0.1"
# port = 5631
"""
