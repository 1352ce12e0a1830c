"""The one place that names concrete adapters and puts the pieces together.

Always true: nothing here decides anything but which adapter stands behind which port.
"""

import gzip
import hashlib
import os
import random
import shutil
import sys
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import zstandard

from shiprider import __version__
from shiprider.adapters.feeds.file import FileFeed, spelt, wall_us
from shiprider.adapters.feeds.standard_input import StandardInputFeed
from shiprider.detect.catalogue import make_detectors
from shiprider.detect.user_presets import parse_user_presets
from shiprider.flow.archive import Snapshot
from shiprider.flow.audit import Audit
from shiprider.flow.backup import Manifest
from shiprider.flow.catchup import history
from shiprider.flow.checkup import Check
from shiprider.flow.decoding import TABLES, Decoding
from shiprider.flow.folds import Folds, LiveFold
from shiprider.flow.ingest import STREAM
from shiprider.flow.keeping import StateShelf
from shiprider.flow.labelling import Labelling, heard_in
from shiprider.flow.learn import DailyWorld
from shiprider.flow.logged_access import Accesses
from shiprider.flow.numbers import Numbers
from shiprider.flow.recording import DayStore, Progress, Tally, detect, read_rows
from shiprider.flow.retention import Policy as RetentionPolicy
from shiprider.flow.review import Review
from shiprider.flow.sight import Sight
from shiprider.flow.signing_keys import rotate, settle, write_off
from shiprider.flow.view import View, seen
from shiprider.flow.vouching import KeySigner, LedgerVouching
from shiprider.flow.watch import Watch
from shiprider.formats.csv.layouts import CsvLayout
from shiprider.formats.decoded import DecodeContext, Decoder
from shiprider.measure.clock import HOUR_US, MINUTE_US, us_from_iso
from shiprider.model.codes import Nature, ReceiverKind
from shiprider.model.errors import InputError, StorageError, UsageError
from shiprider.model.finding import Finding
from shiprider.model.label import number_of, written
from shiprider.model.observer import Observer
from shiprider.model.orders import LegalHold, WatchedArea, Watchlist
from shiprider.model.release_class import ReleaseClass
from shiprider.model.rules import own_observer
from shiprider.model.tables import TABLES as SCHEMAS
from shiprider.model.world import Area, World
from shiprider.model.world import Watch as WatchedVessel
from shiprider.observe.cleaner import Cleaner
from shiprider.ports.access_log import AccessLog, SignedHead
from shiprider.ports.feed import Declaration, Feed, Origin
from shiprider.ports.keys import Keys
from shiprider.ports.lake import Hold, Lake
from shiprider.ports.ledger import Head, Ledger
from shiprider.ports.signing import Checker, Signer
from shiprider.ports.spool import Source, Spool
from shiprider.ports.vouching import Vouching
from shiprider.settings import FeedSettings, Settings, key_passphrase, ledger_address
from shiprider.settings import load as read_settings
from shiprider.track.cooperative import CooperativeTracker

if TYPE_CHECKING:
    from shiprider.adapters.certificates.own import OwnCertificates
    from shiprider.adapters.keys.files import FileKeys
    from shiprider.adapters.policy.cedar import CedarPolicy
    from shiprider.flow.access import Access
    from shiprider.flow.browsing import Duties
    from shiprider.flow.caretaker import Caretaker
    from shiprider.flow.desk import Desk
    from shiprider.flow.evidence import Package
    from shiprider.flow.node import Node
    from shiprider.flow.policy_desk import Policies
    from shiprider.model.account import Account
    from shiprider.model.rules import Home, Rules
    from shiprider.ports.identity import IdentityProvider
    from shiprider.ports.policy import Policy
    from shiprider.share.change import Change
    from shiprider.simulate.stream import Simulation


#: The access log's folder in a node's folder.
ACCESS_LOG: Final = "access"


def load_settings(folder: Path) -> Settings:
    """Settings of the node in a folder. Raises UsageError."""
    try:
        return read_settings(folder)
    except ValueError as error:
        raise UsageError(str(error)) from error


#: The ledger's file in a node's folder.
LEDGER: Final = "ledger.sqlite"

#: The folder of its signing keys there.
KEYS: Final = "keys"


def open_decoder(source: Source, head: bytes, layouts: tuple[CsvLayout, ...] = ()) -> Decoder:
    """The decoder of a source, told by its first bytes. Raises InputError."""
    from shiprider.formats.sniffing import open_decoder as sniffed

    declared = source.declaration
    context = DecodeContext(
        feed=declared.name,
        sensor=declared.sensor,
        nature=declared.nature,
        receiver_kind=declared.receiver_kind,
        start_us=declared.start_us,
        received_clock=declared.received_clock,
        label_id=number_of(declared.label),
    )
    if declared.columns:
        from shiprider.formats.csv.layouts import declared as layout

        layouts = (layout(declared.columns, f"The column map of feed {declared.name!r}"), *layouts)
    try:
        if declared.format != "nmea":
            # What is read from a pipe has a name of its own in the spool, which says nothing to people.
            piped = source.origin.file.startswith("stdin-") and not source.origin.digest
            shown = "Standard input" if piped else source.origin.file or declared.name
            return sniffed(head, context, layouts, shown)
    except InputError:
        # A line that never ends may begin with anything; what is no sentence of it is refused line by line.
        if declared.received_clock != "wall" or declared.format or layouts:
            raise
    from shiprider.formats.ais.decoder import AisDecoder

    return AisDecoder(context)


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


