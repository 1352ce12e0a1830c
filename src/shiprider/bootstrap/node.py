"""An opened node: its stores, under its lock."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.access_log import open_access_log
from shiprider.bootstrap.decoding import open_decoder
from shiprider.bootstrap.detection import fold_version, folds
from shiprider.bootstrap.folder import beside, load_settings
from shiprider.bootstrap.keys import open_keys
from shiprider.bootstrap.ledger import open_ledger
from shiprider.bootstrap.partners import open_partners
from shiprider.bootstrap.policies import node_rules, open_policies, own_home
from shiprider.bootstrap.sealing import spool_pieces
from shiprider.bootstrap.world import given_world, with_orders
from shiprider.flow.audit import Audit
from shiprider.flow.catchup import history
from shiprider.flow.decoding import TABLES, Decoding
from shiprider.flow.folds import LiveFold
from shiprider.flow.ingest import STREAM
from shiprider.flow.keeping import StateShelf
from shiprider.flow.labelling import Labelling, heard_in
from shiprider.flow.learn import DailyWorld
from shiprider.flow.logged_access import Accesses
from shiprider.flow.numbers import Numbers
from shiprider.flow.review import Review
from shiprider.flow.sight import Sight
from shiprider.flow.signing_keys import rotate, settle, write_off
from shiprider.flow.view import View
from shiprider.flow.vouching import KeySigner, LedgerVouching
from shiprider.flow.watch import Watch
from shiprider.flow.working.adopting import order_label
from shiprider.measure.clock import HOUR_US, MINUTE_US
from shiprider.model.observer import Observer
from shiprider.model.rules import own_observer
from shiprider.observe.cleaner import Cleaner
from shiprider.ports.access_log import AccessLog
from shiprider.ports.keys import Keys
from shiprider.ports.lake import Lake
from shiprider.ports.ledger import Ledger
from shiprider.ports.signing import Signer
from shiprider.ports.spool import Spool
from shiprider.ports.vouching import Vouching
from shiprider.settings import Settings

if TYPE_CHECKING:
    from shiprider.flow.node import Node
    from shiprider.flow.policy_desk import Policies
    from shiprider.model.rules import Home
    from shiprider.ports.policy import Policy


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
            ledger.check_others(open_partners(ledger, settings).check_of)
            settle(ledger, keys, wall_us)
            access_log = open_access_log(folder, settings, KeySigner(keys, wall_us), keys.check)
            choices = settings.watch
            budget = Budget(per_watch=choices.alerts_per_watch)
            watch_us = round(choices.watch_hours * HOUR_US)
            pieces = folds(choices.presets, beside(folder, choices.user_presets))
            base = given_world(
                anchorages=beside(folder, choices.anchorages), receivers=beside(folder, choices.receivers)
            )
            given = partial(with_orders, base, ledger)
            world = DailyWorld(given(), history(lake))
            writer = lake.writer(STREAM, TABLES)
            fixed = spool_pieces(spool, ledger, lake, writer)
            stores = Stores(
                folder=folder,
                spool=spool,
                lake=lake,
                ledger=ledger,
                ingest_writer=writer,
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
                    labelling=Labelling(spool.sources, heard_in(lake), partial(order_label, ledger)),
                ),
                shelf=StateShelf(folder / "state" / "folds", fold_version(pieces)),
                seals=fixed.seals,
                pieces=fixed,
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


def rebuild_lake(opened: OpenNode, progress: Callable[[int, int], None]) -> int:
    """Fill the (empty) lake from the spool; the position reached."""
    from shiprider.flow.rebuild import rebuild

    return rebuild(opened.spool, opened.lake, opened.node.stores.decoding(), progress=progress)
