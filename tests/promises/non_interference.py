"""Two nodes whose states differ only in what one observer may not see, and everything he can ask of them.

`Pair` holds both: a visible step happens on both nodes, a hidden one on the second alone. The lake and the spool
are lists in memory; the ledger, the policy engine, the view, the review and the API's handlers are the real ones.
"""

import atexit
import functools
import hashlib
import inspect
import random
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa

from promises import working_together
from promises.door import Door, request_of
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.api.failures import on_ours
from shiprider.api.live import Follower, LiveClient, LiveView
from shiprider.api.rendering import Rendering
from shiprider.api.routes import alerts, labels, logbook, node, orders, session, tear_lines, vessels
from shiprider.api.schemas import desk as sd
from shiprider.api.schemas.alerts import Decide, Dismiss
from shiprider.api.schemas.notes import NoteNew
from shiprider.api.working_rendering import WorkingRendering
from shiprider.detect.ranking import Budget
from shiprider.flow import terms
from shiprider.flow.desk import Desk
from shiprider.flow.desk_steps import DeskSteps
from shiprider.flow.evidence import Sources, export
from shiprider.flow.evidence import recorded as recorded_export
from shiprider.flow.evidence_scope import RawRow
from shiprider.flow.exchange.dispatching import Dispatching
from shiprider.flow.exchange.liaison import Liaison
from shiprider.flow.exchange.partners import Partners
from shiprider.flow.numbers import Numbers
from shiprider.flow.pictures import Pictures
from shiprider.flow.policy_desk import Policies, PolicyDesk
from shiprider.flow.relabelling import Relabellings
from shiprider.flow.review import PREFERENCES_ID, Review
from shiprider.flow.sight import Sight
from shiprider.flow.status import FeedState, NodeStatus, Notice
from shiprider.flow.tear_lines import TearLines
from shiprider.flow.view import View
from shiprider.measure.clock import DAY_US, HOUR_US
from shiprider.model.agreement import Agreement, Party, SharingClause, Standing, book
from shiprider.model.alert import Alert
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.disposition import Disposition
from shiprider.model.errors import NotFound, ShipriderError
from shiprider.model.evidence import EvidenceExport
from shiprider.model.finding import Evidence, Finding
from shiprider.model.handover import Handover, Summary
from shiprider.model.label import number_of, written
from shiprider.model.note import Note
from shiprider.model.observer import Observer
from shiprider.model.orders import LegalHold, Preferences, WatchedArea, Watchlist, WatchlistEntry
from shiprider.model.proposals import Relabelling, TearLineProposal
from shiprider.model.publication import Publication
from shiprider.model.record import Draft, Record
from shiprider.model.rules import Home, Rules
from shiprider.model.spool_seal import SpoolSeal
from shiprider.model.tables import TABLES
from shiprider.model.tear_line import DropSource
from shiprider.model.watch_log import LogLine
from shiprider.observe.exposure import ReceptionCounter, merged
from shiprider.ports.feed import Declaration, Origin
from shiprider.ports.ledger import Filed, Query
from shiprider.ports.spool import Source, Stored
from shiprider.ports.vouching import SignedRoot
from shiprider.share.release import AUDITED

T0 = 1_790_000_000_000_000 // DAY_US * DAY_US
SHARED = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA").text
OTHER = written("policy=COALITION class=UNCLASSIFIED rel=nations:COL,USA,HND").text
SECRET = written("policy=COALITION class=SECRET rel=nations:COL").text
PLANNED = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA purpose=planning").text
BROKEN = "shiprider-label-9|from a later release"
#: May be read abroad, and not passed on from there.
HELD = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA caveats=ORCON").text
HOME = Home(node="col", nation="COL")
WORLD = (-180.0, -90.0, 180.0, 90.0)


@dataclass(frozen=True)
class Person:
    """An observer, and classes (label, purpose, case) that he may and may not see."""

    observer: Observer
    visible: tuple[tuple[str, str, str], ...]
    hidden: tuple[tuple[str, str, str], ...]


_ROLES = ("watch_officer", "intelligence_analyst", "legal_adviser")
PEOPLE = {
    "a guest of another nation": Person(
        Observer(name="Ann", nation="USA", clearance="RESTRICTED", purpose="watch", roles=_ROLES),
        ((SHARED, "", ""), (OTHER, "", ""), (SHARED, "watch", ""), (HELD, "", "")),
        (("", "", ""), (SECRET, "", ""), (SHARED, "", "K-1"), (SHARED, "planning", ""), (PLANNED, "", ""), (BROKEN, "", "")),
    ),
    "one of the node's own, not cleared": Person(
        Observer(name="Luz", nation="COL", clearance="RESTRICTED", purpose="watch", cases=("K-2",), roles=_ROLES),
        (("", "", ""), (SHARED, "", ""), (OTHER, "", ""), ("", "", "K-2")),
        ((SECRET, "", ""), ("", "", "K-1"), (SHARED, "planning", ""), (PLANNED, "", ""), (BROKEN, "", "")),
    ),
}  # fmt: skip


def rules() -> Rules:
    holds = (Standing(from_us=0, status="in_force"),)
    parties = (
        Party(name="col", nation="COL", standings=holds),
        Party(name="usa", nation="USA", standings=holds),
    )
    third = Party(name="hnd", nation="HND", standings=holds)
    clause = SharingClause(
        id="all",
        shared_by=("col", "hnd"),
        shared_with=("usa", "col"),
        kinds=("*",),
        purposes=("*",),
        highest="SECRET",
    )
    agreement = Agreement(
        id="accord", title="Accord", from_us=0, parties=(*parties, third), sharing=(clause,)
    )
    return Rules("col", (HOME, Home(node="hnd", nation="HND")), book([agreement]))