def watches(path: str) -> tuple[WatchedVessel, ...]:
    """A watchlist: our CSV, or OFAC's list, told apart by the first line. Raises InputError."""
    from shiprider.formats.ofac_sdn import parse_sdn
    from shiprider.formats.watchlist_csv import parse_watchlist

    if path.endswith(".gz"):
        try:
            text = gzip.decompress(Path(path).read_bytes()).decode("utf-8", "replace")
        except (OSError, EOFError, zlib.error) as error:
            reason = getattr(error, "strerror", None) or "it is not whole gzip"
            raise UsageError(f"{path} cannot be read ({reason}): check the file.") from error
    else:
        text = read_text(path)
    first = text.split("\n", 1)[0]
    if first.count(",") >= 11 and first[:1].isdigit():
        return parse_sdn(text)
    # errors name the path, findings the list: a path says nothing to a partner
    return tuple(replace(watch, list_name=Path(path).name) for watch in parse_watchlist(text, path))


def areas(path: str) -> tuple[Area, ...]:
    """Areas from GeoJSON. Raises InputError."""
    from shiprider.formats.area_geojson import parse_areas

    return parse_areas(read_text(path), path)


def read_text(path: str) -> str:
    """A text file of the operator. Raises UsageError in one sentence."""
    try:
        return Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"{path} cannot be read ({reason}): check the file.") from error


def given_world(
    *,
    anchorages: str = "",
    receivers: str = "",
    watchlist: Sequence[WatchedVessel] = (),
    areas: Sequence[Area] = (),
) -> World:
    """Coast and ports as packaged, anchorages and receivers from the operator's CSV where given."""
    from shiprider.adapters.geography.anchorages import packaged_ports, read_anchorages, read_receivers
    from shiprider.adapters.geography.coast import load_coast

    coast = load_coast()
    return World(
        coast=coast,
        anchorages=read_anchorages(read_text(anchorages), anchorages)
        if anchorages
        else packaged_ports(coast),
        receivers=read_receivers(read_text(receivers), receivers) if receivers else None,
        watchlist=tuple(watchlist),
        areas=tuple(areas),
    )


def folds(presets: Sequence[str] = (), user_presets: str = "") -> Folds:
    """Tracker and detectors. Raises UsageError where a preset is none."""
    user = parse_user_presets(read_text(user_presets), user_presets) if user_presets else ()
    return Folds(CooperativeTracker, make_detectors(presets, user))


def column_map(path: str) -> str:
    """The text of a declared column map, once it is known to be one. Raises UsageError, InputError."""
    from shiprider.formats.csv.layouts import declared

    text = read_text(path)
    declared(text, path)
    return text


def layouts(path: str) -> tuple[CsvLayout, ...]:
    """The layout that a TOML file declares. Raises UsageError, InputError."""
    from shiprider.formats.csv.layouts import declared

    return (declared(read_text(path), path),)


def detect_recordings(
    feeds: Sequence[Feed],
    pieces: Folds,
    world: World,
    progress: Progress,
    tables: tuple[CsvLayout, ...] = (),
) -> tuple[Tally, list[Finding]]:
    """All findings of some recordings, as a node would give them; `tables` are declared layouts, tried first."""
    store = DayStore()
    try:
        opener = partial(open_decoder, layouts=tables)
        tally = read_rows(feeds, opener, store, lambda part, text: progress(part * 0.6, text))
        return tally, detect(store, pieces, world, lambda part, text: progress(0.6 + part * 0.4, text))
    finally:
        store.close()


def message_lines(path: str) -> Iterator[bytes]:
    """Every message of an AIS recording as JSON, one object a line."""
    from shiprider.formats.ais.fields import decode_lines

    feed = recording(path)
    return decode_lines(chunk.data for chunk in feed.chunks(()))


def simulation(name: str, seed: int | None = None, start_us: int | None = None) -> "Simulation":
    """A scenario by preset name or JSON file, laid over the packaged coast, ports and lanes.

    Raises UsageError. `start_us` moves it in time; the same seed and start give the same bytes.
    """
    from shiprider.adapters.geography.coast import load_coast
    from shiprider.adapters.geography.sea_lanes import sea_geography
    from shiprider.simulate.scenario import from_json, preset
    from shiprider.simulate.stream import Simulation as Played

    scenario = (
        from_json(Path(name).read_bytes())
        if name.endswith(".json") and Path(name).is_file()
        else preset(name, seed)
    )
    if seed is not None:
        scenario = msgspec.structs.replace(scenario, seed=seed)
    if start_us is not None:
        scenario = msgspec.structs.replace(scenario, start_us=start_us)
    return Played.of(scenario, sea_geography(load_coast().is_land))


