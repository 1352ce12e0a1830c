"""A running node seals what comes in, fixes what findings rest on, and is silent when nothing happens."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from shiprider.bootstrap.node import open_node
from shiprider.flow import node as running
from shiprider.flow import sealing
from shiprider.flow.pieces import Pieces
from shiprider.model.finding import Evidence, Finding
from shiprider.model.publication import Publication
from shiprider.model.record import Draft
from shiprider.ports.feed import Declaration, Origin
from shiprider.settings import Settings

LINE = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"


def soon(true: Callable[[], bool]) -> None:
    """It comes true within some seconds."""
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_it_seals_and_fixes_while_it_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for where in (running, sealing):
        monkeypatch.setattr(where, "SEAL_EVERY_S", 0.2)
    monkeypatch.setattr(running, "_SEAL_LOOK_S", 0.05)
    (tmp_path / "node").mkdir()
    with open_node(tmp_path / "node", Settings(node="node")) as opened:
        node, spool, ledger = opened.node, opened.spool, opened.ledger
        seals = node.stores.seals
        pieces = Pieces(seals, lambda raws: dict.fromkeys(raws, 20), lambda: 1 << 40)
        node.stores = replace(node.stores, pieces=pieces)
        thread = threading.Thread(target=node.run, args=([],))
        thread.start()
        try:
            source = spool.source(Declaration(name="coast", standard="x"), Origin(file="f")).number
            raws = [spool.append(source, LINE, file_offset=n, received_us=1).raw for n in range(5)]
            spool.sync()
            soon(lambda: bool(seals.history(1)))
            assert seals.history(1)[-1].seal.length == 5 * len(LINE)
            ledger.append([finding(raws[2])])
            soon(lambda: bool(seals.history(1)[-1].seal.pieces))
            head = ledger.head().sequence
            time.sleep(1)
            assert ledger.head().sequence == head, "nothing came in"
            with (tmp_path / "node" / "spool" / "00000001.live").open("r+b") as live:
                live.write(b"?")
            ledger.append([finding(raws[3])])
            soon(lambda: any("Spool segment 1" in notice.text for notice in node.status().notices))
            spool.append(source, LINE, file_offset=9, received_us=1)
            spool.sync()
        finally:
            node.stop()
            thread.join()
        assert seals.history(1)[-1].seal.length == 5 * len(LINE), "what differs is not sealed any further"
    with open_node(tmp_path / "node", Settings(node="node")) as opened:
        assert opened.node.stores.seals.seal() == 0
        assert "from byte 0 to" in opened.node.stores.seals.trouble()[0]


def test_what_came_in_last_is_sealed_when_it_stops(tmp_path: Path) -> None:
    (tmp_path / "node").mkdir()
    with open_node(tmp_path / "node", Settings(node="node")) as opened:
        thread = threading.Thread(target=opened.node.run, args=([],))
        thread.start()
        soon(lambda: opened.node.stores.seals.seal() == 0)
        source = opened.spool.source(Declaration(name="coast", standard="x"), Origin(file="f")).number
        opened.spool.append(source, LINE, file_offset=0, received_us=1)
        opened.spool.sync()
        opened.node.stop()
        thread.join()
        assert opened.node.stores.seals.compare(lambda done, what: None).unsealed == 0


def finding(raw: int) -> Draft:
    shown = Evidence(track=1, claimed_id=1, start_us=1, end_us=1, raws=(raw,))
    body = Publication(
        finding=Finding(
            behaviour="gap",
            preset="p",
            participants=(1,),
            start_us=1,
            end_us=1,
            latitude_deg=1.0,
            longitude_deg=2.0,
            score=0.5,
            reason_key="none",
            facts={},
            evidence=(shown,),
        )
    )
    return Draft(
        id=f"{raw:032x}",
        kind="finding",
        expected_revision=0,
        schema=1,
        author="watch",
        valid_from_us=1,
        body=msgspec.json.encode(body),
    )
