"""Promise 11, before the export: bytes of the spool that were sealed cannot be changed without its being found.

The attacker may write every file of the spool and makes every checksum anew; he has no key, so the ledger is as it
was. An honest crash, retention and a restored copy accuse nobody.
"""

import os
import runpy
import shutil
import signal
import sys
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from promises import spool_attack
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.adapters.spool.segmented import Link, SegmentedSpool
from shiprider.flow import retention
from shiprider.flow.evidence import export
from shiprider.flow.pieces import Pieces
from shiprider.flow.sealing import SEAL_BYTES, SEAL_EVERY_S, SpoolSeals
from shiprider.model.errors import CorruptStore
from shiprider.model.spool_seal import KIND
from shiprider.model.tables import raw_parts
from shiprider.ports.feed import Declaration, Origin

HERE = Path(__file__).parent
support: Any = runpy.run_path(str(HERE / "evidence_support.py"), run_name="support")
FINDING, CUSTODIAN = support["FINDING"], support["CUSTODIAN"]
SEGMENT = 1 << 12
NOW_US = 1_767_225_600_000_000


def line(number: int) -> bytes:
    return b"!AIVDM,1,1,,A,%06d%s,0*00\r\n" % (number, b"x" * 40)


def nothing(done: float, what: str) -> None:
    del done, what


class Kept:
    """A spool and a ledger in a folder, with what seals the one in the other."""

    def __init__(self, folder: Path, clock: Callable[[], int] = lambda: NOW_US) -> None:
        self.folder = folder
        self.spool = SegmentedSpool(folder / "spool", segment_bytes=SEGMENT)
        self.ledger = SqliteLedger(folder / "ledger.sqlite", origin="node", clock=clock)
        self.seals = SpoolSeals(self.spool, self.ledger, clock)
        self.pieces = Pieces(self.seals, lambda raws: {}, lambda: 1 << 40)

    def add(self, first: int, count: int) -> list[int]:
        """Lines, synced; their addresses."""
        source = self.spool.source(Declaration(name="coast", standard="x"), Origin(file="f")).number
        made = [
            self.spool.append(source, line(n), file_offset=n * len(line(0)), received_us=NOW_US).raw
            for n in range(first, first + count)
        ]
        self.spool.sync()
        return made

    def wrong(self) -> Sequence[str]:
        return self.seals.compare(nothing).wrong

    def records(self) -> int:
        return sum(len(self.ledger.history(each.id)) for each in self.ledger.of_kind(KIND))

    def close(self) -> None:
        self.spool.close()
        self.ledger.close()

    def again(self) -> "Kept":
        """Closed and opened."""
        self.close()
        return Kept(self.folder)


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "node")


# -- the attack ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["closed", "live"])
def test_a_rewritten_sentence_is_found_whatever_checksums_say(kept: Kept, where: str) -> None:
    raws = kept.add(0, 90)
    kept.seals.seal()
    raws += kept.add(90, 10)
    kept.seals.seal()
    at = 20 if where == "closed" else 97
    (segment, offset), spool = raw_parts(raws[at]), kept.folder / "spool"
    kept.close()
    assert (spool / f"{segment:08d}.live").exists() == (where == "live")
    spool_attack.rewrite(spool, raws[at], line(at), line(at).replace(b"x", b"y", 1))
    kept = Kept(kept.folder)
    assert kept.spool.read(raws[at], len(line(at))) != line(at)
    assert len(list(kept.spool.verify())) >= 2, "the spool's own checksums must not be what finds it"
    (found,) = kept.wrong()
    span = [int(word.strip(",")) for word in found.split() if word.strip(",").isdigit()]
    assert span[0] == segment and span[1] <= offset < span[2], found
    # Nor is it ever sealed anew: what comes behind it in that segment is not either.
    before = kept.records()
    kept.seals.seal()
    assert kept.records() == before and list(kept.seals.trouble()) == [found]
    # What comes now is, in a segment of its own.
    kept.add(200, 3)
    kept.seals.seal()
    assert kept.records() == before + 1 and list(kept.wrong()) == [found]
    with pytest.raises(CorruptStore, match=f"Spool segment {segment}"):
        kept.pieces.prove([(raws[at], kept.spool.read(raws[at], 30))])
    kept.close()


@pytest.mark.parametrize("where", ["closed", "live"])
def test_another_time_of_arrival_is_found(kept: Kept, where: str) -> None:
    raws = kept.add(0, 100)
    kept.pieces.prove([(raws[9], line(9))])
    at = 9 if where == "closed" else 97
    kept.close()
    spool_attack.rewrite(kept.folder / "spool", raws[at], line(at), line(at), later_us=60_000_000)
    kept = Kept(kept.folder)
    assert kept.spool.locate(raws[at]).received_us == NOW_US + 60_000_000
    assert len(list(kept.spool.verify())) >= 2
    (found,) = kept.wrong()
    assert "does not have the sources and times that were sealed" in found
    with pytest.raises(CorruptStore, match="sources and times"):
        kept.pieces.prove([(raws[at], line(at))])
    kept.close()