@contextmanager
def compressed_writer(path: Path) -> Iterator[Callable[[bytes], object]]:
    """A writer to a file, compressed by its ending; `-` is standard output. Raises StorageError."""
    if str(path) == "-":
        yield sys.stdout.buffer.write
        return
    try:
        with path.open("wb") as plain:
            if path.suffix == ".zst":
                with zstandard.ZstdCompressor(level=3).stream_writer(plain, closefd=False) as packed:
                    yield packed.write
            elif path.suffix == ".gz":
                with gzip.GzipFile(fileobj=plain, mode="wb", compresslevel=6, mtime=0) as zipped:
                    yield zipped.write
            else:
                yield plain.write
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


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
        columns=column_map(_beside(folder, declared.columns)) if declared.columns else "",
        label=written(declared.label, f"The label of feed {declared.name!r}").text,
    )
    if declared.kind == "tcp":
        return TcpFeed(declared.host, declared.port, declaration, jitter=random.random)
    if declared.kind == "udp":
        return UdpFeed(declared.host, declared.port, declaration)
    if declared.kind == "stdin":
        return StandardInputFeed(declaration)
    path = Path(declared.path) if Path(declared.path).is_absolute() else folder / declared.path
    return FolderFeed(path, declaration) if declared.kind == "folder" else FileFeed(path, declaration)


@dataclass(frozen=True, slots=True)
class OpenNode:
    """A node whose lock we hold."""

    folder: Path
    settings: Settings
    node: "Node"
    spool: Spool
    lake: Lake
    ledger: Ledger
    keys: Keys
    access_log: AccessLog
    policies: "Policies"
    sight: Sight
    numbers: Numbers
    home: "Home"

    @property
    def vouching(self) -> Vouching:
        """What the node can show for its log."""
        return LedgerVouching(self.ledger, self.keys.public)

    @property
    def signer(self) -> Signer:
        """Its key of the moment."""
        return KeySigner(self.keys, wall_us)

    def audit(self, observer: Observer) -> Audit:
        """The access log as one observer may read it."""
        return Audit(observer, Accesses(self.access_log, wall_us), self.ledger)

    def policy_in_force(self) -> "Policy":
        """The engine of the rules in force now; ask it anew for every question."""
        return self.policies.policy()

    def view(self, observer: Observer) -> View:
        """What one observer sees."""
        return View(
            observer, self.ledger, self.lake, self.node.pictures, self.sight, self.numbers, self.spool
        )

    def own(self, name: str) -> Observer:
        """Whoever sits at this machine: one of the node's own people, with every right to read."""
        return own_observer(name, self.home, self.settings.access.purposes[0])

    def review(self) -> Review:
        """Where people decide."""
        return Review(self.ledger, wall_us)

    def replace_key(self, author: str) -> None:
        """Put a new signing key in use, announced under the one before."""
        rotate(self.ledger, self.keys, wall_us, author)

    def write_off_key(self, author: str, reason: str) -> None:
        """The signing key is lost: another signs from now on."""
        write_off(self.ledger, self.keys, wall_us, author, reason)


@contextmanager
def open_node(folder: Path, settings: Settings | None = None) -> Iterator[OpenNode]:
    """Open a node's stores under its lock. Raises UsageError, NodeBusy, CorruptStore, StorageError."""
    from shiprider.adapters.lake.delta import DeltaLake
    from shiprider.adapters.lake.lock import NodeLock
    from shiprider.adapters.spool.segmented import SegmentedSpool
    from shiprider.detect.ranking import Budget
    from shiprider.flow.node import Node, Stores

    settings = settings or load_settings(folder)
    lock = NodeLock(folder)
    try:
        spool = SegmentedSpool(folder / "spool")
        lake = DeltaLake(folder / "lake", folder / "state")
        keys = open_keys(folder, settings)
        ledger = open_ledger(folder, settings, keys)
        access_log: AccessLog | None = None
        try:
            settle(ledger, keys, wall_us)
            access_log = open_access_log(folder, settings, KeySigner(keys, wall_us), keys.check)
            choices = settings.watch
            budget = Budget(per_watch=choices.alerts_per_watch)
            watch_us = round(choices.watch_hours * HOUR_US)
            pieces = folds(choices.presets, _beside(folder, choices.user_presets))
            base = given_world(
                anchorages=_beside(folder, choices.anchorages), receivers=_beside(folder, choices.receivers)
            )
            given = partial(_with_orders, base, ledger)
            world = DailyWorld(given(), history(lake))
            stores = Stores(
                folder=folder,
                spool=spool,
                lake=lake,
                ledger=ledger,
                ingest_writer=lake.writer(STREAM, TABLES),
                points_writer=lake.writer("track_points", ("track_points",)),
                reception_writer=lake.writer("reception", ("reception",)),
                decoding=lambda: Decoding(spool, open_decoder, Cleaner(base.receivers)),
                world=world,
                given=given,
                watch=Watch(
                    ledger,
                    wall_us,
                    budget=budget,
                    watch_us=watch_us,
                    labelling=Labelling(spool.sources, heard_in(lake)),
                ),
                shelf=StateShelf(folder / "state" / "folds", _fold_version(pieces)),
                clock=wall_us,
            )
            live = LiveFold(pieces, world.at, round(choices.allowed_lateness_min * MINUTE_US))
            node = Node(
                stores,
                live,
                commit_every_s=settings.commit_every_s,
                budget_bytes=round(settings.retention.disk_budget_gib * 2**30),
            )
            policies = open_policies(folder, settings, ledger)
            sight = Sight(policies.policy, ledger, node=settings.node, sources=spool.sources, clock=wall_us)
            numbers = Numbers(ledger, lake, budget, watch_us)
            home = own_home(node_rules(settings, folder))
            yield OpenNode(
                folder, settings, node, spool, lake, ledger, keys, access_log, policies, sight, numbers, home
            )
        finally:
            if access_log is not None:
                access_log.close()
            ledger.close()
            spool.close()
    finally:
        lock.release()


