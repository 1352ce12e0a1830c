"""The lake again from the spool, the quarantine tried again, retention, back-up: on a real small node."""

import os
import random
import threading
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from shiprider.adapters.feeds.file import FileFeed
from shiprider.adapters.lake.delta import DeltaLake
from shiprider.adapters.spool.segmented import SegmentedSpool
from shiprider.flow import backup as copies
from shiprider.flow import retention
from shiprider.flow.decoding import TABLES, Decoding, context_of, open_by_content
from shiprider.flow.ingest import STREAM, Ingest
from shiprider.flow.rebuild import reasons, rebuild, replay_quarantine, same_rows
from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.decoded import Decoded
from shiprider.model.errors import CorruptStore, UsageError
from shiprider.observe.cleaner import Cleaner
from shiprider.ports.feed import Declaration
from shiprider.ports.lake import Hold
from shiprider.ports.spool import Source

pyais = pytest.importorskip("pyais", reason="pyais encodes the input of this test")

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DECLARATION = Declaration(name="coast", standard="NMEA 0183", received_clock="recording")


def lines(days: range, per_day: int = 120) -> bytes:
    chance = random.Random(3)
    out = []
    for day in days:
        for number in range(per_day):
            second = 1_704_067_200 + day * 86400 + number * 600
            fields = {
                "type": 1,
                "mmsi": 257_000_000 + number % 7,
                "lat": 10 + number / 1000,
                "lon": chance.uniform(-80, -70),
            }
            text = pyais.encode_dict(fields, talker_id="AI", sentence_type="VDM", radio_channel="A")[0]
            tag = f"s:st,c:{second}"
            checksum = 0
            for character in tag:
                checksum ^= ord(character)
            out.append(f"\\{tag}*{checksum:02X}\\{text}\r\n".encode())
            if number % 20 == 0:
                out.append(b"!AIVDM,1,1,,A,15N damaged %d,0*00\r\n" % number)
    return b"".join(out)


class Node:
    """Spool and lake in a folder."""

    def __init__(self, folder: Path, segment_bytes: int = 20_000) -> None:
        self.folder = folder
        self.spool = SegmentedSpool(folder / "spool", segment_bytes=segment_bytes)
        self.lake = DeltaLake(folder / "lake", folder / "state")

    def decoding(self, open_decoder: Callable[[Source, bytes], Any] = open_by_content) -> Decoding:
        return Decoding(self.spool, open_decoder, Cleaner())

    def take(
        self, path: Path, decoding: Decoding | None = None, received: datetime = NOW, **more: Any
    ) -> Any:
        feed = FileFeed(path, DECLARATION, now_us=lambda: int(received.timestamp() * 1e6), chunk_bytes=4000)
        run = Ingest(
            [feed], self.spool, self.lake.writer(STREAM, TABLES), decoding or self.decoding(), **more
        )
        return run.run()


@pytest.fixture
def node(tmp_path: Path) -> Any:
    made = Node(tmp_path / "node")
    path = tmp_path / "r.nmea"
    path.write_bytes(lines(range(3)))
    made.take(path)
    yield made
    made.spool.close()


def test_a_rebuilt_lake_has_the_same_rows(node: Node, tmp_path: Path) -> None:
    assert node.lake.scan("observations").collect().height == 360
    again = DeltaLake(tmp_path / "again" / "lake", tmp_path / "again" / "state")
    seen: list[tuple[int, int]] = []
    position = rebuild(
        node.spool, again, node.decoding(), progress=lambda *p: seen.append(p), commit_bytes=10_000
    )
    assert position == node.lake.writer(STREAM, TABLES).position == node.spool.end()
    assert seen[-1][0] == seen[-1][1]
    for table in TABLES:
        assert same_rows(node.lake, again, table), table
    assert not same_rows(node.lake, DeltaLake(tmp_path / "e", tmp_path / "es"), "observations")


