"""Promise 6: seven simulated days of cuts, doubles, reorderings and kill -9 on either side: all is applied once, in order.

Two nodes as processes of their own over a real broker with TLS; between them a way that is cut at random, and that
drops, doubles and reorders. At the end a history checker compares what each let the other have with what the other has.
"""

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coalition import KEPT_AT_HOME, TO_USA, Clock, CoalitionNode, coalition
from shiprider.adapters.certificates.link import LinkCertificate
from shiprider.flow.bodies import FORMS, read_body

WEEK_S = 7 * 86_400.0
PROGRAM = Path(__file__).with_name("node_process.py")


class Wire:
    """A TCP proxy to the broker that can be cut: while it is, nobody comes through and nothing is answered."""

    def __init__(self, to: int) -> None:
        self._to = to
        self._server = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._server.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self.is_cut = False
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self.is_cut = True
        self.cuts += 1
        with self._lock:
            for each in self._open:
                each.close()
            self._open.clear()

    def mend(self) -> None:
        self.is_cut = False

    def close(self) -> None:
        self.cut()
        self._server.close()

    def _accept(self) -> None:
        while True:
            try:
                came, _ = self._server.accept()
            except OSError:
                return
            try:
                there = socket.create_connection(("127.0.0.1", self._to), 2)
            except OSError:
                came.close()
                continue
            with self._lock:
                if self.is_cut:
                    came.close()
                    there.close()
                    continue
                self._open |= {came, there}
            for one, other in ((came, there), (there, came)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    def _pump(self, one: socket.socket, other: socket.socket) -> None:
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        one.close()
        other.close()


class Pair:
    """Two nodes, their processes, the wire between them."""

    def __init__(self, folder: Path, seconds: float, seed: int) -> None:
        self.folder, self.seed = folder, seed
        began = time.monotonic()
        self.scale = WEEK_S / seconds
        nodes = coalition(folder, "col", "usa", clock=Clock())
        for each in nodes:
            each.ledger.close()
        pems = {}
        names = {}
        for name in ("col", "usa"):
            own = LinkCertificate(folder / name / "tls")
            pems[name], names[name] = str(own.file), own.name
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            broker = free.getsockname()[1]
        self.wire = Wire(broker)
        # The clock goes on from where the nodes were made.
        self.plans = {
            name: {
                "name": name, "other": other, "folder": str(folder / name), "other_pem": pems[other],
                "hosts": name == "col", "port": broker, "through": broker if name == "col" else self.wire.port,
                "guest_name": names["usa"], "host_name": names["col"], "began_s": began - 1.0 / self.scale,
                "scale": self.scale, "resend_s": 1.0, "bundle_bytes": 4096, "bad": True, "writes_per_s": 12.0,
            }
            for name, other in (("col", "usa"), ("usa", "col"))
        }  # fmt: skip
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.starts = 0

    def start(self, name: str, **changed: Any) -> None:
        self.starts += 1
        plan = {**self.plans[name], "seed": self.seed * 1000 + self.starts, **changed}
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(PROGRAM.parents[1]), *sys.path))}
        self.running[name] = subprocess.Popen(
            [sys.executable, str(PROGRAM), json.dumps(plan)],
            stdout=subprocess.PIPE,
            stderr=(self.folder / f"{name}.log").open("ab"),
            text=True,
            env=environment,
        )

    def kill(self, name: str) -> None:
        self.running[name].kill()
        self.running[name].wait()

    def ready(self, name: str) -> None:
        line = self.running[name].stdout.readline()  # type: ignore[union-attr]
        assert line == "ready\n", (line, (self.folder / f"{name}.log").read_text()[-2000:])

    def settle(self, within_s: float) -> None:
        """Both with nothing left to say."""
        threads = []
        said: dict[str, bool] = {}

        def wait(name: str) -> None:
            for line in self.running[name].stdout:  # type: ignore[union-attr]
                if line == "quiet\n":
                    said[name] = True
                    return

        for name in self.running:
            threads.append(threading.Thread(target=wait, args=(name,), daemon=True))
            threads[-1].start()
        until = time.monotonic() + within_s
        for each in threads:
            each.join(max(0.0, until - time.monotonic()))
        told = {name: (self.folder / f"{name}.log").read_text()[-1500:] for name in self.running}
        assert said == {"col": True, "usa": True}, told

    def close(self) -> None:
        for each in self.running.values():
            each.kill()
            each.wait()
        pid = self.folder / "col" / "bus" / "server.pid"
        if pid.exists():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid.read_text()), signal.SIGTERM)
        self.wire.close()


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Callable[..., Pair]]:
    made: list[Pair] = []

    def make(seconds: float, seed: int) -> Pair:
        made.append(Pair(tmp_path, seconds, seed))
        return made[-1]

    yield make
    for each in made:
        each.close()