def open_keys(folder: Path, settings: Settings) -> "FileKeys":
    """The node's signing keys; the first opening makes them. Raises UsageError, CorruptStore, StorageError."""
    from shiprider.adapters.keys.files import FileKeys
    from shiprider.adapters.keys.pseudonyms import seal_existing

    passphrase = _key_passphrase(folder, settings)
    keys = FileKeys(folder / KEYS, clock=wall_us, passphrase=passphrase)
    seal_existing(folder / KEYS, passphrase)
    return keys


def _key_passphrase(folder: Path, settings: Settings) -> bytes | None:
    try:
        return key_passphrase(settings, folder, os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from error


def open_ledger(folder: Path, settings: Settings, keys: Keys) -> Ledger:
    """The node's log, where the settings say. Raises UsageError, NodeBusy, CorruptStore, StorageError."""
    try:
        address = ledger_address(settings, folder, os.environ)
    except ValueError as error:
        raise UsageError(str(error)) from error
    if address == "sqlite":
        from shiprider.adapters.ledger.sqlite import SqliteLedger

        return SqliteLedger(folder / LEDGER, origin=settings.node, keys=keys)
    from shiprider.adapters.ledger.postgres import PostgresLedger

    return PostgresLedger(address, (folder / LEDGER).with_suffix(".head"), origin=settings.node, keys=keys)


def _beside(folder: Path, name: str) -> str:
    """An operator's file: relative names are in the node's folder."""
    return str(folder / name) if name else ""


def _with_orders(base: World, ledger: Ledger) -> World:
    """The world with the watchlists and areas that are active in the ledger."""
    lists = [seen(r, Watchlist).body for r in ledger.of_kind("watchlist") if r.body is not None]
    marked = [seen(r, WatchedArea).body for r in ledger.of_kind("area") if r.body is not None]
    return replace(
        base,
        watchlist=tuple(
            WatchedVessel(
                list_name=each.name,
                mmsi=entry.mmsi,
                imo=entry.imo,
                name=entry.name,
                callsign=entry.callsign,
                reason=entry.reason,
            )
            for each in lists
            if each.active
            for entry in each.entries
        ),
        areas=tuple(Area(each.name, each.ring) for each in marked if each.active),
    )


def _fold_version(pieces: Folds) -> str:
    """Names the code and the presets: a state of others is not taken up."""
    names = [f"{d.behaviour}.{d.preset}:{getattr(d, 'numbers', '')}" for d in pieces.detectors]
    return hashlib.sha256("\n".join([__version__, *names]).encode()).hexdigest()


def paced_recording(path: Path, *, speed: float, nature: Nature = Nature.DECLARED) -> Feed:
    """A recording given out at its own pace, by the time stamps in its tag blocks."""
    from shiprider.adapters.feeds.paced import PacedFeed
    from shiprider.formats.ais.stamps import stamped_pieces

    declaration = Declaration(
        name="replay", standard="IEC 61162-1 VDM/VDO", nature=nature, received_clock="recording"
    )
    return PacedFeed(
        stamped_pieces(path.open("rb")), declaration, origin=Origin(file=spelt(path.name)), speed=speed
    )


def read_rules(path: str) -> "Rules":
    """A policy file. Raises UsageError, InputError."""
    from shiprider.formats.policy_toml import parse_rules

    return parse_rules(read_text(path), path)


def node_rules(settings: Settings, folder: Path) -> "Rules":
    """The rules of a node: its policy file, or without one nothing but its own people. Raises UsageError, InputError."""
    from shiprider.model.agreement import AgreementBook
    from shiprider.model.rules import Rules as Made
    from shiprider.model.rules import home_of

    if not settings.policy:
        own = home_of(settings.node, settings.nation, settings.organisation)
        return Made(settings.node, (own,), AgreementBook())
    rules = read_rules(_beside(folder, settings.policy))
    if rules.node != settings.node:
        raise UsageError(
            f"{settings.policy} is the policy of {rules.node!r}, but this node is {settings.node!r}: correct one of them."
        )
    return rules


def own_home(rules: "Rules") -> "Home":
    """Whose node it is, by its rules."""
    from shiprider.model.rules import home_of

    return next(iter(rules.homes_of(rules.node)), home_of(rules.node))


def policy(rules: "Rules") -> "CedarPolicy":
    """The engine for these rules. Raises UsageError where they cannot be meant."""
    from shiprider.adapters.policy.cedar import CedarPolicy

    return CedarPolicy(rules)


def open_policies(folder: Path, settings: Settings, ledger: Ledger) -> "Policies":
    """The rules in force: the newest that people agreed to, before any those of the settings' file."""
    from shiprider.flow.policy_desk import Policies

    text = read_text(_beside(folder, settings.policy)) if settings.policy else ""
    return Policies(ledger, settings.node, text, node_rules(settings, folder), policy)


def open_desk(opened: OpenNode, access: "Access", certificates: "OwnCertificates | None" = None) -> "Desk":
    """The release desk of an opened node."""
    import secrets

    from shiprider.adapters.keys.pseudonyms import pseudonym_key
    from shiprider.flow.desk import Desk, frame_classes
    from shiprider.flow.desk_steps import DeskSteps
    from shiprider.flow.key_desk import Certificate, KeyDesk
    from shiprider.flow.policy_desk import PolicyDesk
    from shiprider.flow.relabelling import Relabellings
    from shiprider.flow.tear_lines import TearLines

    def certificate() -> Certificate | None:
        if certificates is None:
            return None
        return Certificate(
            ends_us=round(certificates.ends.timestamp() * 1e6),
            fingerprint=certificates.fingerprint,
            names=certificates.names,
        )

    node = opened.settings.node
    pseudonyms = pseudonym_key(
        opened.folder / KEYS, _key_passphrase(opened.folder, opened.settings), secrets.token_bytes
    )
    steps = DeskSteps(
        ledger=opened.ledger,
        node=node,
        clock=access.clock,
        policy=opened.policy_in_force,
        log=access.record,
    )
    return Desk(
        steps=steps,
        policies=opened.policies,
        policy=PolicyDesk(steps, opened.policies, partial(frame_classes, opened.spool, node)),
        tear_lines=TearLines(steps, pseudonyms, secrets.token_bytes),
        labels=Relabellings(steps),
        keys=KeyDesk(access=access, ledger=opened.ledger, keys=opened.keys, certificate=certificate),
    )


def policy_change(old: str, new: str, folder: Path | None, moment: str) -> "Change":
    """What a new policy file would release: of a node's ledger, or of everything the two tell apart.

    Raises UsageError, InputError, NodeBusy.
    """
    from shiprider.share.change import compared, observer_kinds, sample_classes

    before, after = read_rules(old), read_rules(new)
    for rules in (before, after):
        policy(rules)
    try:
        now_us = us_from_iso(moment) if moment else wall_us()
    except ValueError:
        raise UsageError(
            f"{moment!r} is no time: write ISO 8601, for example 2026-01-31T06:00:00Z."
        ) from None
    classes = Counter[ReleaseClass]()
    if folder is None:
        classes.update(sample_classes(before, after))
    else:
        with open_node(folder) as opened:
            classes.update(ledger_classes(opened.ledger))
    return compared(before, after, observer_kinds(before, after, classes=classes), classes, now_us)


def ledger_classes(ledger: Ledger) -> Iterator[ReleaseClass]:
    """The class of every revision whose body is there, in order."""
    at = 0
    while page := ledger.since(at):
        for record in page:
            if record.body is not None:
                yield ReleaseClass(
                    label=record.label,
                    origin=record.origin,
                    purpose=record.purpose,
                    case=record.case,
                    kind=record.kind,
                )
        at = page[-1].sequence


@contextmanager
def node_lock(folder: Path) -> Iterator[None]:
    """Hold a node's lock without opening its stores. Raises NodeBusy."""
    from shiprider.adapters.lake.lock import NodeLock

    with NodeLock(folder):
        yield


def rebuild_lake(opened: OpenNode, progress: Callable[[int, int], None]) -> int:
    """Fill the (empty) lake from the spool; the position reached."""
    from shiprider.flow.rebuild import rebuild

    return rebuild(opened.spool, opened.lake, opened.node.stores.decoding(), progress=progress)


def backup_node(opened: OpenNode, target: Path, passphrase: bytes | None = None) -> Manifest:
    """Copy a node: spool, lake, ledger, access log, settings, and its keys sealed by a passphrase.

    Raises UsageError where there are keys and no passphrase: a copy never holds them in the clear.
    """
    from shiprider.adapters.access_log.copying import copy_access_log
    from shiprider.adapters.accounts.copying import copy_accounts
    from shiprider.adapters.ledger.copying import copy_ledger
    from shiprider.adapters.sealing.passphrase import seal
    from shiprider.flow.backup import backup
    from shiprider.flow.secrets import in_the_clear, packed, secret_files
    from shiprider.settings import FILE_NAME

    sealed: bytes | None = None
    secrets = secret_files(opened.folder)
    if passphrase is not None:
        sealed, secrets = seal(packed(opened.folder), passphrase) if secrets else None, []
    elif any(in_the_clear(path) for path in secrets):
        raise UsageError(
            "The node has private keys, and a copy never holds them in the clear: give --passphrase-file."
        )

    if not (opened.folder / LEDGER).is_file():
        raise UsageError(
            "The ledger is in PostgreSQL: copy it there (pg_dump), and the node's folder while it stands."
        )

    def logs(place: Path) -> None:
        if not (opened.folder / LEDGER).is_file():
            raise UsageError(
                "The ledger is in PostgreSQL: copy it there (pg_dump), and the node's folder while it stands."
            )
        copy_ledger(opened.folder / LEDGER, place / LEDGER)
        copy_access_log(opened.folder / ACCESS_LOG, place / ACCESS_LOG)
        if (opened.folder / ACCOUNTS).exists():
            copy_accounts(opened.folder / ACCOUNTS, place / ACCOUNTS)

    return backup(
        target,
        opened.spool,
        opened.lake,
        node=opened.settings.node,
        made_us=wall_us(),
        copy_ledger=logs,
        secrets=sealed,
        # Without its keys a copy of a signed log does not open; here only those that a passphrase encrypts.
        others=[opened.folder / FILE_NAME, *secrets, *_operators_files(opened)],
        folder=opened.folder,
    )


def archive_node(opened: OpenNode, archive: Path, passphrase: bytes | None = None) -> tuple[Snapshot, int]:
    """Add the node as it is to an archive; the snapshot and how many bytes were new to it."""
    import tempfile

    from shiprider.flow.archive import add

    try:
        archive.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix="copy-", dir=archive))
    except OSError as error:
        raise StorageError(
            f"{archive} cannot be written ({error.strerror}): choose another place."
        ) from error
    try:
        sequence = opened.ledger.head().sequence
        manifest = backup_node(opened, place / "node", passphrase)
        return add(archive, place / "node", manifest, sequence)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def open_secrets(folder: Path, passphrase: bytes | None) -> int:
    """Put the keys of a restored node in their place; how many files. Raises UsageError, CorruptStore."""
    from shiprider.adapters.sealing.passphrase import unseal
    from shiprider.flow.secrets import SEALED, unpack

    sealed = folder / SEALED
    if not sealed.exists():
        return 0
    if passphrase is None:
        raise UsageError(f"The node's keys are sealed in {sealed}: give --passphrase-file to open them.")
    count = unpack(unseal(sealed.read_bytes(), passphrase), folder)
    sealed.unlink()
    return count