#: One engine for all nodes: it depends on the rules alone, and keeps its answers.
ENGINE = CedarPolicy(rules())


class Remembering:
    """A ledger that is not asked the same twice while nothing is appended: one look asks many things of one state."""

    _READ = frozenset(
        {"classes", "class_counts", "latest", "latest_of", "of_kind", "find", "count", "history", "revisions_of",
         "since", "head"}
    )  # fmt: skip

    def __init__(self, ledger: SqliteLedger) -> None:
        self._ledger = ledger
        self._told: dict[object, Any] = {}

    def append(self, drafts: Any) -> Any:
        self._told.clear()
        return self._ledger.append(drafts)

    def erase(self, *args: Any, **given: Any) -> Any:
        self._told.clear()
        return self._ledger.erase(*args, **given)

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._ledger, name)
        if name not in self._READ:
            return real

        def remembered(*args: Any, **given: Any) -> Any:
            key = (name, _frozen(args), _frozen(tuple(given.items())))
            if key not in self._told:
                try:
                    self._told[key] = (real(*args, **given), None)
                except NotFound as error:
                    self._told[key] = (None, error)
            answer, error = self._told[key]
            if error is not None:
                raise error
            return answer.copy() if isinstance(answer, list | dict) else answer

        return remembered


def _frozen(given: Any) -> Any:
    return tuple(_frozen(each) for each in given) if isinstance(given, list | tuple) else given


class MemoryLake:
    """`ports.lake.Lake`, as far as a view reads it."""

    def __init__(self) -> None:
        self.rows: dict[str, list[pa.Table]] = {name: [] for name in TABLES}
        self._counter, self._counted = ReceptionCounter(), 0
        self._together: dict[str, pl.DataFrame] = {}

    def add(self, table: str, rows: pa.Table) -> None:
        self.rows[table].append(rows)
        self._together.clear()

    def scan(
        self, table: str, columns: Sequence[str] | None = None, *, start_us: int | None = None,
        end_us: int | None = None, claimed_ids: Sequence[int] | None = None, known_us: int | None = None,
        raw_start: int | None = None, raw_end: int | None = None, days: Sequence[date] | None = None,
    ) -> pl.LazyFrame:  # fmt: skip
        if table not in self._together:
            if table == "reception":
                parts = [self._reception()]
            else:
                parts = self.rows[table] or [TABLES[table].empty_table()]
            self._together[table] = pl.DataFrame(pa.concat_tables(parts))
        frame = self._together[table].lazy()
        time = "received" if table == "quarantine" else "time"
        if start_us is not None:
            frame = frame.filter(pl.col(time).dt.timestamp("us") >= start_us)
        if end_us is not None:
            frame = frame.filter(pl.col(time).dt.timestamp("us") < end_us)
        if known_us is not None:
            frame = frame.filter(pl.col("received").dt.timestamp("us") <= known_us)
        if claimed_ids is not None:
            frame = frame.filter(pl.col("claimed_id").is_in(list(claimed_ids)))
        if raw_start is not None:
            frame = frame.filter(pl.col("raw") >= raw_start)
        if raw_end is not None:
            frame = frame.filter(pl.col("raw") < raw_end)
        if days is not None:
            frame = frame.filter(pl.col("day").is_in(list(days)))
        return frame if columns is None else frame.select(columns)

    def _reception(self) -> pa.Table:
        """As the node counts it, now and then: over the observations of all feeds."""
        new = self.rows["observations"][self._counted :]
        if new:
            self._counter.count(pa.concat_tables(new).sort_by("raw"))
            self.rows["reception"].append(self._counter.drain())
            self._counted += len(new)
        kept = self.rows["reception"]
        return merged(kept) if kept else TABLES["reception"].empty_table()