def faults(giver: CoalitionNode, taker: CoalitionNode) -> list[str]:
    """The history checker: what is wrong with what `taker` has of `giver`, by both logs."""
    found: list[str] = []
    given = [r for r in giver.ledger.since(0, limit=10**6, kinds=("note",)) if r.origin == giver.name]
    taken = [r for r in taker.ledger.since(0, limit=10**6, kinds=("note",)) if r.origin == giver.name]
    place = {(r.id, r.revision): r.sequence for r in given}
    seen = [(r.id, r.revision) for r in taken]
    if len(seen) != len(set(seen)):
        found.append("something was applied twice")
    strange = [each for each in seen if each not in place]
    if strange:
        found.append(f"never written: {strange[:3]}")
    order = [place[each] for each in seen if each in place]
    if order != sorted(order):
        found.append("not in its origin's order")
    if any(r.label == KEPT_AT_HOME[giver.name] for r in taken):
        found.append("something kept at home was sent")
    digests = {(r.id, r.revision): r.digest for r in given}
    if any(digests.get((r.id, r.revision)) != r.digest for r in taken):
        found.append("another content")
    recalled: dict[str, int] = {}
    for record in giver.ledger.of_kind("recall"):
        order_ = read_body(record, record.body or b"", FORMS["recall"]).body
        recalled[order_.record] = max(recalled.get(order_.record, 0), order_.revision)
    answered = [
        read_body(r, r.body or b"", FORMS["recall_answer"]).body.recall
        for r in giver.ledger.of_kind("recall_answer")
    ]
    ordered = [r.id for r in giver.ledger.of_kind("recall")]
    if sorted(answered) != sorted(ordered):
        found.append(f"{len(ordered)} recalls, {len(answered)} answers")
    latest: dict[str, Any] = {r.id: r for r in given}
    have = {r.id: r for r in taken}
    for id_, newest in latest.items():
        got = have.get(id_)
        if newest.label == KEPT_AT_HOME[giver.name]:
            if got is not None and any(r.body is not None for r in taken if r.id == id_):
                found.append(f"{id_} was narrowed and is still there")
        elif newest.body is None:
            if any(r.body is not None and r.revision == newest.revision for r in taken if r.id == id_):
                found.append(f"{id_} was erased by law and is still there")
        elif recalled.get(id_, 0) >= newest.revision:
            # Taken back before it left or after: either way nothing of it is left there.
            if any(r.body is not None for r in taken if r.id == id_):
                found.append(f"{id_} was taken back and is still there")
        elif got is None or got.revision != newest.revision:
            found.append(f"{id_} revision {newest.revision} is missing: {got and got.revision}")
        elif got.body is None:
            found.append(f"{id_} is gone and nobody took it back")
    return found


def week(pair: Any, seconds: float, seed: int) -> Pair:
    """Seven simulated days; then the way stays whole, nobody writes, and both say what is left."""
    made: Pair = pair(seconds, seed)
    rng = random.Random(seed)
    for name in ("col", "usa"):
        made.start(name)
    for name in ("col", "usa"):
        made.ready(name)
    until = time.monotonic() + seconds
    kills = brokers = 0
    while time.monotonic() < until or min(kills, made.wire.cuts) < seconds / 8:
        time.sleep(rng.uniform(0.2, 1.2))
        what = rng.random()
        if what < 0.45:
            made.wire.cut()
            time.sleep(rng.uniform(0.1, 1.5))
            made.wire.mend()
        elif what < 0.85:
            name = rng.choice(("col", "usa"))
            made.kill(name)
            kills += 1
            time.sleep(rng.uniform(0.0, 0.5))
            made.start(name)
            made.ready(name)
        else:
            pid = made.folder / "col" / "bus" / "server.pid"
            try:
                os.kill(int(pid.read_text()), signal.SIGKILL)
                brokers += 1
            except (OSError, ValueError):
                continue
    for name in ("col", "usa"):
        made.kill(name)
        made.start(name, writes_per_s=0.0, bad=False)
        made.ready(name)
    made.settle(120)
    print(f"{kills} kills of a node, {brokers} of the broker, {made.wire.cuts} cuts")
    for name in ("col", "usa"):
        made.kill(name)
    return made


def checked(made: Pair) -> tuple[int, int]:
    """How many notes each has of the other. Raises AssertionError."""
    nodes = {name: CoalitionNode(name, made.folder / name, Clock()) for name in ("col", "usa")}
    counts = []
    for giver, taker in (("col", "usa"), ("usa", "col")):
        found = faults(nodes[giver], nodes[taker])
        assert not found, "; ".join(found)
        counts.append(
            sum(r.origin == giver for r in nodes[taker].ledger.since(0, limit=10**6, kinds=("note",)))
        )
    for node in nodes.values():
        node.ledger.verify()
        node.ledger.close()
    refused = [path.name for path in made.folder.glob("*/refused/*")]
    assert refused == []
    return counts[0], counts[1]


@pytest.mark.parametrize("seed", [1])
def test_seven_days_of_cuts_and_kills(pair: Any, seed: int) -> None:
    counts = checked(week(pair, 24.0, seed))
    assert min(counts) > 20


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(10, 16))
def test_seven_days_of_cuts_and_kills_at_length(pair: Any, seed: int) -> None:
    counts = checked(week(pair, 120.0, seed))
    assert min(counts) > 100


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    col, usa = coalition(tmp_path, "col", "usa", clock=Clock())
    col.note(TO_USA, "one")
    second = col.note(TO_USA, "two")
    assert any("missing" in each for each in faults(col, usa))
    col.send(usa)
    assert faults(col, usa) == []
    col.note(KEPT_AT_HOME["col"], "two", id_=second.id, revision=1)
    assert any("still there" in each for each in faults(col, usa))
    col.send(usa)
    assert any("recalls" in each for each in faults(col, usa)), "the answer has not come yet"
    usa.send(col)
    assert faults(col, usa) == []
    for each in (col, usa):
        each.ledger.close()