def test_another_label_of_a_feed_is_found(kept: Kept) -> None:
    """By it is decided who may export the bytes."""
    raws = kept.add(0, 10)
    kept.seals.seal()
    kept.close()
    path = kept.folder / "spool" / "sources.log"
    body = path.read_bytes().rpartition(b" ")[0].replace(b'"coast"', b'"other"')
    path.write_bytes(body + b" %08x\n" % zlib.crc32(body))
    kept = Kept(kept.folder)
    assert kept.spool.sources()[0].declaration.name == "other" and list(kept.spool.verify())
    (found,) = kept.wrong()
    assert "sources.log" in found and list(kept.seals.trouble()) == [found]
    with pytest.raises(CorruptStore, match="feeds and files"):
        kept.pieces.prove([(raws[1], line(1))])
    kept.add(10, 10)
    assert kept.seals.seal() == 0, "nothing is sealed over it"
    kept.close()


@pytest.mark.parametrize("at", [3, 118])
def test_a_rewritten_sentence_goes_into_no_package(tmp_path: Path, at: int) -> None:
    """As it was told in the attack session: rewritten, checksums anew, and the custodian exports."""
    sources, _, _ = support["make_node"](tmp_path / "node")
    raw = sorted(raw for raw in range(1 << 32, 3 << 32, 1 << 32) for raw in _addresses(sources, raw))[at]
    sources.spool.close()
    spool_attack.rewrite(tmp_path / "node" / "spool", raw, line(at), line(at).replace(b"x", b"y", 1))
    spool = SegmentedSpool(tmp_path / "node" / "spool", segment_bytes=SEGMENT)
    assert list(spool.verify())
    # Without the seals it works, as it did.
    unsealed = replace(sources, spool=spool, pieces=None)
    assert export(unsealed, FINDING, observer=CUSTODIAN, reason="x").unsealed == 5
    pieces = replace_spool(sources.pieces, spool)
    with pytest.raises(
        CorruptStore, match=r"Spool segment \d+, from byte \d+ to \d+, is not what was sealed at 2026"
    ):
        export(replace(sources, spool=spool, pieces=pieces), FINDING, observer=CUSTODIAN, reason="x")
    spool.close()


def replace_spool(pieces: Pieces, spool: SegmentedSpool) -> Pieces:
    """As a start makes them anew."""
    seals = SpoolSeals(spool, pieces.seals.ledger, pieces.seals.clock)
    return Pieces(seals, pieces.lengths, pieces.position)


def _addresses(sources: Any, start: int) -> list[int]:
    return [stored.raw for stored, _ in sources.spool.chunks(start, start + (1 << 32))]


def test_a_sentence_rewritten_under_the_running_node_is_neither_fixed_nor_shown(kept: Kept) -> None:
    raws = kept.add(0, 10)
    kept.seals.seal()
    with (kept.folder / "spool" / "00000001.live").open("r+b") as live:
        live.seek(raws[4] & 0xFFFFFFFF)
        live.write(line(4).replace(b"x", b"y", 1))
    kept.add(10, 5)
    # What was handed over is what is sealed, whatever the disk says by now.
    kept.seals.seal()
    kept.pieces.fix([(raws[4], 20), (raws[1], 20)])
    assert kept.records() == 2, "nothing is fixed in it"
    with pytest.raises(CorruptStore, match="Spool segment 1, from byte 0"):
        kept.pieces.prove([(raws[4], kept.spool.read(raws[4], 20))])
    assert len(kept.wrong()) == 1
    kept.close()


def test_bytes_that_were_fixed_are_shown_only_as_they_were(kept: Kept) -> None:
    """A reader that gives other bytes than those on the disk: the piece itself tells."""
    raws = kept.add(0, 10)
    data = kept.spool.read(raws[4], 20)
    proof = kept.pieces.prove([(raws[4], data)])[raws[4], 20]
    assert proof.covered == 1 and proof.fixed == 2
    with pytest.raises(CorruptStore, match="not those that were fixed"):
        kept.pieces.prove([(raws[4], data[:-1] + b"y")])
    kept.close()