def time_of(text: str) -> int:
    """Microseconds from ISO 8601. Raises UsageError."""
    try:
        return us_from_iso(text)
    except ValueError:
        raise UsageError(f"{text!r} is no time: write ISO 8601, for example 2026-01-31T06:00:00Z.") from None


def passphrase_from(path: Path | None) -> bytes | None:
    """The first line of a file that only its owner may read. Raises UsageError."""
    if path is None:
        return None
    try:
        mode, text = path.stat().st_mode, path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}): check the file.") from error
    if mode & 0o077:
        raise UsageError(f"{path} can be read by others: make it its owner's alone (chmod 600).")
    return text.split(b"\n", 1)[0].strip()


def _operators_files(opened: OpenNode) -> list[Path]:
    """Files that the settings name and that lie in the node's folder: without them a copy does not start."""
    watch = opened.settings.watch
    names = {
        watch.anchorages,
        watch.receivers,
        watch.user_presets,
        opened.settings.policy,
        *(f.columns for f in opened.settings.feeds),
    }
    root = opened.folder.resolve()
    places = [opened.folder / name for name in sorted(names) if name and not Path(name).is_absolute()]
    return [place for place in places if place.is_file() and place.resolve().is_relative_to(root)]


def legal_holds(opened: OpenNode) -> list[Hold]:
    """What must stay, from the ledger."""
    held = [seen(r, LegalHold).body for r in opened.ledger.of_kind("legal_hold") if r.body is not None]
    return [Hold(tuple(h.mmsi), h.start_us, h.end_us) for h in held if not h.released]


