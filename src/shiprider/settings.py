"""Typed settings of one node: built once from `shiprider.toml`, handed in, never read elsewhere.

Always true: every setting has a default that is safe; an unknown or misspelt key is refused with a
sentence; no secret is a default.
"""

import tomllib
from collections.abc import Mapping
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

#: The people of model/account.py (a test keeps the two the same: settings import nothing of ours).
Role = Literal[
    "watch_officer",
    "intelligence_analyst",
    "liaison_officer",
    "planner",
    "legal_adviser",
    "evidence_custodian",
    "evaluator",
    "community_liaison",
    "node_administrator",
    "auditor",
]

#: What people read for, where the operator lists nothing else; the client has words for these.
PURPOSES: Final = ("watch", "investigation", "planning", "evidence", "evaluation", "support", "exercise")


class FeedSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One source of bytes. `path` for file and folder, `host` and `port` for tcp and udp.

    `columns` names a TOML file, beside the settings, with what the columns of a table mean. `label` is the
    label of its rows as a person writes it (docs/sharing.md); without one they are the node's own. A compressed
    file that unpacks to more than `unpacked_ratio` times its size (and 256 MiB), or `unpacked_gib`, is refused whole.
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
    label: str = ""
    unpacked_ratio: int = 200
    unpacked_gib: float = 100.0


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
    """Where the watch floor listens: `listen` ("0.0.0.0:8443") or `host` and `port`.

    Beyond the loopback it always speaks TLS; on the loopback where `tls` says so. `names` are the names
    and addresses under which people reach it: they stand in the certificate, and no other is answered.
    """

    host: str = "127.0.0.1"
    port: int = 8750
    listen: str = ""
    tls: bool = False
    names: tuple[str, ...] = ()

    @property
    def place(self) -> tuple[str, int]:
        """Host and port. Raises ValueError."""
        if not self.listen:
            return self.host, self.port
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError(f"`listen` is {self.listen!r}: write an address and a port, 0.0.0.0:8443.")
        return host.strip("[]"), int(port)


class ProviderSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation that vouches for its people by OpenID Connect.

    `client_secret_file` lies beside the settings. `claims` says which claim gives which attribute;
    `roles` which of its groups have which of our roles. `nation` and `organisation` are what this provider
    can vouch for at all: they are never taken from a claim where they are set. `private_addresses` are
    the only networks, beyond the public ones, in which its servers may lie.
    """

    name: str
    issuer: str
    client_id: str
    title: str = ""
    client_secret_file: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    nation: str = ""
    organisation: str = ""
    claims: dict[str, str] = msgspec.field(default_factory=dict)
    roles: dict[str, tuple[Role, ...]] = msgspec.field(default_factory=dict)
    default_roles: tuple[Role, ...] = ()
    hosts: tuple[str, ...] = ()
    private_addresses: tuple[str, ...] = ()


class AccessSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who may come in. `demo` signs whoever opens the start-up URL in by itself: on the loopback only.

    `purposes` are what a person can say he reads for; a session ends after `idle_min` without a request
    and after `session_h` in any case; access taken by breaking the glass after `break_glass_min` at most.
    """

    demo: bool = False
    purposes: tuple[str, ...] = PURPOSES
    idle_min: float = 60.0
    session_h: float = 12.0
    break_glass_min: float = 60.0
    providers: tuple[ProviderSettings, ...] = ()


class KeySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`passphrase_file` holds what the private keys are encrypted with; relative names are in the node's folder."""

    passphrase_file: str = ""


class WaySettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is special about the way to one partner: `kbit_s` what it bears (0: plenty), `stick` a folder that bundles
    are carried in by hand instead of a broker (in the node's folder, or absolute)."""

    partner: str
    kbit_s: float = 0.0
    stick: str = ""


class ExchangeSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`listen`: address and port of this node's own broker, for partners who come to it; empty: it only goes to theirs.

    `name` is what people call this node; empty: its `node`.
    """

    listen: str = ""
    name: str = ""
    ways: tuple[WaySettings, ...] = ()

    @property
    def place(self) -> tuple[str, int] | None:
        """Host and port of the broker. Raises ValueError."""
        if not self.listen:
            return None
        host, _, port = self.listen.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65535:
            raise ValueError(
                f"`listen` of the exchange is {self.listen!r}: write an address and a port, 0.0.0.0:4250."
            )
        return host.strip("[]"), int(port)

    def way(self, partner: str) -> WaySettings:
        """The way to a partner."""
        return next((each for each in self.ways if each.partner == partner), WaySettings(partner=partner))


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of it. `ledger` is `sqlite`, a `postgresql://` address without a password, or `file:NAME`.

    `nation` (ISO 3166-1, three letters) and `organisation` say whose node it is; `policy` is a file beside the settings
    (docs/sharing.md): without one, nobody but the node's own people sees anything.
    """

    node: str = "node"
    nation: str = ""
    organisation: str = ""
    policy: str = ""
    language: Literal["en", "es"] = "en"
    commit_every_s: float = 10.0
    feeds: tuple[FeedSettings, ...] = ()
    retention: RetentionSettings = RetentionSettings()
    watch: WatchSettings = WatchSettings()
    api: ApiSettings = ApiSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    care: CareSettings = CareSettings()
    ledger: str = "sqlite"
    keys: KeySettings = KeySettings()
    access: AccessSettings = AccessSettings()
    exchange: ExchangeSettings = ExchangeSettings()


#: Stands before the file of the settings: for an address with a password, and for the keys' passphrase.
LEDGER_VARIABLE: Final = "SHIPRIDER_LEDGER"
PASSPHRASE_VARIABLE: Final = "SHIPRIDER_KEYS_PASSPHRASE"  # noqa: S105


def ledger_address(settings: Settings, folder: Path, environment: Mapping[str, str]) -> str:
    """`sqlite` or a `postgresql://` address, perhaps with its password. Raises ValueError with one sentence."""
    found = environment.get(LEDGER_VARIABLE, settings.ledger)
    if found.startswith("file:"):
        found = _secret(folder / found.removeprefix("file:"), "the ledger's address")
    if found != "sqlite" and not found.startswith("postgresql://"):
        raise ValueError(
            "The ledger's address is neither `sqlite` nor begins with postgresql://: correct it."
        )
    return found


def key_passphrase(settings: Settings, folder: Path, environment: Mapping[str, str]) -> bytes | None:
    """What private keys are encrypted with; None where nobody set it. Raises ValueError with one sentence."""
    given = environment.get(PASSPHRASE_VARIABLE, "")
    if not given and settings.keys.passphrase_file:
        given = _secret(folder / settings.keys.passphrase_file, "the keys' passphrase")
    return given.encode() or None


def _secret(path: Path, what: str) -> str:
    try:
        found = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ValueError(f"{path}, which holds {what}, cannot be read ({reason}): check the file.") from error
    if not found:
        raise ValueError(f"{path} is empty: write {what} into it.")
    return found


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
        if feed.unpacked_ratio < 1 or feed.unpacked_gib <= 0:
            raise ValueError(
                f"{name}: feed {feed.name!r} takes no compressed file: let `unpacked_ratio` be at least 1 and "
                "`unpacked_gib` positive."
            )
        if feed.start:
            try:
                datetime.fromisoformat(feed.start)
            except ValueError:
                raise ValueError(
                    f"{name}: feed {feed.name!r} has start {feed.start!r}: write ISO 8601, for example "
                    "2026-01-31T06:00:00Z."
                ) from None
    if settings.ledger != "sqlite" and not settings.ledger.startswith(("postgresql://", "file:")):
        raise ValueError(
            f"{name}: `ledger` is {settings.ledger[:20]!r}: write sqlite, postgresql://… or file:NAME."
        )
    if "@" in settings.ledger and ":" in settings.ledger.removeprefix("postgresql://").split("@")[0].rstrip(
        ":"
    ):
        raise ValueError(
            f"{name}: `ledger` has a password in it: write the address into a file of its own, and here file:NAME."
        )
    if settings.watch.alerts_per_watch < 1 or settings.watch.watch_hours <= 0:
        raise ValueError(f"{name}: `alerts_per_watch` and `watch_hours` must be positive.")
    _check_access(settings, name)
    try:
        _ = settings.exchange.place
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    for way in settings.exchange.ways:
        if way.kbit_s < 0:
            raise ValueError(f"{name}: the way to {way.partner!r} has less than 0 kbit/s: correct it.")


def _check_access(settings: Settings, name: str) -> None:
    try:
        host, _ = settings.api.place
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from error
    access = settings.access
    if access.demo and host not in ("127.0.0.1", "localhost", "::1"):
        raise ValueError(
            f"{name}: `demo` signs people in by itself and is for the loopback only: take it out to listen on {host}."
        )
    if not access.purposes or not all(access.purposes):
        raise ValueError(f"{name}: `purposes` is empty: name what people may read for.")
    if min(access.idle_min, access.session_h, access.break_glass_min) <= 0:
        raise ValueError(f"{name}: `idle_min`, `session_h` and `break_glass_min` must be positive.")
    names = [each.name for each in access.providers]
    for each in access.providers:
        if not each.name.isidentifier() or names.count(each.name) > 1:
            raise ValueError(
                f"{name}: the provider {each.name!r} needs a name of its own, of letters and digits."
            )
        if not each.issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError(f"{name}: the issuer {each.issuer!r} must be an https address.")
        if not each.client_id:
            raise ValueError(f"{name}: the provider {each.name!r} needs a `client_id`.")


TEMPLATE: Final = """\
# Settings of this Shiprider node. Every key has a default; a misspelt key is refused.
node = "{node}"
language = "en"            # en or es
commit_every_s = 10.0      # the lake commits this often
# ledger = "file:ledger.url" # PostgreSQL: the file holds postgresql://…; the default is one SQLite file
# policy = "policy.toml"   # whose nodes are whose, which agreements there are

[watch]
alerts_per_watch = 60      # the budget of attention
watch_hours = 8.0
# anchorages = "anchorages.csv"   # name,latitude_deg,longitude_deg
# receivers = "receivers.csv"     # source,kind,latitude_deg,longitude_deg

[api]
host = "127.0.0.1"
port = 8750
# listen = "0.0.0.0:8443"          # beyond this machine: always TLS, with a certificate the node makes
# names = ["watch.example.org"]    # the names people reach it by

# [access]
# purposes = ["watch", "investigation", "planning", "evidence", "evaluation", "support", "exercise"]
# idle_min = 60.0            # a session without a request ends
# session_h = 12.0           # and in any case after a watch and a half
# demo = true                # whoever opens the start-up URL is signed in by itself; on this machine only

# [keys]
# passphrase_file = "passphrase"  # private keys are encrypted with it

# A feed is where bytes come from: kind is file, folder, stdin, tcp or udp.
# [[feeds]]
# name = "coast"
# kind = "tcp"
# host = "127.0.0.1"
# port = 5631
# label = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"   # without one: for this node only
# unpacked_ratio = 200       # of file and folder: a compressed file that unpacks to more is refused whole
# unpacked_gib = 100.0
"""
