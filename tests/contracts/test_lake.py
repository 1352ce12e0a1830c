"""What every lake must do. What is read back is checked against the rows put in, with DuckDB reading too."""

import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
import pytest

from shiprider.adapters.lake.delta import DeltaLake
from shiprider.adapters.lake.lock import NodeLock
from shiprider.model.errors import CorruptStore, NodeBusy, NotFound
from shiprider.model.tables import OBSERVATIONS, RECEPTION, STATEMENTS, TABLES
from shiprider.ports.lake import Hold

DAY_US = 86_400_000_000
START = 1_704_067_200_000_000  # 2024-01-01


def rows(schema: pa.Schema, raws: range, *, step_us: int = 60_000_000, late_us: int = 0) -> pa.Table:
    """Plausible rows: one a minute, ten vessels."""
    n = len(raws)
    raw = np.asarray(raws, np.int64)
    time = START + raw * step_us
    columns = {}
    for field in schema:
        if field.name in ("time", "received"):
            values = pa.array(time + (late_us if field.name == "received" else 0))
        elif field.name == "raw":
            values = pa.array(raw)
        elif field.name == "day":
            values = pa.array((time // DAY_US).astype(np.int32))
        elif field.name == "claimed_id":
            values = pa.array(200_000_000 + raw % 10)
        elif pa.types.is_string(field.type):
            values = pa.array([f"{field.name}{r % 3}" for r in raws])
        elif pa.types.is_binary(field.type):
            values = pa.array([bytes([r % 256]) for r in raws])
        elif field.name == "duplicate_of":
            values = pa.nulls(n, pa.int64())
        else:
            values = pa.array((raw % 90).astype(np.float64))
        columns[field.name] = values.cast(field.type)
    return pa.table(columns, schema=schema)


def open_lake(tmp_path: Path) -> DeltaLake:
    return DeltaLake(tmp_path / "lake", tmp_path / "state")


def sorted_rows(frame: pl.LazyFrame | pa.Table) -> pl.DataFrame:
    made = frame.collect() if isinstance(frame, pl.LazyFrame) else pl.DataFrame(pl.from_arrow(frame))
    return made.sort("raw")


@pytest.mark.parametrize("name", [n for n in TABLES if n != "reception"])
def test_rows_come_back_as_they_went_in(tmp_path: Path, name: str) -> None:
    lake = open_lake(tmp_path)
    table = rows(TABLES[name], range(1, 4000))
    writer = lake.writer("w", [name])
    writer.add({name: table.slice(0, 1000)}, 1000)
    writer.add({name: table.slice(1000)}, 4000)
    assert lake.scan(name).collect().is_empty()
    writer.commit(4000, b"state")
    back = sorted_rows(open_lake(tmp_path).scan(name))
    assert back.equals(sorted_rows(table))
    assert back.schema == pl.DataFrame(pl.from_arrow(table)).schema


def test_unsigned_cells_come_back(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    table = pa.table(
        {
            "day": pa.array([19723, 19724], pa.date32()),
            "hour": pa.array([3, 4], pa.int8()),
            "cell": pa.array([0x85283473FFFFFFF, 0x8528347BFFFFFFF], pa.uint64()),
            "transmitter_class": pa.array([1, 2], pa.int8()),
            "receiver_kind": pa.array([1, 1], pa.int8()),
            "expected": pa.array([1.5, 2.5], pa.float32()),
            "received_count": pa.array([1, 2], pa.int32()),
            "vessels": pa.array([1, 1], pa.int32()),
        },
        schema=RECEPTION,
    )
    writer = lake.writer("reception", ["reception"])
    writer.add({"reception": table}, 10)
    writer.commit(10, b"")
    back = lake.scan("reception", days=[date(2024, 1, 2)]).collect()
    assert back.rows() == [(date(2024, 1, 2), 4, 0x8528347BFFFFFFF, 2, 1, 2.5, 2, 1)]


def test_scan_filters_are_those_of_plain_arrays(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    table = rows(OBSERVATIONS, range(1, 5000), late_us=300_000_000)
    writer = lake.writer("w", ["observations"])
    for begin in range(0, 4999, 500):
        writer.add({"observations": table.slice(begin, 500)}, begin + 500)
        writer.commit(begin + 500, b"")
    raw = np.arange(1, 5000)
    time = START + raw * 60_000_000
    lo, hi = START + 1000 * 60_000_000, START + 3000 * 60_000_000
    ids = [200_000_003, 200_000_007]
    got = lake.scan(
        "observations", ["raw"], start_us=lo, end_us=hi, claimed_ids=ids, known_us=hi - 1
    ).collect()
    wanted = raw[
        (time >= lo) & (time < hi) & np.isin(200_000_000 + raw % 10, ids) & (time + 300_000_000 <= hi - 1)
    ]
    assert sorted(got["raw"].to_list()) == wanted.tolist()
    assert lake.scan("observations", raw_start=10, raw_end=20).collect().height == 10
    assert {d.day for d in lake.days("observations")} == {
        datetime.fromtimestamp(t / 1e6, UTC).date() for t in time.tolist()
    }
    assert sum(d.rows for d in lake.days("observations")) == 4999


def test_pruning_opens_only_the_files_that_can_match(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    writer = lake.writer("w", ["observations"])
    for number in range(6):
        writer.add(
            {"observations": rows(OBSERVATIONS, range(number * 100 + 1, number * 100 + 101))}, number + 1
        )
        writer.commit(number + 1, b"")
    for path in sorted((tmp_path / "lake" / "observations").glob("day=*/*.parquet"))[:]:
        table = pl.read_parquet(path)
        if table["raw"].min() != 301:
            path.unlink()
    assert (
        lake.scan("observations", start_us=START + 310 * 60_000_000, end_us=START + 320 * 60_000_000)
        .collect()
        .height
        == 10
    )


def test_other_engines_read_it(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="DuckDB is a bench peer, not installed here")
    lake = open_lake(tmp_path)
    table = rows(OBSERVATIONS, range(1, 3000))
    writer = lake.writer("w", ["observations"])
    writer.add({"observations": table}, 1)
    writer.commit(1, b"")
    sql = "select count(*), sum(raw), max(claimed_id) from read_parquet(?, hive_partitioning=true)"
    found = duckdb.connect().execute(sql, [f"{tmp_path}/lake/observations/*/*.parquet"]).fetchone()
    assert found == (2999, 2999 * 3000 // 2, 200_000_009)
    from deltalake import DeltaTable

    assert DeltaTable(str(tmp_path / "lake" / "observations")).to_pyarrow_table().num_rows == 2999


def test_what_was_committed_is_passed_over_when_it_comes_again(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    one, two = rows(OBSERVATIONS, range(1, 100)), rows(STATEMENTS, range(1, 50))

    class Stopped(Exception):
        pass

    def stop(step: str) -> None:
        if step == "lake.committed.observations":
            raise Stopped

    stopping = DeltaLake(tmp_path / "lake", tmp_path / "state", probe=stop)
    writer = stopping.writer("w", ["observations", "statements"])
    writer.add({"observations": one, "statements": two}, 10)
    with pytest.raises(Stopped):
        writer.commit(10, b"x")
    lake = open_lake(tmp_path)
    writer = lake.writer("w", ["observations", "statements"])
    assert (writer.position, writer.state) == (0, b"")
    writer.add({"observations": one, "statements": two}, 10)
    # The commits need not fall on the same positions as before.
    writer.commit(10, b"x")
    writer.add({"observations": rows(OBSERVATIONS, range(100, 120))}, 20)
    writer.commit(20)
    assert lake.scan("observations").collect().height == 119
    assert lake.scan("statements").collect().height == 49
    again = open_lake(tmp_path).writer("w", ["observations", "statements"])
    assert (again.position, again.state_position, again.state) == (20, 10, b"x")
    with pytest.raises(ValueError, match="never goes back"):
        again.commit(5)


def test_compaction_changes_files_not_rows_and_vacuum_removes_the_old(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    writer = lake.writer("w", ["observations"])
    table = rows(OBSERVATIONS, range(1, 2001), step_us=1_000_000)
    for begin in range(0, 2000, 100):
        writer.add({"observations": table.slice(begin, 100)}, begin + 100)
        writer.commit(begin + 100, b"")
    old = lake.scan("observations")
    assert lake.compact(small_files=4) == 20
    assert sorted_rows(lake.scan("observations")).equals(sorted_rows(table))
    assert sorted_rows(old).equals(sorted_rows(table)), "a reader that began before still reads"
    files = list((tmp_path / "lake" / "observations").glob("day=*/*.parquet"))
    assert len(files) == 21
    assert lake.vacuum(0.0) == 20
    assert sorted_rows(open_lake(tmp_path).scan("observations")).equals(sorted_rows(table))
    kept = pl.read_parquet(next((tmp_path / "lake" / "observations").glob("day=*/*.parquet")))
    assert kept.select("claimed_id", "time").rows() == sorted(kept.select("claimed_id", "time").rows())
    writer.add({"observations": rows(OBSERVATIONS, range(5000, 5010))}, 9000)
    writer.commit(9000)
    assert open_lake(tmp_path).scan("observations").collect().height == 2010


def test_insert_adds_only_what_is_new_and_remove_takes_out(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    assert lake.insert({"observations": rows(OBSERVATIONS, range(1, 100))}) == {"observations": 99}
    assert lake.insert({"observations": rows(OBSERVATIONS, range(50, 150))}) == {"observations": 50}
    assert lake.remove_raws("observations", [5, 6, 7, 7000]) == 3
    assert sorted(lake.scan("observations").collect()["raw"].to_list()) == [
        r for r in range(1, 150) if r not in (5, 6, 7)
    ]


def test_a_day_goes_but_what_is_held(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    lake.insert({"observations": rows(OBSERVATIONS, range(1, 4000))})
    first = date(2024, 1, 1)
    hold = Hold(claimed_ids=(200_000_004,), end_us=START + 600 * 60_000_000)
    wanted = [r for r in range(1, 1440) if r % 10 == 4 and r < 600]
    assert lake.held("observations", first, [hold]).rows == len(wanted)
    assert (
        lake.remove_day("observations", first, [hold, Hold(raw_start=1000, raw_end=1003)])
        == 1439 - len(wanted) - 3
    )
    left = lake.scan("observations", days=[first]).collect()["raw"].sort().to_list()
    assert left == sorted([*wanted, 1000, 1001, 1002])
    assert lake.scan("observations").collect().height == 3999 - 1439 + len(left)


def test_an_unknown_table_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="the tables are observations"):
        open_lake(tmp_path).scan("nonsense")


@pytest.mark.parametrize("damage", ["empty log", "half log", "missing file", "cut file", "torn summary"])
def test_a_torn_unacknowledged_commit_is_cut_off(tmp_path: Path, damage: str) -> None:
    lake = open_lake(tmp_path)
    writer = lake.writer("w", ["observations"])
    writer.add({"observations": rows(OBSERVATIONS, range(1, 100))}, 10)
    writer.commit(10, b"x")

    class PowerCut(Exception):
        pass

    def cut(step: str) -> None:
        if step == "lake.committed.observations":
            raise PowerCut

    lake = DeltaLake(tmp_path / "lake", tmp_path / "state", probe=cut)
    writer = lake.writer("w", ["observations"])
    writer.add({"observations": rows(OBSERVATIONS, range(100, 150))}, 20)
    with pytest.raises(PowerCut):
        writer.commit(20, b"y")
    table = tmp_path / "lake" / "observations"
    log = table / "_delta_log" / f"{2:020d}.json"
    newest = max(table.glob("day=*/*.parquet"), key=lambda p: p.stat().st_mtime_ns)
    if damage == "empty log":
        log.write_bytes(b"")
    elif damage == "half log":
        log.write_bytes(log.read_bytes()[:-30])
    elif damage == "missing file":
        newest.unlink()
    elif damage == "cut file":
        newest.write_bytes(newest.read_bytes()[:-100])
    else:
        lake.table("observations")._table.create_checkpoint()
        summary = next((table / "_delta_log").glob("*.checkpoint.parquet"))
        summary.write_bytes(summary.read_bytes()[:50])
    lake = open_lake(tmp_path)
    writer = lake.writer("w", ["observations"])
    assert (writer.position, writer.state) == (10, b"x")
    writer.add({"observations": rows(OBSERVATIONS, range(100, 150))}, 20)
    writer.commit(20, b"y")
    assert sorted(lake.scan("observations").collect()["raw"].to_list()) == list(range(1, 150))


def test_an_acknowledged_commit_that_is_gone_is_said(tmp_path: Path) -> None:
    writer = open_lake(tmp_path).writer("w", ["observations"])
    writer.add({"observations": rows(OBSERVATIONS, range(1, 100))}, 10)
    writer.commit(10, b"x")
    (tmp_path / "lake" / "observations" / "_delta_log" / f"{1:020d}.json").unlink()
    with pytest.raises(CorruptStore, match="rebuild"):
        open_lake(tmp_path).writer("w", ["observations"])


def test_many_commits_are_summed_up_and_still_open(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    writer = lake.writer("w", ["quarantine"])
    for number in range(1, 106):
        writer.add({"quarantine": rows(TABLES["quarantine"], range(number, number + 1))}, number)
        writer.commit(number, b"")
    assert list((tmp_path / "lake" / "quarantine" / "_delta_log").glob("*.checkpoint.parquet"))
    lake = open_lake(tmp_path)
    assert lake.scan("quarantine").collect().height == 105
    assert lake.writer("w", ["quarantine"]).position == 105


def test_a_copy_made_while_writing_is_whole(tmp_path: Path) -> None:
    lake = open_lake(tmp_path)
    writer = lake.writer("w", ["observations"])
    writer.add({"observations": rows(OBSERVATIONS, range(1, 1000))}, 10)
    writer.commit(10, b"here")
    writer.add({"observations": rows(OBSERVATIONS, range(1000, 1100))}, 11)
    lake.copy_to(tmp_path / "copy")
    writer.commit(11, b"there")
    copy = DeltaLake(tmp_path / "copy" / "lake", tmp_path / "copy" / "state")
    assert copy.scan("observations").collect().height == 999
    again = copy.writer("w", ["observations"])
    assert (again.position, again.state) == (10, b"here")


def test_a_store_named_by_url_works_the_same(tmp_path: Path) -> None:
    lake = DeltaLake(f"file://{tmp_path}/store", tmp_path / "state")
    writer = lake.writer("w", ["observations"])
    table = rows(OBSERVATIONS, range(1, 300))
    writer.add({"observations": table}, 10)
    writer.commit(10, b"x")
    assert sorted_rows(lake.scan("observations")).equals(sorted_rows(table))
    lake.copy_to(tmp_path / "copy")
    assert (
        DeltaLake(tmp_path / "copy/lake", tmp_path / "copy/state").scan("observations").collect().height
        == 299
    )


def test_one_process_holds_the_node_and_a_dead_one_does_not(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from shiprider.adapters.lake.lock import NodeLock\n"
        "lock = NodeLock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(NodeBusy, match=f"in use by process {holder.pid}"):
        NodeLock(tmp_path)
    holder.kill()
    holder.wait()
    with NodeLock(tmp_path), pytest.raises(NodeBusy):
        NodeLock(tmp_path)
    NodeLock(tmp_path).release()