def retention_policy(settings: Settings) -> RetentionPolicy:
    """The settings' `[retention]`."""
    kept = settings.retention
    days = {name: int(getattr(kept, f"{name}_days")) for name in SCHEMAS}
    return RetentionPolicy(days=days, budget_bytes=round(kept.disk_budget_gib * 2**30))


def steady_datagrams(messages_per_s: float, together: int, vessels: int = 5_000) -> Iterator[bytes]:
    """Simulated sentences without end, so many in each piece: what a busy coast would send."""
    from shiprider.adapters.geography.coast import load_coast
    from shiprider.adapters.geography.sea_lanes import sea_geography
    from shiprider.simulate.steady import steady_stream

    slices = steady_stream(
        sea_geography(load_coast().is_land),
        messages_per_s=messages_per_s,
        vessels=vessels,
        duration_s=86_400.0,
    )
    for piece in slices:
        lines = piece.data.splitlines(keepends=True)
        for at in range(0, len(lines), together):
            yield b"".join(lines[at : at + together])


def open_access_log(
    folder: Path, settings: Settings, signer: Signer | None = None, check: Checker | None = None
) -> AccessLog:
    """The node's access log. Raises NodeBusy, CorruptStore, StorageError."""
    from shiprider.adapters.access_log.segmented import SegmentedAccessLog

    return SegmentedAccessLog(folder / ACCESS_LOG, origin=settings.node, signer=signer, check=check)


def bench_access_log(folder: Path) -> AccessLog:
    """An access log under a key of its own, for measuring."""
    from shiprider.adapters.access_log.segmented import SegmentedAccessLog
    from shiprider.adapters.keys.files import FileKeys

    keys = FileKeys(folder.parent / "bench-keys", clock=wall_us)
    return SegmentedAccessLog(folder, origin="bench", signer=KeySigner(keys, wall_us), check=keys.check)


def check_access_log(folder: Path, head: Path | None = None, check: Checker | None = None) -> Head:
    """Check a node's access log (or a copy of one) from its files, and against a head kept elsewhere.

    Raises CorruptStore, UsageError, StorageError.
    """
    from shiprider.adapters.access_log.verifying import verify_folder

    place = folder / ACCESS_LOG if (folder / ACCESS_LOG).is_dir() else folder
    if not (place / "head").exists():
        raise UsageError(f"{folder} holds no access log: name a node's folder.")
    kept: list[SignedHead] = []
    if head is not None:
        try:
            kept = [msgspec.json.decode(head.read_bytes(), type=SignedHead)]
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{head} is no head of an access log ({error}): check the file.") from error
    try:
        return verify_folder(place, check=check, heads=kept)
    except OSError as error:
        raise StorageError(f"{place} cannot be read ({error.strerror}): check the disk.") from error