def test_a_piece_kept_by_nobody_with_a_key_counts_for_nothing(kept: Kept) -> None:
    raws = kept.add(0, 10)
    data = kept.spool.read(raws[4], 20)
    first = kept.pieces.prove([(raws[4], data)])[raws[4], 20]
    (path,) = (kept.folder / "spool" / "pieces").glob("*.json")
    path.write_bytes(path.read_bytes().replace(b'"seed":"', b'"seed":"00', 1))
    path.with_name("00000001-00000009.json").write_bytes(path.read_bytes())
    path.with_name("00000001-00000001.json").write_bytes(b"{")
    path.write_bytes(b"[]")
    # It is fixed once more, and the record says when.
    again = kept.pieces.prove([(raws[4], data)])[raws[4], 20]
    assert again.fixed > first.fixed
    kept.close()


@pytest.mark.parametrize("cut", ["segment", "all of it", "tail", "said to be removed"])
def test_what_is_missing_is_named(kept: Kept, cut: str) -> None:
    kept.add(0, 200)
    kept.seals.seal()
    kept.close()
    spool = kept.folder / "spool"
    if cut in ("segment", "said to be removed"):
        (spool / "00000002.zst").unlink()
        (spool / "00000002.index").unlink()
    if cut == "said to be removed":
        spool_attack.write_chain(
            spool, [*spool_attack.chain(spool), Link(segment=2, removed="nothing needs it")]
        )
    if cut == "all of it":
        shutil.rmtree(spool)
    if cut == "tail":
        (live,) = spool.glob("*.live")
        live.write_bytes(live.read_bytes()[: len(line(0))])
    kept = Kept(kept.folder)
    told = kept.wrong()
    found = [each for each in told if "sources.log" not in each]
    assert (len(told) > len(found)) == (cut == "all of it")
    assert found and all("is missing or unreadable, though it was sealed" in each for each in found)
    assert len(found) == (len(list(kept.ledger.of_kind(KIND))) if cut == "all of it" else 1)
    kept.close()


# -- no accusation without a reason ----------------------------------------------------------------------

STEPS = ("appended", "synced", "before the log", "after the log", "before the pieces' record", "pieces")


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_accuses_nobody_and_loses_nothing(tmp_path: Path, step: str) -> None:
    folder = tmp_path / "node"
    first = Kept(folder)
    raws = first.add(0, 100)
    first.seals.seal()
    sealed = first.seals.compare(nothing)
    assert sealed.unsealed == 0 and not sealed.wrong
    first.close()
    child = os.fork()
    if child == 0:
        try:
            _die_at(folder, step, raws)
        finally:
            os._exit(9)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    kept = Kept(folder)
    found = kept.seals.compare(nothing)
    assert not found.wrong
    tail = {"synced": 80, "before the log": 80}.get(step, 0)
    assert found.unsealed == (0 if step == "appended" else tail * len(line(0))), found
    if tail:
        assert "came after the last seal" in found.sentence()
    kept.add(300, 60)
    kept.seals.seal()
    data = kept.spool.read(raws[7], 30)
    assert (raws[7], 30) in kept.pieces.prove([(raws[7], data)])
    after = kept.again()
    assert not after.wrong() and after.seals.compare(nothing).unsealed == 0
    after.close()


def _die_at(folder: Path, step: str, raws: Sequence[int]) -> None:
    def die(*_: Any, **__: Any) -> Any:
        os.kill(os.getpid(), signal.SIGKILL)

    kept = Kept(folder)
    if step == "appended":
        source = kept.spool.source(Declaration(name="coast", standard="x"), Origin(file="f")).number
        kept.spool.append(source, line(100), file_offset=0, received_us=NOW_US)
        die()
    kept.add(100, 80)
    if step == "synced":
        die()
    real = kept.ledger.append

    def append_and_die(drafts: Any) -> Any:
        real(drafts)
        die()

    if step == "before the log":
        kept.ledger.append = die  # type: ignore[method-assign]
    if step == "after the log":
        kept.ledger.append = append_and_die  # type: ignore[method-assign]
    kept.seals.seal()
    kept.ledger.append = die if step.startswith("before") else append_and_die  # type: ignore[method-assign]
    kept.pieces.fix([(raws[7], 30)])
    print("it did not die", file=sys.stderr)


def test_retention_is_recorded_before_the_bytes_go(kept: Kept) -> None:
    kept.add(0, 200)
    kept.seals.seal()
    plan = retention.Plan((), (retention.SpoolStep(1, 100, "nothing needs it"),))
    seen: list[bool] = []

    def removing(segment: int, why: str) -> None:
        kept.seals.removing(segment, why)
        seen.append((kept.folder / "spool" / "00000001.zst").exists())

    kept = kept.again()  # so that every full segment is closed
    retention.apply(kept.spool, None, plan, (), removing=removing)  # type: ignore[arg-type]
    assert seen == [True] and not (kept.folder / "spool" / "00000001.zst").exists()
    assert not kept.wrong()
    assert kept.seals.history(1)[-1].seal.removed == "nothing needs it"
    before = kept.records()
    kept = kept.again()
    kept.seals.removing(1, "again, after a stop between record and removal")
    assert kept.records() == before and not kept.wrong()
    kept.close()