def test_an_interrupted_rebuild_goes_on(node: Node, tmp_path: Path) -> None:
    again = DeltaLake(tmp_path / "again" / "lake", tmp_path / "again" / "state")
    for after in (2, 3, 1000):
        stop = threading.Event()
        left = [after]

        def progress(done: int, total: int, stop: Any = stop, left: Any = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                stop.set()

        rebuild(node.spool, again, node.decoding(), stop=stop, progress=progress, commit_bytes=1)
    for table in TABLES:
        assert same_rows(node.lake, again, table), table


class Forgetful:
    """A decoder with a bug that was found later: it rejects every message of one ship."""

    def __init__(self, source: Source, head: bytes) -> None:
        self._inner = AisDecoder(context_of(source))

    def decode(self, data: bytes, raw: int, received_us: int, final: bool = False) -> Decoded:
        good = self._inner.decode(data, raw, received_us, final)
        mine = pa.compute.equal(good.observations["claimed_id"], 257_000_003)
        lost = good.observations.filter(mine).select(["raw", "raw_length"])
        rejects = lost.append_column("reason", pa.repeat("bug", len(lost)))
        return Decoded(
            good.observations.filter(pa.compute.invert(mine)),
            good.statements,
            good.messages,
            pa.concat_tables([good.rejects, rejects.cast(good.rejects.schema)]),
        )

    def snapshot(self) -> bytes:
        return self._inner.snapshot()

    def restore(self, state: bytes) -> None:
        self._inner.restore(state)


def test_quarantine_is_replayed_exactly_once_after_a_fix(tmp_path: Path) -> None:
    path = tmp_path / "r.nmea"
    path.write_bytes(lines(range(2)))
    broken, fixed = Node(tmp_path / "broken"), Node(tmp_path / "fixed")
    broken.take(path, broken.decoding(Forgetful))
    fixed.take(path)
    before = reasons(broken.lake)
    assert before["bug"] == sum(1 for n in range(120) if n % 7 == 3) * 2
    result = replay_quarantine(broken.spool, broken.lake, broken.decoding)
    assert (result.added, result.resolved, result.left) == (
        {"observations": before["bug"]},
        before["bug"],
        12,
    )
    for table in TABLES:
        assert same_rows(broken.lake, fixed.lake, table), table
    again = replay_quarantine(broken.spool, broken.lake, broken.decoding)
    assert (sum(again.added.values()), again.resolved, again.left) == (0, 0, 12)
    for table in TABLES:
        assert same_rows(broken.lake, fixed.lake, table), table
    broken.spool.close()
    fixed.spool.close()


def test_quarantine_names_file_offset_and_shows_the_bytes(node: Node, tmp_path: Path) -> None:
    data = (tmp_path / "r.nmea").read_bytes()
    rows = node.lake.scan("quarantine").collect()
    assert rows.height == 18
    for row in rows.iter_rows(named=True):
        assert row["file"] == str(tmp_path / "r.nmea")
        there = data[row["file_offset"] : row["file_offset"] + row["raw_length"]]
        assert there.startswith(b"!AIVDM,1,1,,A,15N damaged")
        assert node.spool.read(row["raw"], row["raw_length"]) == there
        assert there.decode().startswith(row["excerpt"].rstrip("."))


def test_every_row_leads_to_its_sentence(node: Node) -> None:
    for row in node.lake.scan("observations").collect().iter_rows(named=True):
        sentence = node.spool.read(row["raw"], row["raw_length"])
        sentence = sentence[sentence.find(b"!AIVDM") :]
        assert pyais.decode(sentence.strip()).mmsi == row["claimed_id"]


# -- retention ---------------------------------------------------------------------------------------


def policy(days: int, budget: int | None = None) -> retention.Policy:
    return retention.Policy(days=dict.fromkeys(("observations", "quarantine"), days), budget_bytes=budget)


def test_age_counts_from_when_a_recording_came_in(node: Node) -> None:
    today = NOW.date()
    assert retention.plan(node.spool, node.lake, policy(30), [], today + timedelta(days=30)).lake == ()
    late = retention.plan(node.spool, node.lake, policy(30), [], today + timedelta(days=31))
    assert {(s.table, s.day) for s in late.lake} == {
        *(("observations", date(2024, 1, d)) for d in (1, 2, 3)),
        ("quarantine", today),
    }
    assert sum(s.rows for s in late.lake) == 378


def test_nothing_goes_in_a_dry_run_and_all_goes_when_applied(node: Node) -> None:
    when = NOW.date() + timedelta(days=99)
    listed = retention.plan(node.spool, node.lake, policy(30), [], when)
    assert node.lake.scan("observations").collect().height == 360
    assert retention.apply(node.spool, node.lake, listed, []) == 378
    assert node.lake.scan("observations").collect().height == 0
    assert [s.segment for s in listed.spool] == [1], "the live segment stays"


def test_segments_go_when_nothing_points_into_them(node: Node, tmp_path: Path) -> None:
    filler = tmp_path / "filler.nmea"
    filler.write_bytes(lines(range(10, 14)))
    node.take(filler, received=NOW + timedelta(days=90))
    for _ in range(100):
        if all(s.closed for s in node.spool.segments()[:-1]):
            break
        threading.Event().wait(0.05)
    when = NOW.date() + timedelta(days=99)
    hold = Hold(claimed_ids=(257_000_001,), end_us=1_704_067_200_000_000 + 86_400_000_000)
    held = retention.plan(node.spool, node.lake, policy(30), [hold], when)
    free = retention.plan(node.spool, node.lake, policy(30), [], when)
    assert held.spool == ()
    assert sum(s.held_rows for s in held.lake) == sum(1 for n in range(120) if n % 7 == 1)
    assert [s.segment for s in free.spool] == [1], "the second segment also has the younger file's rows"
    first = node.lake.scan("observations", ["raw"]).collect()["raw"].min()
    retention.apply(node.spool, node.lake, held, [hold])
    left = node.lake.scan("observations", end_us=1_704_067_200_000_000 + 9 * 86_400_000_000).collect()
    assert set(left["claimed_id"]) == {257_000_001}
    assert node.spool.read(int(left["raw"][0]), 10)
    retention.apply(node.spool, node.lake, retention.plan(node.spool, node.lake, policy(30), [], when), [])
    assert [s.removed for s in node.spool.segments()][:2] == [True, False]
    assert node.lake.scan("observations").collect()["raw"].min() > first
    list(node.spool.verify())
    again = DeltaLake(tmp_path / "again" / "lake", tmp_path / "again" / "state")
    rebuild(node.spool, again, node.decoding())
    assert again.scan("observations").collect().height >= 480


def test_the_disk_budget_takes_the_oldest_first_and_says_what_it_cannot_free(node: Node) -> None:
    total = sum(d.bytes for t in TABLES for d in node.lake.days(t)) + sum(
        s.stored for s in node.spool.segments()
    )
    oldest = node.lake.days("observations")[0].bytes
    listed = retention.plan(node.spool, node.lake, policy(0, total - oldest // 2), [], NOW.date())
    assert listed.lake[0].day == date(2024, 1, 1)
    assert listed.over_budget_bytes == 0
    nothing = retention.plan(node.spool, node.lake, policy(0, 0), [], NOW.date())
    assert nothing.over_budget_bytes == sum(s.stored for s in node.spool.segments() if not s.closed)


# -- back-up -----------------------------------------------------------------------------------------


def make_copy(node: Node, target: Path) -> copies.Manifest:
    return copies.backup(
        target,
        node.spool,
        node.lake,
        node="n",
        made_us=1,
        copy_ledger=lambda folder: (folder / "ledger.sqlite").write_bytes(b"ledger") and None,
    )


def test_a_copy_of_a_running_node_becomes_the_same_node(node: Node, tmp_path: Path) -> None:
    manifest = make_copy(node, tmp_path / "copy")
    assert manifest.position == node.spool.end()
    copies.verify(tmp_path / "copy")
    copies.restore(tmp_path / "copy", tmp_path / "restored")
    assert (tmp_path / "restored" / "ledger.sqlite").read_bytes() == b"ledger"
    restored = Node(tmp_path / "restored")
    list(restored.spool.verify())
    more = tmp_path / "more.nmea"
    more.write_bytes(lines(range(5, 6)))
    for one in (node, restored):
        one.take(more)
        one.take(tmp_path / "r.nmea")
    for table in TABLES:
        assert same_rows(node.lake, restored.lake, table), table
    assert restored.lake.scan("observations").collect().height == 480
    restored.spool.close()


def test_a_copy_made_while_ingest_runs_is_consistent(node: Node, tmp_path: Path) -> None:
    more = tmp_path / "more.nmea"
    more.write_bytes(lines(range(5, 25)))
    made: list[int] = []

    def copy(rows: Any) -> None:
        if len(made) < 3:
            made.append(1)
            make_copy(node, tmp_path / f"copy{len(made)}")

    node.take(more, on_rows=copy, commit_every_s=0.0)
    assert len(made) == 3
    for number in (1, 2, 3):
        copies.verify(tmp_path / f"copy{number}")
        restored = Node(tmp_path / f"copy{number}")
        restored.take(more)
        for table in TABLES:
            assert restored.lake.scan(table).collect().height == node.lake.scan(table).collect().height, table
        restored.spool.close()


@pytest.mark.parametrize("damage", ["flip", "missing", "extra", "manifest"])
def test_a_damaged_copy_is_not_restored(node: Node, tmp_path: Path, damage: str) -> None:
    make_copy(node, tmp_path / "copy")
    victim = next((tmp_path / "copy" / "lake").rglob("*.parquet"))
    if damage == "flip":
        data = bytearray(victim.read_bytes())
        data[40] ^= 1
        victim.write_bytes(bytes(data))
    elif damage == "missing":
        victim.unlink()
    elif damage == "extra":
        (tmp_path / "copy" / "stray").touch()
    else:
        (tmp_path / "copy" / copies.MANIFEST).write_bytes(b"{")
    with pytest.raises(CorruptStore):
        copies.restore(tmp_path / "copy", tmp_path / "restored")
    assert not (tmp_path / "restored").exists()


def test_nothing_is_overwritten(node: Node, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not empty"):
        make_copy(node, node.folder)
    make_copy(node, tmp_path / "copy")
    with pytest.raises(UsageError, match="is not empty"):
        copies.restore(tmp_path / "copy", node.folder)
    with pytest.raises(UsageError, match="no finished back-up"):
        copies.verify(node.folder)


@pytest.mark.parametrize("left", [0, 5000])
def test_a_spool_that_was_cut_takes_no_new_bytes_under_old_addresses(tmp_path: Path, left: int) -> None:
    node = Node(tmp_path / "node")
    first = tmp_path / "r.nmea"
    first.write_bytes(lines(range(3)))
    node.take(first)
    node.spool.close()
    live = sorted((node.folder / "spool").glob("*.live"))[-1]
    assert live.stat().st_size > left
    os.truncate(live, left)
    cut = Node(node.folder)
    more = tmp_path / "more.nmea"
    more.write_bytes(lines(range(5, 6)))
    end = cut.spool.end()
    with pytest.raises(CorruptStore, match="bytes were lost"):
        cut.take(more)
    assert cut.spool.end() == end
    cut.spool.close()