def write_new(path: Path, data: bytes) -> None:
    """A new file, durable on return. Raises UsageError where it exists, StorageError."""
    import os

    try:
        with path.open("xb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
    except FileExistsError:
        raise UsageError(f"{path} exists, and nothing is overwritten: name a new file.") from None
    except OSError as error:
        raise StorageError(f"{path} cannot be written ({error.strerror}): choose another place.") from error


def caretaker(opened: OpenNode, duties: "Callable[[], Duties] | None" = None) -> "Caretaker":
    """What runs beside the node: browsing alarm, disk history, operational log."""
    from shiprider.flow.browsing import BrowsingWatch, Duties, WorkInHand
    from shiprider.flow.caretaker import Caretaker
    from shiprider.flow.disk_trend import DiskHistory

    state = opened.folder / "state"
    state.mkdir(exist_ok=True)
    work = WorkInHand(opened.ledger, duties or Duties)
    watch = BrowsingWatch(opened.access_log, opened.ledger, work, wall_us, state / "browsing.place")
    return Caretaker(opened.folder, watch, DiskHistory(state / "disk.history"), opened.node.status, wall_us)


def metrics(opened: OpenNode) -> Callable[[int], bytes]:
    """What a scrape of the node answers, with how many sessions are open."""
    from shiprider.adapters.metrics.prometheus import text
    from shiprider.flow.disk_trend import DiskHistory
    from shiprider.flow.measures import Measuring, series

    measuring = Measuring(
        opened.node.status,
        opened.spool,
        opened.ledger,
        opened.access_log,
        DiskHistory(opened.folder / "state" / "disk.history"),
        lambda: opened.lake.scan("quarantine", ["raw"]).collect().height,
    )
    measuring.begin()
    return lambda sessions: text(series(measuring.read(sessions)))


def evidence_taker(opened: OpenNode, login: str, purpose: str) -> Observer:
    """Who takes evidence out: an account of the node; where nobody works with content whoever sits at its machine.

    Raises UsageError.
    """
    from shiprider.adapters.accounts.sqlite import SqliteAccounts
    from shiprider.flow.access import Authority, observer_of
    from shiprider.model.account import CONTENT_ROLES

    purposes = opened.settings.access.purposes
    if purpose not in purposes:
        raise UsageError(f"{purpose[:40]!r} is no purpose here: use one of {', '.join(purposes)}.")
    if not (opened.folder / ACCOUNTS).exists():
        return own_observer(login, opened.home, purpose)
    accounts = SqliteAccounts(opened.folder / ACCOUNTS)
    try:
        if not any(set(CONTENT_ROLES) & set(each.roles) for each in accounts.all()):
            return own_observer(login, opened.home, purpose)
        account = accounts.find(login=login)
        if account is None or account.disabled:
            raise UsageError(f"{login[:40]!r} is no account here: name the login of whoever takes it out.")
        authority = Authority(account, tuple(accounts.grants(account.id, wall_us())))
        return observer_of(authority, opened.home, purpose)
    finally:
        accounts.close()


def export_evidence(
    opened: OpenNode, finding: str, target: Path, *, by: str, reason: str, purpose: str = "evidence"
) -> "Package":
    """Write the package of a finding to a new file and record that it was taken out.

    `by` is a login. Raises NotFound, Forbidden, CorruptStore, StorageError, UsageError.
    """
    from shiprider.adapters.timestamps.rfc3161 import Rfc3161
    from shiprider.flow.evidence import Sources, export, recorded
    from shiprider.flow.evidence_scope import RawRow
    from shiprider.flow.ids import new_id

    url = opened.settings.evidence.time_stamp_url

    def row_of(raw: int) -> RawRow | None:
        for table in ("observations", "statements", "messages"):
            columns = ["raw", "raw_length", "label_id"]
            rows = opened.lake.scan(table, columns, raw_start=raw, raw_end=raw + 1).head(1).collect()
            if rows.height:
                return RawRow(table, int(rows["label_id"][0] or 0), int(rows["raw_length"][0] or 0))
        return None

    accesses = Accesses(opened.access_log, wall_us)
    observer = evidence_taker(opened, by, purpose)
    sources = Sources(
        node=opened.settings.node,
        ledger=opened.ledger,
        spool=opened.spool,
        sight=opened.sight,
        row_of=row_of,
        vouching=opened.vouching,
        signer=opened.signer,
        stamper=Rfc3161(url) if url else None,
        clock=wall_us,
    )
    package = accesses.give(
        # The log names people by their login, as it does for whoever signs in.
        msgspec.structs.replace(observer, name=by),
        "export",
        "evidence",
        lambda: export(sources, finding, observer=observer, reason=reason),
        lambda _: [finding],
        why=reason,
    )
    draft = recorded(package, finding, by=observer.name, reason=reason, at_us=wall_us(), record_id=new_id())
    opened.ledger.append([draft])
    write_new(target, package.data)
    return package


def checkups(opened: OpenNode) -> list[Check]:
    """Clocks, disk, certificates of a node. Asks the network only where `[care] time_source` names it."""

    from shiprider.adapters.certificates.expiry import expiries
    from shiprider.adapters.time_sources.network import offset_s
    from shiprider.flow import checkup
    from shiprider.flow.disk_trend import DiskHistory
    from shiprider.model.errors import ShipriderError

    now_us = wall_us()
    newest = opened.ledger.since(opened.ledger.head().sequence - 1, limit=1)
    found = [
        checkup.clock_by_feeds(_live_lags(opened)),
        checkup.clock_by_log(now_us, newest[0].recorded_us if newest else 0),
        checkup.disk(
            DiskHistory(opened.folder / "state" / "disk.history").read(),
            shutil.disk_usage(opened.folder).free,
        ),
    ]
    source = opened.settings.care.time_source
    if source:
        try:
            found.append(checkup.clock_by_source(source, offset_s(source)))
        except ShipriderError as error:
            found.append(checkup.Check("clock against the time source", False, str(error)))
    found += [checkup.expiry(f"certificate {name}", end, now_us) for name, end in expiries(opened.folder)]
    with opened.keys.signing() as signer:
        found.append(checkup.key_age(signer.key_id, signer.from_us, now_us))
    return found


def _live_lags(opened: OpenNode) -> list[float]:
    """Seconds from a receiver's stamp to arrival, of the newest messages of live feeds."""
    import polars as pl

    from shiprider.model.codes import TimeSource

    live = [feed.name for feed in opened.settings.feeds if feed.kind in ("tcp", "udp", "stdin")]
    if not live:
        return []
    rows = (
        opened.lake.scan("observations", ["time", "received", "feed", "time_source"])
        .filter(pl.col("feed").is_in(live) & (pl.col("time_source") == int(TimeSource.RECEIVER)))
        .sort("received", descending=True)
        .head(2000)
        .select((pl.col("received") - pl.col("time")).dt.total_microseconds() / 1e6)
        .collect()
    )
    return [float(each) for each in rows.to_series().to_list()]


#: The people of a node, and the log of their accesses, in its folder.
ACCOUNTS: Final = "accounts.sqlite"


@contextmanager
def open_access(folder: Path, settings: Settings, log: AccessLog | None = None) -> "Iterator[Access]":
    """Who may come in, and the log of what he sees: that of the open node, or one opened for this alone.

    Raises UsageError, NodeBusy, StorageError, CorruptStore.
    """
    from shiprider.adapters.accounts.passkeys import WebauthnPasskeys
    from shiprider.adapters.accounts.passwords import Argon2Passwords
    from shiprider.adapters.accounts.sqlite import SqliteAccounts
    from shiprider.flow.access import Access

    accounts = SqliteAccounts(folder / ACCOUNTS)
    try:
        own: AccessLog | None = None
        if log is None:
            keys = open_keys(folder, settings)
            log = own = open_access_log(folder, settings, KeySigner(keys, wall_us), keys.check)
        try:
            yield Access(
                accounts=accounts,
                log=log,
                passwords=Argon2Passwords(),
                passkeys=WebauthnPasskeys(),
                settings=settings.access,
                clock=wall_us,
                nation=settings.nation,
                node=settings.node,
                home=own_home(node_rules(settings, folder)),
                providers=_providers(folder, settings),
            )
        finally:
            if own is not None:
                own.close()
    finally:
        accounts.close()


def duties_of(access: "Access") -> "Callable[[], Duties]":
    """What the accounts say of people's work, by the login that their accesses are logged under."""
    from shiprider.flow.browsing import Duties

    def duties() -> Duties:
        people = access.accounts.all()
        return Duties(
            roles={each.login: each.roles[0] for each in people if each.roles},
            cases={each.login: frozenset(each.cases) for each in people},
        )

    return duties


def _providers(folder: Path, settings: Settings) -> "dict[str, IdentityProvider]":
    if not settings.access.providers:
        return {}
    from shiprider.adapters.identity.openid import OpenIdProvider

    return {
        each.name: OpenIdProvider(
            each,
            read_text(_beside(folder, each.client_secret_file)).strip() if each.client_secret_file else "",
        )
        for each in settings.access.providers
    }


def own_certificates(folder: Path, settings: Settings) -> "OwnCertificates | None":
    """The node's TLS; None where it speaks plain HTTP on the loopback. Raises UsageError, StorageError."""
    import socket

    host, _ = settings.api.place
    loopback = host in ("localhost", "::1") or host.startswith("127.")
    if loopback and not settings.api.tls:
        return None
    from shiprider.adapters.certificates.own import OwnCertificates

    names = settings.api.names
    if not loopback:
        own = () if host in ("0.0.0.0", "::") else (host,)  # noqa: S104 (compared, not bound)
        names = (*names, *own, *(() if names else (socket.gethostname(),)))
    return OwnCertificates(folder / "tls", node=settings.node, names=names)


def first_administrator(access: "Access") -> "tuple[Account, str] | None":
    """The administrator of a node that knows nobody yet, and his one-time code; None where it does."""
    from shiprider.flow.administering import first_administrator as first

    return first(access)


def renewed_code(access: "Access", login: str) -> str:
    """A new one-time code for somebody who lost his way in. Raises NotFound."""
    from shiprider.flow.administering import renewed_code as renewed

    return renewed(access, login)
