"""Nodes of a coalition in one process: each with its own log, keys and rules, and nothing between them but bytes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from shiprider.adapters.keys.files import FileKeys, ed25519_signed
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.flow.exchange.dispatching import Dispatching
from shiprider.flow.exchange.partners import Partners, introduce
from shiprider.flow.exchange.receiving import Receiving
from shiprider.flow.pictures import Pictures
from shiprider.flow.sight import Sight
from shiprider.flow.signing_keys import record_keys
from shiprider.flow.terms import of_body
from shiprider.flow.view import View
from shiprider.flow.working.pen import Pen, pen
from shiprider.formats.feed_bundle import encode
from shiprider.model.agreement import Agreement, Party, SharingClause, Standing, book
from shiprider.model.introduction import fingerprint
from shiprider.model.label import written
from shiprider.model.note import Note
from shiprider.model.observer import Observer
from shiprider.model.record import Draft, Record
from shiprider.model.rules import Home, Rules
from shiprider.ports.ledger import Filed

#: 2026-01-01T00:00Z.
T0 = 20_454 * 86_400_000_000
NATIONS = {"col": "COL", "usa": "USA", "nld": "NLD"}

TO_USA = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA").text
TO_BOTH = written("policy=COALITION class=RESTRICTED rel=nations:COL,NLD,USA").text
HOME_ONLY = written("policy=COALITION class=RESTRICTED rel=nations:COL").text
#: What each node keeps to itself.
KEPT_AT_HOME = {
    node: written(f"policy=COALITION class=RESTRICTED rel=nations:{nation}").text
    for node, nation in NATIONS.items()
}


def rules(node: str) -> Rules:
    """Everybody shares everything up to SECRET with everybody, as labels allow."""
    standing = (Standing(from_us=0, status="in_force"),)
    names = tuple(NATIONS)
    accord = Agreement(
        id="accord",
        title="Accord",
        from_us=0,
        parties=tuple(Party(name=n, nation=NATIONS[n], standings=standing) for n in names),
        sharing=(
            SharingClause(
                id="1", shared_by=names, shared_with=names, kinds=("*",), purposes=("*",), highest="SECRET"
            ),
        ),
    )
    homes = tuple(Home(node=n, nation=NATIONS[n]) for n in names)
    return Rules(node, homes, book([accord]))


@dataclass
class Clock:
    """The same for all nodes unless a test says otherwise."""

    now: int = T0

    def __call__(self) -> int:
        self.now += 1000
        return self.now


@dataclass
class CoalitionNode:
    """One node; `clock` in microseconds."""

    name: str
    folder: Path
    clock: Callable[[], int]
    ledger: Any = None
    keys: Any = None
    partners: Any = None
    dispatching: Any = None
    receiving: Any = None
    sight: Any = None
    count: int = field(default=0)

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        """Open its stores, as at a start."""
        self.keys = FileKeys(self.folder / "keys", clock=self.clock)
        self.ledger = SqliteLedger(
            self.folder / "l.sqlite", origin=self.name, keys=self.keys, clock=self.clock
        )
        record_keys(self.ledger, self.keys)
        policy = CedarPolicy(rules(self.name))
        self.sight = Sight(lambda: policy, self.ledger, node=self.name, sources=lambda: (), clock=self.clock)
        self.partners = Partners(self.ledger, node=self.name, clock=self.clock, verify=ed25519_signed)
        self.ledger.check_others(self.partners.check_of)
        self.dispatching = Dispatching(self.ledger, self.sight, self.keys, node=self.name, clock=self.clock)
        self.receiving = Receiving(self.ledger, self.partners, node=self.name, clock=self.clock)

    def introduction(self) -> Any:
        """Its own."""
        return introduce(
            self.keys,
            node=self.name,
            name=self.name.upper(),
            nation=NATIONS[self.name],
            organisation="",
            certificate="",
            at_us=self.clock(),
        )

    def meet(self, other: "CoalitionNode") -> None:
        """Take the other's introduction and confirm it, as two people do."""
        told = other.introduction()
        self.partners.propose(told, place="", who="Ana Ruiz")
        self.partners.confirm(
            other.name, fingerprint(told), who="Luz Paz", clearance="SECRET", purposes=("watch",)
        )

    def note(self, label: str, text: str = "seen", *, id_: str = "", revision: int = 0) -> Record:
        """A note, or the next revision of one."""
        self.count += 1
        draft = Draft(
            id=id_ or f"{NATIONS[self.name].encode().hex()}{self.count:026x}",
            kind="note",
            expected_revision=revision,
            schema=1,
            author="Ana Ruiz",
            valid_from_us=T0,
            label=label,
            body=msgspec.json.encode(Note(subject_kind="vessel", subject="211234560", text=text)),
        )
        made: Record = self.ledger.append([Filed(draft=draft, terms=("vessel:211234560",))])[0]
        return made

    def view(self, name: str = "Ana Ruiz", **more: Any) -> View:
        """What one of its own people sees; a watch officer unless it is said otherwise."""
        given: dict[str, Any] = {
            "roles": ("watch_officer",), "nation": NATIONS[self.name], "clearance": "SECRET", "purpose": "watch", **more,
        }  # fmt: skip
        nothing: Any = None
        return View(Observer(name=name, **given), self.ledger, nothing, Pictures(), self.sight, nothing)

    def pen(self, name: str = "Ana Ruiz", **more: Any) -> Pen:
        """What he writes with."""
        ids = iter(range(1 << 30))
        start = self.ledger.head().sequence
        return pen(
            self.ledger,
            self.clock,
            self.view(name, **more),
            lambda: f"{NATIONS[self.name].encode().hex()}{start:012x}{next(ids):014x}",
        )

    def record(self, kind: str, body: Any, label: str, *, id_: str = "", revision: int = 0, case: str = "", at_us: int = T0) -> Record:  # fmt: skip
        """A record of any kind."""
        self.count += 1
        draft = Draft(
            id=id_ or f"{NATIONS[self.name].encode().hex()}{self.count:026x}",
            kind=kind,
            expected_revision=revision,
            schema=1,
            author="Ana Ruiz",
            valid_from_us=at_us,
            label=label,
            case=case,
            body=msgspec.json.encode(body),
        )
        made: Record = self.ledger.append([Filed(draft=draft, terms=of_body(body))])[0]
        return made

    def send(self, other: "CoalitionNode") -> list[Any]:
        """Everything that waits for the other, delivered in order; what became of each bundle."""
        partner = self.partners.partner(other.name)[1]
        outcomes = []
        while (bundle := self.dispatching.next(partner)) is not None:
            outcomes.append(other.receiving.take(encode(bundle), self.name))
        return outcomes

    def notes_of(self, origin: str) -> list[str]:
        """Texts of another node's notes that are here."""
        found = [r for r in self.ledger.of_kind("note") if r.origin == origin and r.body is not None]
        return [msgspec.json.decode(r.body, type=Note).text for r in found]


def coalition(folder: Path, *names: str, clock: Callable[[], int]) -> list[CoalitionNode]:
    """Nodes that all know each other."""
    nodes = [CoalitionNode(name, folder / name, clock) for name in names]
    for one in nodes:
        for other in nodes:
            if one is not other:
                one.meet(other)
    return nodes