class MemorySpool:
    """`ports.spool.Spool`, as far as a view reads it."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self.stored: list[tuple[Stored, bytes]] = []

    def sources(self) -> Sequence[Source]:
        return list(self._sources)

    def source(self, feed: str, label: str) -> Source:
        for each in self._sources:
            if (each.declaration.name, each.declaration.label) == (feed, label):
                return each
        made = Source(
            len(self._sources), Declaration(name=feed, standard="x", label=label), Origin(file=feed)
        )
        self._sources.append(made)
        return made

    def put(self, source: int, raw: int, data: bytes, received_us: int) -> None:
        self.stored.append((Stored(raw, len(data), source, 0, received_us, False, False), data))

    def locate(self, raw: int) -> Stored:
        for each, _ in self.stored:
            if each.raw <= raw < each.end:
                return each
        raise NotFound(f"Nothing is held at {raw}: it was removed.")

    def segments(self) -> Sequence[Any]:
        return ()

    def read(self, raw: int, length: int) -> bytes:
        found = b""
        while length > 0:
            stored = self.locate(raw)
            data = next(data for each, data in self.stored if each is stored)
            part = data[raw - stored.raw :][:length]
            found, raw, length = found + part, raw + len(part), length - len(part)
        return found


class Node:
    """One of the two."""

    def __init__(self, folder: Path, clock: Callable[[], int]) -> None:
        self.ledger: Any = Remembering(SqliteLedger(folder / "ledger.sqlite", origin="col", clock=clock))
        self.lake: Any = MemoryLake()
        self.spool: Any = MemorySpool()
        self.pictures = Pictures()
        self.sight = Sight(lambda: ENGINE, self.ledger, node="col", sources=self.spool.sources, clock=clock)
        self.numbers = Numbers(self.ledger, self.lake, Budget(per_watch=2, share_of_one=1.0), 8 * HOUR_US)
        self.clock = clock
        self.minted = 0
        self.feeds: dict[tuple[str, str], int] = {}
        self.counted: Counter[int] = Counter()
        self.review = Review(self.ledger, clock, self.new_id)
        self.desk = self._desk()
        #: Answers that still stand, by channel and question.
        self.kept: dict[tuple[str, object], tuple[Any, bytes]] = {}

    def new_id(self) -> str:
        self.minted += 1
        return f"{self.minted:016x}{self.clock():016x}"

    def view(self, observer: Observer) -> View:
        return View(observer, self.ledger, self.lake, self.pictures, self.sight, self.numbers, self.spool)

    def _desk(self) -> Desk:
        steps = DeskSteps(
            ledger=self.ledger, node="col", clock=self.clock, policy=lambda: ENGINE, log=lambda _: None
        )
        policies = Policies(self.ledger, "col", "", rules(), lambda _: ENGINE)
        nothing: Any = None
        return Desk(
            steps=steps,
            policies=policies,
            policy=PolicyDesk(steps, policies, lambda: ()),
            tear_lines=TearLines(steps, bytes(32), bytes),
            labels=Relabellings(steps),
            keys=nothing,
            liaison=Liaison(
                steps,
                Partners(self.ledger, node="col", clock=self.clock, verify=lambda *_: False),
                Dispatching(self.ledger, self.sight, nothing, node="col", clock=self.clock),
                own=lambda: nothing,
                links=tuple,
                verify=lambda *_: False,
            ),
        )

    def row_of(self, raw: int) -> RawRow | None:
        rows = self.lake.scan(
            "observations", ["raw", "raw_length", "label_id"], raw_start=raw, raw_end=raw + 1
        )
        found = rows.head(1).collect()
        if not found.height:
            return None
        return RawRow("observations", int(found["label_id"][0] or 0), int(found["raw_length"][0] or 0))

    def status(self) -> NodeStatus:
        feeds = tuple(
            FeedState(name=name, kind="x", condition="live", label=label, messages=count, wall=True)
            for (name, label), count in self.feeds.items()
        )
        notices = tuple(Notice(f"{name} is late.", label) for name, label in self.feeds)
        return NodeStatus(feeds=feeds, observations=dict(self.counted), notices=notices)

    def close(self) -> None:
        self.ledger.close()


def _table(name: str, n: int, /, **given: Any) -> pa.Table:
    schema = TABLES[name]
    columns = []
    for each in schema:
        values = given.get(each.name)
        made = pa.nulls(n, each.type) if values is None else pa.array(values)
        if values is not None and pa.types.is_timestamp(each.type):
            made = made.cast(pa.int64())
        if values is not None and pa.types.is_date32(each.type):
            made = made.cast(pa.int32())
        columns.append(made.cast(each.type))
    return pa.table(columns, schema=schema)


VESSELS = tuple(235_000_000 + n for n in range(6))
KINDS = (
    "finding",
    "alert",
    "alert",
    "disposition",
    "note",
    "watch_log",
    "handover",
    "watchlist",
    "area",
    "legal_hold",
    "setting",
    "relabelling",
    "tear_line_proposal",
)


@dataclass
class Pair:
    """Both nodes and the observer. Every draw comes from `draw`, which gives 0 <= n < most."""

    name: str
    draw: Callable[[int], int]
    folder: Any = field(default_factory=lambda: tempfile.TemporaryDirectory(dir=_fast()))
    now_us: int = T0
    step: int = 0
    ids: list[tuple[str, str]] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    gapped: set[str] = field(default_factory=set)
    #: The alert that each disposition is about: it stays so.
    _decided: dict[str, str] = field(default_factory=dict)
    looks: int = 0
    kinds: Sequence[str] = KINDS
    #: Whether records of a partner come in, and are taken back.
    working: bool = False
    foreign: set[str] = field(default_factory=set)
    delay_us: int = 0

    def __post_init__(self) -> None:
        self.person = PEOPLE[self.name]
        root = Path(self.folder.name)
        for name in "ab":
            shutil.copytree(_empty_ledger(), root / name)
        self.nodes = tuple(Node(root / name, lambda: self.now_us) for name in "ab")

    def close(self) -> None:
        for each in self.nodes:
            each.close()
        self.folder.cleanup()

    # -- what happens ---------------------------------------------------------------------------------

    def happen(self, hidden: bool, *, clock: bool = True) -> None:
        """One step of the world: on both nodes, or hidden on the second alone; `clock`: a second later."""
        self.step += 1
        if clock:
            self.now_us += 1_000_000
        for each in self.nodes[1:] if hidden and not clock else self.nodes:
            each.kept.clear()
        classes = self.person.hidden if hidden else self.person.visible
        label, purpose, case = classes[self.draw(len(classes))]
        nodes = self.nodes[1:] if hidden else self.nodes
        what = self.draw(8)
        if self.working and what >= 6:
            working_together.goes(self, nodes, hidden)
        elif what < 5 or self.working:
            self.record(nodes, hidden, label, purpose, case)
        elif what < 7:
            labels = [each for each, p, c in classes if not p and not c]
            self.frames(nodes, hidden, labels[self.draw(len(labels))])
        else:
            self.decided(nodes, label, purpose, case)

    def record(self, nodes: Any, hidden: bool, label: str, purpose: str, case: str, kind: str = "") -> None:
        # Exports and seals take turns: two kinds more among the hidden ones, so that the others stay as frequent.
        # What was sent to partners and taken back from them is shown with what it is about, so it is none of these.
        audited = ("browsing_alarm", ("evidence_export", "spool_seal")[self.step % 2])
        kinds = (*self.kinds, *(audited if hidden else ()))
        kind = kind or kinds[self.draw(len(kinds))]
        if kind in AUDITED:
            # Hidden by what it is: under a label that he sees as under any other.
            classes = (*self.person.visible, *self.person.hidden)
            label, purpose, case = classes[self.draw(len(classes))]
        old = [id_ for id_, of in self.ids if of == kind]
        if kind == "setting":
            id_ = PREFERENCES_ID
        elif old and self.draw(2) == 0:
            id_ = old[-1 - self.draw(min(len(old), 3))]
        else:
            id_ = f"{self.step:08x}{7:024x}"
            self.ids.append((id_, kind))
        body, filed = self.body(kind, id_, case)
        if kind == "partner":
            id_ = working_together.partner_record_id(body)
            self.ids[-1:] = [(id_, kind)] if self.ids[-1][1] == kind else [self.ids[-1]]
        if id_ in self.foreign and not label:
            # Nothing without a label goes from node to node.
            return
        if hidden:
            self.touched.add(id_)
        elif id_ in self.touched:
            self.gapped.add(id_)
        if self.working and working_together.may_come_in(kind, label) and self._is_foreign(id_, old):
            self.foreign.add(id_)
            self.delay_us = self.draw(3) * 600_000_000
            draft = Draft(
                id=id_, kind=kind, expected_revision=0, schema=1, author="Eva", valid_from_us=self.now_us - HOUR_US,
                valid_to_us=self.now_us, label=label, purpose=purpose, case=case, body=msgspec.json.encode(body),
            )  # fmt: skip
            working_together.comes_in(self, nodes, draft, filed)
            return
        for each in nodes:
            known = each.ledger.revisions_of([id_]).get(id_, [0])
            draft = Draft(
                id=id_,
                kind=kind,
                expected_revision=known[-1],
                schema=1,
                author="Ana",
                valid_from_us=self.now_us - HOUR_US,
                valid_to_us=self.now_us,
                label=label,
                purpose=purpose,
                case=case,
                body=msgspec.json.encode(body),
            )
            each.ledger.append([Filed(draft=draft, terms=filed)])

    def _is_foreign(self, id_: str, known: list[str]) -> bool:
        """Whether it is the partner's, for good; of a new one that is drawn."""
        return id_ in self.foreign or (id_ not in known and bool(self.draw(2)))

    def is_gapped(self, finding: str) -> bool:
        """Whether of what an export of the finding holds something has a hidden revision before one that he sees."""
        view = self.nodes[0].view(self.person.observer)
        found = view.ledger.find(Query("alert", ((f"finding:{finding}",),), allowed=view.allowed))
        about = [record.id for record in found]
        for alert in tuple(about):
            asked = Query("disposition", ((f"alert:{alert}",),), allowed=view.allowed)
            about += [record.id for record in view.ledger.find(asked)]
        return not self.gapped.isdisjoint({finding, *about})

    def link(self, kind: str) -> str:
        """The id of some record, hidden ones too, or of none at all."""
        known = [id_ for id_, of in self.ids if of == kind]
        return known[self.draw(len(known))] if known and self.draw(8) else f"{5:032x}"

    def body(self, kind: str, id_: str, case: str) -> tuple[Any, tuple[str, ...]]:
        made = working_together.body(self, kind, case)
        if made is not None:
            return made, working_together.filed(made)
        draw, text = self.draw, f"t{self.step}"
        mmsi = VESSELS[draw(len(VESSELS))]
        if kind == "finding":
            finding = Finding(
                behaviour=("gap", "loitering")[draw(2)],
                preset="p",
                participants=(mmsi,),
                start_us=self.now_us - HOUR_US,
                end_us=self.now_us,
                latitude_deg=1.0,
                longitude_deg=2.0,
                score=0.1 + draw(8) / 10,
                reason_key="none",
                facts={},
                evidence=(
                    Evidence(
                        track=mmsi * 16,
                        claimed_id=mmsi,
                        start_us=T0,
                        end_us=T0 + 1,
                        raws=tuple(sorted({10_000 * draw(self.step + 1) + 40 * draw(3) for _ in range(3)})),
                    ),
                ),
                state=("open", "closed", "retracted")[draw(3)],
            )
            made = Publication(
                finding=finding,
                split_from=self.link("finding") if draw(2) else "",
                merged_into=self.link("finding") if draw(3) == 0 else "",
            )
            return made, terms.of_finding(made)
        if kind == "alert":
            links = tuple(dict.fromkeys(self.link("finding") for _ in range(1 + draw(2))))
            state: Any = ("new", "new", "new", "taken", "dismissed", "merged")[draw(6)]
            score = round(0.1 + draw(80) / 100, 2)
            alert = Alert(
                finding=links[0],
                finding_revision=1,
                findings=links,
                behaviours=("gap",),
                watch_us=self.now_us // (8 * HOUR_US) * 8 * HOUR_US,
                state=state,
                event="raised",
                behaviour="gap",
                preset="p",
                subtype="",
                participants=(mmsi,),
                start_us=self.now_us - HOUR_US,
                end_us=self.now_us,
                latitude_deg=1.0,
                longitude_deg=2.0,
                score=score,
                probability=score,
                model="prior",
                raised_us=self.now_us,
                simulated=False,
                merged_into=self.link("alert") if state == "merged" else "",
            )
            return alert, terms.of_alert(alert)
        if kind == "disposition":
            about = self._decided.get(id_) or self._decided.setdefault(id_, self.link("alert"))
            decided = self.disposition(about)
            return decided, (f"alert:{decided.alert}",)
        if kind == "note":
            about = ("vessel", "alert", "finding", "area")[draw(4)]
            subject = str(mmsi) if about == "vessel" else self.link(about)
            return Note(subject_kind=about, subject=subject, text=text), (f"{about}:{subject}",)
        if kind == "watch_log":
            return LogLine(text=text, source="decision", step="taken", alert=self.link("alert")), ()
        if kind == "handover":
            summary = Summary(
                from_us=T0,
                to_us=self.now_us - draw(5),
                open_alerts=(),
                log=(),
                taken=0,
                dismissed=0,
                escalated=0,
                merged=0,
                retracted=0,
                ledger_sequence=1,
                ledger_head="0" * 64,
            )
            return Handover(summary=summary, digest="0" * 64, relieved_by="Luis", text=text), ()
        if kind == "watchlist":
            return Watchlist(name=text, entries=(WatchlistEntry(mmsi=mmsi),)), ()
        if kind == "area":
            return WatchedArea(name=text, ring=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.0))), ()
        if kind == "relabelling":
            asked = Relabelling(
                subject=self.link("alert"), subject_kind="alert", subject_revision=1, was=SHARED, to=OTHER, why=text,
                state=("proposed", "done")[draw(2)], proposed_by="Ana",
            )  # type: ignore[arg-type]  # fmt: skip
            return asked, ()
        if kind == "tear_line_proposal":
            torn = TearLineProposal(
                original=self.link("finding"), original_kind="finding", original_revision=1, rules=(DropSource(),),
                recipient="HND", to=OTHER, why=text, state="proposed", proposed_by="Ana",
            )  # fmt: skip
            return torn, ()
        if kind == "browsing_alarm":
            alarm = BrowsingAlarm(
                who="Ann", role="", sign="burst", from_us=T0, to_us=T0, sequence=1, count=30, usual=3.0, limit=9.0
            )  # fmt: skip
            return alarm, ("who:Ann", "sign:burst")
        if kind == "evidence_export":
            taken = EvidenceExport(
                finding=self.link("finding"), package_sha256="0" * 64, records=1, observations=1, missing=0, reason=text
            )  # fmt: skip
            return taken, ()
        if kind == "spool_seal":
            return SpoolSeal(
                segment=1 + draw(3),
                length=1 + draw(9),
                sha256=f"{draw(9):064x}",
                index_sha256="",
                sources=1,
                sources_sha256="",
            ), ()
        if kind == "legal_hold":
            return LegalHold(reason=text, mmsi=(mmsi,)), ()
        return Preferences(), ()

    def disposition(self, alert: str) -> Disposition:
        score = round(self.draw(100) / 100, 2)
        outcome: Any = ("confirmed", "dismissed")[self.draw(2)]
        return Disposition(
            alert=alert,
            finding="f",
            finding_revision=1,
            behaviour="gap",
            preset="p",
            subtype="",
            score=score,
            probability=score,
            outcome=outcome,
            simulated=False,
        )

    def decided(self, nodes: Any, label: str, purpose: str, case: str) -> None:
        """As many decisions as teach a model."""
        drafts = []
        for n in range(20):
            body = msgspec.json.encode(self.disposition(f"{self.step:08x}{n:08x}{6:016x}"))
            drafts.append(
                Draft(
                    id=f"{self.step:08x}{n:08x}{9:016x}",
                    kind="disposition",
                    expected_revision=0,
                    schema=1,
                    author="Ana",
                    valid_from_us=self.now_us,
                    label=label,
                    purpose=purpose,
                    case=case,
                    body=body,
                )
            )
        for each in nodes:
            each.ledger.append(drafts)

    def frames(self, nodes: Any, hidden: bool, label: str) -> None:
        """Some minutes of a feed: positions, what vessels say, lines that nobody can read."""
        draw, n = self.draw, 3
        feed = ("coast", "satellite")[draw(2)]
        mmsi = [VESSELS[draw(len(VESSELS))] for _ in range(n)]
        raw = [self.step * 10_000 + 40 * k for k in range(n)]
        time = [self.now_us + draw(60) * 1_000_000 for _ in range(n)]
        place = {
            "latitude_deg": [10.0 + draw(5) for _ in range(n)],
            "longitude_deg": [-75.0 + draw(5) for _ in range(n)],
        }
        common: dict[str, Any] = {
            "time": time, "received": [each + 1 for each in time], "claimed_id": mmsi, "raw": raw,
            "label_id": [number_of(label)] * n, "nature": [draw(2) * 3] * n, "flaws": [0] * n,
            "receiver_kind": [1 + draw(2)] * n, "transmitter_class": [1] * n, "day": [each // DAY_US for each in time],
            "speed_mps": [float(draw(9)) for _ in range(n)], **place,
        }  # fmt: skip
        said = {k: v for k, v in common.items() if k not in ("latitude_deg", "longitude_deg", "speed_mps")}
        about = {"feed": [feed] * n, "raw_length": [40] * n}
        earlier = [raw[0] - 10_000 * draw(3)] + [None] * (n - 1)
        rows = {
            "observations": _table("observations", n, **common, **about, duplicate_of=earlier),
            "track_points": _table("track_points", n, **common, track=[each * 16 for each in mmsi]),
        }
        if draw(2):
            rows["statements"] = _table(
                "statements",
                n,
                **said,
                **about,
                name=[f"NAME {draw(9)}"] * n,
                imo=[9074729] * n,
                ship_type=[30 + draw(50)] * n,
            )
        if draw(2):
            rows["quarantine"] = _table(
                "quarantine",
                1,
                received=[self.now_us],
                feed=[feed],
                file=[feed],
                raw=[raw[0]],
                raw_length=[40],
                reason=[f"reason {draw(3)}"],
                excerpt=[f"x{self.step}"],
                day=[self.now_us // DAY_US],
            )
        for each in nodes:
            source = each.spool.source(feed, label)
            each.spool.put(
                source.number, raw[0], f"line of {self.step}\r\n".encode().ljust(10_000, b"."), self.now_us
            )
            for name, table in rows.items():
                each.lake.add(name, table)
            each.pictures.take_points(rows["track_points"])
            if "statements" in rows:
                each.pictures.take_statements(rows["statements"])
            each.feeds[(feed, label)] = each.feeds.get((feed, label), 0) + n
            each.counted[number_of(label)] += n

    # -- what he asks ---------------------------------------------------------------------------------

    def differences(
        self,
        counted: Counter[str] | None = None,
        *,
        over_the_wire: bool = False,
        most: int = 6,
        enough: frozenset[str] = frozenset(),
    ) -> list[str]:
        """The channels whose bytes differ between the two nodes.

        `most` records of a kind are asked for; what is `enough` is not asked for any more.
        """
        self.looks += 1
        first, second = (Asking(each, self, over_the_wire, most, enough).everything() for each in self.nodes)
        if counted is not None:
            counted.update(name.split(" ")[0] for name in first)
        names = list(dict.fromkeys([*first, *second]))
        return [name for name in names if first.get(name) != second.get(name)]

    def decide(self, *, over_the_wire: bool = False) -> list[str]:
        """The observer changes something on both; what he is answered must be the same.

        Not on what was changed where he does not see it: docs/sharing.md and decision 0008 say what he learns then.
        """
        self.step += 1
        self.now_us += 1_000_000
        whole = [(id_, kind) for id_, kind in self.ids if id_ not in self.touched]
        ids = [id_ for id_, kind in whole if kind == "alert"] + [
            id_ for id_, kind in self.ids if kind == "alert" and not self._seen(id_)
        ]
        id_ = ids[self.draw(len(ids))] if ids else f"{5:032x}"
        what = self.draw(7 if self.working else 5)
        answers = []
        for each in self.nodes:
            each.minted = self.step * 1000
            answers.append(Asking(each, self, over_the_wire).change(what, id_))
            each.kept.clear()
        return [f"change {what}"] if answers[0] != answers[1] else []

    def _seen(self, id_: str) -> bool:
        return bool(self.nodes[1].view(self.person.observer).there([id_]))


@functools.cache
def _empty_ledger() -> str:
    """A folder with a ledger that is migrated and empty: copied, it opens three times faster than it is made."""
    folder = tempfile.mkdtemp(dir=_fast())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    SqliteLedger(Path(folder) / "ledger.sqlite", origin="col", clock=lambda: T0).close()
    return folder


def _fast() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


@functools.cache
def _door(name: str) -> Door:
    """The person's, for all pairs."""
    return Door(PEOPLE[name].observer, HOME, lambda: T0)


class _Sealer:
    """The same seal on both nodes: a signature would only repeat what it is over."""

    def sign(self, message: bytes) -> tuple[str, bytes]:
        return "0" * 32, hashlib.sha256(message).digest()


class _Placed:
    """The ledger of an export, each record at its place among those that the observer sees.

    A proof of inclusion names its place in the whole log, and how long that is: decision 0008 says so.
    """

    def __init__(self, view: View) -> None:
        self._ledger = view.ledger
        self.origin = view.ledger.origin
        self.classes = view.ledger.classes
        seen = view.ledger.since(0, limit=100_000, allowed=view.allowed)
        self._place = {record.sequence: at for at, record in enumerate(seen, 1)}

    def _placed(self, records: Sequence[Record]) -> list[Record]:
        return [msgspec.structs.replace(each, sequence=self._place.get(each.sequence, 0)) for each in records]

    def history(self, record_id: str, *, allowed: Any) -> list[Record]:
        return self._placed(self._ledger.history(record_id, allowed=allowed))

    def find(self, query: Any) -> list[Record]:
        return self._placed(self._ledger.find(query))

    # -- what vouches for it, without the places

    def root(self, size: int) -> SignedRoot:
        return SignedRoot(
            origin="col", size=size, root="0" * 64, link="", first_signed=1, recorded_us=T0, key_id="", signature=""
        )  # fmt: skip

    def path(self, sequence: int, root: SignedRoot) -> list[str]:
        return []

    def signing_keys(self) -> list[Any]:
        return []

    def witnesses(self) -> list[Any]:
        return []

    def since(self) -> int:
        return T0


@functools.cache
def _wanted(route: Any) -> frozenset[str]:
    return frozenset(inspect.signature(route.fn).parameters)


class Asking:
    """One observer at one node: every channel, each with all that is answered.

    The handlers are asked one by one, or over the wire: then what is compared is status, every header and body.
    """

    def __init__(
        self,
        of: Node,
        pair: Pair,
        over_the_wire: bool = False,
        most: int = 6,
        enough: frozenset[str] = frozenset(),
    ) -> None:
        self.node, self.pair, self.over_the_wire, self.most, self.enough = (
            of,
            pair,
            over_the_wire,
            most,
            enough,
        )
        self.door = _door(pair.name)
        self.view = of.view(pair.person.observer)
        self.rendering = Rendering(self.view, "en")
        self.site: Any = SimpleNamespace(
            node="col",
            nation="COL",
            version="1",
            language="en",
            clock=of.clock,
            status=of.status,
            demo=False,
            view=of.view,
            review=of.review,
            access=self.door.access,
            desk=of.desk,
        )
        self.found: dict[str, bytes] = {}

    def ask(self, channel: str, key: object, work: Callable[[], tuple[Any, bytes]]) -> Any:
        """An answer, or that which was given before and still stands: nothing happened that this node knows of."""
        if channel.partition(" ")[0] in self.enough:
            return None
        if (channel, key) not in self.node.kept:
            self.node.kept[channel, key] = work()
        answer, self.found[channel] = self.node.kept[channel, key]
        return answer

    def direct(self, handler: Any, given: dict[str, Any]) -> tuple[Any, bytes]:
        """A route's own handler, its answer or its error as it goes over the wire."""
        try:
            answer = handler(**given)
        except ShipriderError as error:
            failure: Any = on_ours(None, error)  # type: ignore[arg-type]
            return None, f"{failure.status_code} ".encode() + msgspec.json.encode(failure.content)
        return answer, b"200 " + msgspec.json.encode(answer, enc_hook=lambda each: each.item())

    def wired(self, route: Any, given: dict[str, Any]) -> tuple[Any, bytes]:
        """The same over ASGI."""
        told = self.door.ask(self.site, *request_of(route, given))
        head, _, body = told.partition(b"\n\n")
        answer = msgspec.json.decode(body) if head.startswith(b"200") else {}
        return SimpleNamespace(next_cursor=answer.get("next_cursor", "")), told

    def route(self, channel: str, route: Any, **given: Any) -> Any:
        key = (route.fn.__name__, repr(given))
        if self.over_the_wire:
            return self.ask(channel, ("wire", key), lambda: self.wired(route, given))
        hands = {
            "rendering": self.rendering, "site": self.site, "asker": self.door.asker,
            "telling": WorkingRendering(self.rendering, "en"),
        }  # fmt: skip
        wanted = _wanted(route)
        handed = {name: each for name, each in hands.items() if name in wanted}
        return self.ask(channel, key, lambda: self.direct(route.fn, {**handed, **given}))

    def everything(self) -> dict[str, bytes]:
        known = self.pair.ids
        newest = {
            kind: self._some([id_ for id_, of in known if of == kind][-6:])
            for kind in ("alert", "finding", "area", "request")
        }
        self._alerts(newest)
        self._logbook(newest)
        self._frames()
        self._orders()
        working_together.ask(self, newest)
        self._desk(newest)
        self._exports(newest["finding"])
        self._live()
        self.route("status", session.get_status)
        return self.found

    def _some(self, ids: list[str]) -> list[str]:
        """At most so many of them, others from look to look."""
        start = self.pair.looks % max(len(ids), 1)
        return [*ids[start:], *ids[:start]][: self.most]

    def _alerts(self, newest: dict[str, list[str]]) -> None:
        every: dict[str, Any] = {"states": "new,taken,dismissed,escalated,merged"}
        for sort in ("rank", "newest"):
            self.route(f"alerts {sort}", alerts.list_alerts, **every, sort=sort)
        page = self.route("cursor alerts begin", alerts.list_alerts, **every, limit=1)
        if page is not None and page.next_cursor:
            self.route("cursor alerts", alerts.list_alerts, **every, limit=1, cursor=page.next_cursor)
        self.route("facet behaviour", alerts.list_alerts, behaviour="gap", mmsi=VESSELS[0])
        self.route("facet state", alerts.list_findings, finding_state="open")
        for id_ in (*newest["alert"], f"{5:032x}"):
            self.route(f"alert {id_}", alerts.get_alert, alert_id=id_)
            self.route(f"notes alert {id_}", logbook.list_notes, subject_kind="alert", subject=id_)
        for id_ in (*newest["finding"], f"{5:032x}"):
            self.route(f"finding {id_}", alerts.get_finding, finding_id=id_)
            self.route(
                f"finding {id_} then",
                alerts.get_finding,
                finding_id=id_,
                known_us=self.node.clock() - 2_000_000,
            )
            self.route(f"history {id_}", alerts.get_finding_history, finding_id=id_)
        self.route("findings", alerts.list_findings)
        page = self.route("cursor findings begin", alerts.list_findings, limit=2)
        if page is not None and page.next_cursor:
            self.route("cursor findings", alerts.list_findings, limit=2, cursor=page.next_cursor)

    def _logbook(self, newest: dict[str, list[str]]) -> None:
        self.route("log", logbook.read_watch_log)
        page = self.route("cursor log begin", logbook.read_watch_log, limit=2)
        if page is not None and page.next_cursor:
            self.route("cursor log", logbook.read_watch_log, limit=2, cursor=page.next_cursor)
        self.route("handovers", logbook.list_handovers)
        self.route("handover summary", logbook.summarise_handover, to_us=self.node.clock() - 1)
        for id_ in newest["area"][:2]:
            self.route(f"notes area {id_}", logbook.list_notes, subject_kind="area", subject=id_)
        self.route("calibration", node.get_calibration)

    def _frames(self) -> None:
        now = self.node.clock()
        for text in ("NAME", str(VESSELS[0])[:6], "9074"):
            self.route(f"search {text}", vessels.search_vessels, q=text, limit=3)
        self.route("names", vessels.get_names, mmsi=",".join(map(str, VESSELS)))
        for mmsi in VESSELS[:2]:
            self.route(f"vessel {mmsi}", vessels.get_vessel, mmsi=mmsi)
            self.route(f"tracks {mmsi}", vessels.get_tracks, mmsi=mmsi, points=2)
        for mode in ("then", "now"):
            self.route(f"picture {mode}", vessels.get_picture, time_us=now, mode=mode, limit=3)
        for step in range(max(1, self.pair.step - 3), self.pair.step + 1):
            self.route(f"observation {step}", vessels.get_observation, raw=step * 10_000)
        self.route("reception", node.get_reception, start_us=T0, end_us=T0 + DAY_US)
        self.route("quarantine", node.get_quarantine)

    def _orders(self) -> None:
        self.route("orders areas", orders.list_areas)
        self.route("orders watchlists", orders.list_watchlists)
        self.route("orders holds", orders.list_legal_holds)
        self.route("orders preferences", session.get_settings)

    def _desk(self, newest: dict[str, list[str]]) -> None:
        """What waits for a second person, and what the policy would let somebody else do."""
        self.route("desk tear-lines", tear_lines.list_proposals)
        self.route("desk relabellings", labels.list_relabellings)
        for kind in ("alert", "finding"):
            for id_ in (*newest[kind][:2], f"{5:032x}"):
                self.route(f"label {id_}", labels.get_label, kind=kind, record_id=id_)
        for id_ in newest["alert"][:1]:
            data = sd.ViewAs(kind="alert", id=id_, role="liaison_officer", nation="HND")
            self.route(f"label as {id_}", labels.view_as, data=data)

    def _exports(self, findings: list[str]) -> None:
        """Evidence of the newest findings, byte for byte."""
        for id_ in (*findings, f"{5:032x}"):
            if "export" in self.enough or self.pair.is_gapped(id_):
                # A hidden revision lies before one that he sees: the signed bytes number them (decision 0008).
                continue
            self.ask(f"export {id_}", None, functools.partial(self._export, id_))

    def _export(self, finding: str) -> tuple[Any, bytes]:
        placed: Any = _Placed(self.view)
        sources = Sources(
            node="col",
            ledger=placed,
            spool=self.node.spool,
            sight=self.node.sight,
            row_of=self.node.row_of,
            vouching=placed,
            signer=_Sealer(),
            stamper=None,
            clock=self.node.clock,
        )
        try:
            made = export(sources, finding, observer=self.pair.person.observer, reason="order 7")
        except ShipriderError as error:
            return None, f"{type(error).__name__}: {error}".encode()
        drafted = recorded_export(made, finding, by="Ann", reason="order 7", at_us=T0, record_id="0" * 32)
        return None, made.data + repr(drafted).encode()

    def _live(self) -> None:
        if self.over_the_wire:
            asked = LiveView(view=1, bbox=WORLD)
            self.ask("live wire", None, lambda: (None, b"\n".join(self.door.live(self.site, asked))))
        for name, limit in (("rows", 5000), ("cells", 1)):
            self.ask(f"live {name}", None, functools.partial(self._live_frame, limit))
        self.ask("live events", None, lambda: (None, msgspec.json.encode(self._client()._alert_events())))

    def _client(self) -> LiveClient:
        client = LiveClient(None, self.site, self.door.asker, self.door.sessions, "en")  # type: ignore[arg-type]
        client._sequence = client._worked = 0
        client._alerted, client._watched = client._marks()
        return client

    def _live_frame(self, limit: int) -> tuple[Any, bytes]:
        follower = Follower(LiveView(view=1, bbox=WORLD, limit=limit))
        return None, self._client()._frame(follower) or b"-"

    def change(self, what: int, id_: str) -> bytes:
        try:
            revision = self.view.record(id_, "alert").revision
        except NotFound:
            revision = 1
        if what < 3:
            route = (alerts.take, alerts.dismiss, alerts.undo)[what]
            data: Any = Decide(expected_revision=revision)
            if what == 1:
                data = Dismiss(expected_revision=revision, reason="known_vessel")
            given = {"alert_id": id_, "data": data}
        elif what > 4:
            route, given = working_together.change(what, id_)
        else:
            route = logbook.write_note
            about = ("alert", id_) if what == 3 else ("vessel", str(VESSELS[0]))
            given = {"data": NoteNew(subject_kind=about[0], subject=about[1], text="seen")}  # type: ignore[arg-type]
        if self.over_the_wire:
            return self.wired(route, given)[1]
        hands = {
            "review": self.node.review.seen_by(self.view),
            "written": self.node.review.seen_by(self.view).pen(),
            "telling": WorkingRendering(self.rendering, "en"),
            "rendering": self.rendering,
            "holding": self.door.asker.holding,
            "author": self.view.observer.name,
        }
        wanted = _wanted(route)
        return self.direct(route.fn, {**{n: h for n, h in hands.items() if n in wanted}, **given})[1]


def generated(name: str, seed: int, steps: int) -> Pair:
    """A pair after some random steps; of few kinds of records in every second one, so that they meet more often."""
    chance = random.Random(seed)
    kinds = KINDS if seed % 2 else chance.sample(sorted(set(KINDS)), 3)
    # Every sixth works together with a partner.
    working = seed % 6 == 5
    pair = Pair(name, chance.randrange, kinds=working_together.KINDS if working else kinds, working=working)
    for _ in range(steps):
        pair.happen(hidden=chance.random() < 0.5)
    return pair