def test_a_copy_of_a_running_spool_has_what_its_ledger_says(kept: Kept, tmp_path: Path) -> None:
    raws = kept.add(0, 100)
    proof = kept.pieces.prove([(raws[7], line(7))])
    shutil.copyfile(kept.folder / "ledger.sqlite", tmp_path / "ledger.sqlite")
    # Ledger first, then spool, as a back-up does it; meanwhile more comes in.
    kept.add(100, 80)
    kept.seals.seal()
    kept.spool.copy_to(tmp_path / "copy" / "spool")
    kept.close()
    shutil.copyfile(kept.folder / "ledger.sqlite", tmp_path / "copy" / "ledger.sqlite")
    restored = Kept(tmp_path / "copy")
    assert not restored.wrong()
    assert restored.pieces.prove([(raws[7], line(7))]) == proof, "the salts are part of the copy"
    restored.close()


def test_what_came_before_there_were_seals_is_said(kept: Kept) -> None:
    kept.add(0, 100)
    kept.close()
    late = NOW_US + 7_200_000_000
    kept = Kept(kept.folder, lambda: late)
    assert kept.seals.compare(nothing).sentence().startswith("nothing is sealed yet")
    kept.seals.seal()
    found = kept.seals.compare(nothing)
    assert found.since_us == late and found.unsealed == 0
    assert "since 2026-01-01T02:00:00Z" in found.sentence()
    kept.close()


def test_the_package_says_of_bytes_how_late_they_were_sealed(tmp_path: Path) -> None:
    sources, signed, close = support["make_node"](tmp_path / "node", sealed_after_us=3 * 3_600_000_000)
    made = export(sources, FINDING, observer=CUSTODIAN, reason="x")
    sys.path.insert(0, str(HERE.parents[1] / "verifier"))
    try:
        import verify  # type: ignore[import-not-found]
    finally:
        sys.path.pop(0)
    lines: list[str] = []
    assert verify.verify(made.data, signed.second.id, (), "en", lines.append) == 0
    assert any(each.startswith("NOTE  sealed") and "sealed 3 h after" in each for each in lines), lines
    close()


# -- how much is recorded --------------------------------------------------------------------------------


def test_an_idle_node_records_nothing(kept: Kept) -> None:
    assert kept.seals.due(0), "at first it is looked at"
    assert kept.seals.seal() == 0 and not kept.seals.due(1e9)
    kept.add(0, 3)
    assert not kept.seals.due(SEAL_EVERY_S - 1) and kept.seals.due(SEAL_EVERY_S)
    assert kept.seals.seal() == 1
    for _ in range(5):
        assert not kept.seals.due(1e9) and kept.seals.seal() == 0 and not kept.pieces.follow()
    again = kept.again()
    assert again.seals.seal() == 0 and again.ledger.head().sequence == 1
    again.close()


def test_much_at_once_is_sealed_before_its_time(tmp_path: Path) -> None:
    spool = SegmentedSpool(tmp_path / "spool")
    ledger = SqliteLedger(tmp_path / "ledger.sqlite", origin="node", clock=lambda: NOW_US)
    seals = SpoolSeals(spool, ledger, lambda: NOW_US)
    source = spool.source(Declaration(name="coast", standard="x"), Origin(file="f")).number
    seals.seal()
    for n in range(SEAL_BYTES >> 22):
        assert not seals.due(0)
        spool.append(source, b"x" * (4 << 20), file_offset=n << 22, received_us=NOW_US)
        spool.sync()
    assert seals.due(0) and seals.seal() == 1 and not seals.due(0)
    spool.close()
    ledger.close()


def test_the_bytes_of_findings_are_fixed_as_the_findings_come(tmp_path: Path) -> None:
    """Before anybody exports, once each, and only when the lake has their rows."""
    sources, _, close = support["make_node"](tmp_path / "node", sealed=True, followed=False)
    pieces, ledger = sources.pieces, sources.pieces.seals.ledger
    pieces.seals.seal()
    head = ledger.head().sequence
    lengths, pieces.position = pieces.lengths, lambda: 0
    pieces.lengths = lambda raws: {}
    pieces.follow()
    assert ledger.head().sequence == head, "its rows are on their way"
    pieces.lengths, pieces.position = lengths, lambda: 1 << 40
    pieces.follow()
    fixed = ledger.head().sequence
    assert fixed > head
    again = replace_spool(pieces, sources.spool)
    assert not again.follow() and ledger.head().sequence == fixed
    before = export(sources, FINDING, observer=CUSTODIAN, reason="x")
    assert before.unsealed == 0 and ledger.head().sequence == fixed, "an export has nothing to fix any more"
    close()
