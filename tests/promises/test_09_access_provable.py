"""Promise 9: every access is provable.

Every kind of tampering at random places, hundreds of cases, is found offline against a head that somebody
else keeps; a log that cannot be written refuses the access; what was acknowledged outlives kill -9.
"""

import json
import os
import random
import runpy
import shutil
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from shiprider.adapters.access_log.segmented import SegmentedAccessLog
from shiprider.adapters.access_log.verifying import verify_folder
from shiprider.flow.logged_access import Accesses
from shiprider.model.access_entry import AccessEntry
from shiprider.model.errors import CorruptStore, DiskFull, Forbidden, NodeBusy, NotFound, StorageError
from shiprider.model.observer import Observer
from shiprider.ports.access_log import Question, SignedHead

TestKey: Any = runpy.run_path(str(Path(__file__).with_name("signing.py")))["TestKey"]
KEY = TestKey()
ENTRIES = 900
CASES = 60
START_US = 1_767_225_600_000_000


def entry(number: int) -> AccessEntry:
    return AccessEntry(
        at_us=START_US + number * 1_000_000,
        who=f"officer {number % 5}",
        session=f"{number % 5:016x}",
        act=("read", "search", "export", "change")[number % 4],  # type: ignore[arg-type]
        what="GET /api/v1/alerts",
        outcome="denied" if number % 11 == 0 else "allowed",
        objects=(f"{number % 40:032x}",),
        count=1,
        purpose="watch",
        case=f"case {number % 3}",
    )


def opened(folder: Path, **more: Any) -> SegmentedAccessLog:
    return SegmentedAccessLog(
        folder, origin="node", signer=KEY, check=KEY.check, segment_bytes=40_000, **more
    )


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SignedHead, Path]:
    """A log of several segments, a head that a partner keeps, and the folder as it was two thirds on."""
    folder, earlier = tmp_path_factory.mktemp("log") / "access", tmp_path_factory.mktemp("old") / "access"
    log = opened(folder)
    for number in range(0, ENTRIES * 2 // 3, 3):
        log.append([entry(number + n) for n in range(3)])
    log.close()
    shutil.copytree(folder, earlier)
    log = opened(folder)
    for number in range(ENTRIES * 2 // 3, ENTRIES, 3):
        log.append([entry(number + n) for n in range(3)])
    assert len(log.segments()) >= 5
    cosigned = log.signed_head()
    log.close()
    assert verify_folder(folder, origin="node", check=KEY.check, heads=[cosigned]).sequence == ENTRIES
    return folder, cosigned, earlier


def pick(folder: Path, draw: random.Random) -> Path:
    return draw.choice(sorted(p for p in folder.glob("0*.log") if p.stat().st_size))


def lines_of(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def delete(folder: Path, draw: random.Random) -> None:
    lines = lines_of(path := pick(folder, draw))
    del lines[draw.randrange(len(lines))]
    path.write_bytes(b"".join(lines))


def edit(folder: Path, draw: random.Random) -> None:
    lines = lines_of(path := pick(folder, draw))
    at = draw.randrange(len(lines))
    lines[at] = lines[at].replace(b'"officer ', b'"Officer ')
    path.write_bytes(b"".join(lines))


def flip(folder: Path, draw: random.Random) -> None:
    data = bytearray((path := pick(folder, draw)).read_bytes())
    data[draw.randrange(len(data))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def reorder(folder: Path, draw: random.Random) -> None:
    lines = lines_of(path := pick(folder, draw))
    one, other = draw.sample(range(len(lines)), 2)
    lines[one], lines[other] = lines[other], lines[one]
    path.write_bytes(b"".join(lines))


def duplicate(folder: Path, draw: random.Random) -> None:
    lines = lines_of(path := pick(folder, draw))
    at = draw.randrange(len(lines))
    lines.insert(at, lines[at])
    path.write_bytes(b"".join(lines))


def insert(folder: Path, draw: random.Random) -> None:
    lines = lines_of(path := pick(folder, draw))
    at = draw.randrange(len(lines))
    lines.insert(at, lines[at].replace(b"officer", b"visitor"))
    path.write_bytes(b"".join(lines))


def truncate_bytes(folder: Path, draw: random.Random) -> None:
    live = max(p for p in folder.glob("0*.log") if p.stat().st_size)
    live.write_bytes(live.read_bytes()[: draw.randrange(live.stat().st_size)])


def truncate_lines(folder: Path, draw: random.Random) -> None:
    lines = lines_of(live := max(p for p in folder.glob("0*.log") if p.stat().st_size))
    live.write_bytes(b"".join(lines[: draw.randrange(len(lines))]))


def drop_segment(folder: Path, draw: random.Random) -> None:
    pick(folder, draw).unlink()


def swap_segments(folder: Path, draw: random.Random) -> None:
    one, other = draw.sample(sorted(p for p in folder.glob("0*.log") if p.stat().st_size), 2)
    first, second = one.read_bytes(), other.read_bytes()
    one.write_bytes(second)
    other.write_bytes(first)


def edit_chain(folder: Path, draw: random.Random) -> None:
    path = folder / "chain.log"
    data = bytearray(path.read_bytes())
    # Not the last line's end: a torn last line is what a power cut leaves.
    data[draw.randrange(data.rindex(b"\n", 0, -1))] ^= 1 << draw.randrange(8)
    path.write_bytes(data)


def claim_retention(folder: Path, draw: random.Random) -> None:
    """An administrator lets the newest closed segment go, as if retention had."""
    driver = sorted(folder.glob("0*.log"))[-2]
    driver.unlink()


def _remade(folder: Path, change: Callable[[list[bytes]], None]) -> None:
    """An insider with the program but not the key makes every hash, the chain and the head's slots anew."""
    import msgspec

    contents: list[bytes] = []
    for path in sorted(folder.glob("0*.log")):
        contents += [line.split(b" ", 2)[2][:-66] for line in lines_of(path)]
        path.unlink()
    change(contents)
    for name in ("chain.log", "heads.log", "head"):
        (folder / name).unlink(missing_ok=True)
    log = SegmentedAccessLog(folder, origin="node", segment_bytes=40_000)
    log.append([msgspec.json.decode(content, type=AccessEntry) for content in contents])
    log.close()


def rewrite_edited(folder: Path, draw: random.Random) -> None:
    def change(contents: list[bytes]) -> None:
        at = draw.randrange(len(contents))
        contents[at] = contents[at].replace(b"officer", b"visitor")

    _remade(folder, change)


def rewrite_deleted(folder: Path, draw: random.Random) -> None:
    _remade(folder, lambda contents: contents.pop(draw.randrange(len(contents))) and None)


def rewrite_truncated(folder: Path, draw: random.Random) -> None:
    def change(contents: list[bytes]) -> None:
        del contents[draw.randrange(1, len(contents)) :]

    _remade(folder, change)


MUTATIONS = [
    delete, edit, flip, reorder, duplicate, insert, truncate_bytes, truncate_lines, drop_segment, swap_segments,
    edit_chain, claim_retention, rewrite_edited, rewrite_deleted, rewrite_truncated,
]  # fmt: skip


@pytest.mark.parametrize("mutate", MUTATIONS, ids=lambda each: each.__name__)
def test_tampering_is_found_offline(
    written: tuple[Path, SignedHead, Path], tmp_path: Path, mutate: Callable[[Path, random.Random], None]
) -> None:
    folder, cosigned, _ = written
    draw = random.Random(mutate.__name__)
    missed = []
    cases = CASES if "rewrite" not in mutate.__name__ else CASES // 3
    for case in range(cases):
        copy = tmp_path / f"{case}"
        shutil.copytree(folder, copy)
        mutate(copy, draw)
        check = None if "rewrite" in mutate.__name__ else KEY.check
        try:
            verify_folder(copy, origin="node", check=check, heads=[cosigned])
        except CorruptStore:
            pass
        else:
            missed.append(case)
        shutil.rmtree(copy)
    assert missed == []


def test_a_whole_folder_rolled_back_is_found_by_the_partners_head_alone(
    written: tuple[Path, SignedHead, Path],
) -> None:
    _, cosigned, earlier = written
    # Everything in it is genuine and signed: only who keeps a later head can tell.
    assert verify_folder(earlier, origin="node", check=KEY.check).sequence == ENTRIES * 2 // 3
    with pytest.raises(CorruptStore, match="cut off"):
        verify_folder(earlier, origin="node", check=KEY.check, heads=[cosigned])


@pytest.mark.parametrize("mutate", [delete, edit, reorder, insert, truncate_lines, drop_segment, edit_chain])
def test_the_start_refuses_a_log_that_was_changed(
    written: tuple[Path, SignedHead, Path], tmp_path: Path, mutate: Callable[[Path, random.Random], None]
) -> None:
    for case in range(10):
        copy = tmp_path / f"{case}"
        shutil.copytree(written[0], copy)
        mutate(copy, random.Random(case))
        with pytest.raises(CorruptStore):
            opened(copy)


def test_a_log_rewritten_without_the_key_does_not_start(
    written: tuple[Path, SignedHead, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(written[0], copy)
    rewrite_edited(copy, random.Random(1))
    with pytest.raises(CorruptStore, match="none of this node's keys"):
        opened(copy)


def test_questions_find_what_a_plain_loop_finds(
    written: tuple[Path, SignedHead, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(written[0], copy)
    log = opened(copy)
    everything = [(n + 1, entry(n)) for n in range(ENTRIES)]
    draw = random.Random(3)
    for _ in range(300):
        start = draw.choice([None, START_US + draw.randrange(ENTRIES) * 1_000_000])
        asked = Question(
            who=draw.choice(["", "officer 3", "officer"]),
            object_id=draw.choice(["", f"{draw.randrange(40):032x}"]),
            act=draw.choice(["", "export"]),
            outcome=draw.choice(["", "denied"]),
            case=draw.choice(["", "case 1"]),
            start_us=start,
            end_us=None if start is None else start + draw.randrange(200) * 1_000_000,
            newest_first=draw.random() < 0.5,
            from_sequence=draw.choice([None, draw.randrange(ENTRIES)]),
            limit=draw.choice([1, 7, 10_000]),
        )
        wanted = [
            (n, e)
            for n, e in everything
            if (not asked.who or e.who == asked.who)
            and (not asked.object_id or asked.object_id in e.objects)
            and (not asked.act or e.act == asked.act)
            and (not asked.outcome or e.outcome == asked.outcome)
            and (not asked.case or e.case == asked.case)
            and (asked.start_us is None or asked.start_us <= e.at_us)
            and (asked.end_us is None or e.at_us < asked.end_us)
            and (
                asked.from_sequence is None
                or (n < asked.from_sequence if asked.newest_first else n > asked.from_sequence)
            )
        ]
        if asked.newest_first:
            wanted.reverse()
        assert log.search(asked) == wanted[: asked.limit], asked
    log.close()


def test_whole_segments_go_oldest_first_and_the_chain_goes_on(
    written: tuple[Path, SignedHead, Path], tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(written[0], copy)
    log = opened(copy)
    first, second, *_ = log.segments()
    with pytest.raises(NotFound, match="oldest"):
        log.remove(second.number, "past its time")
    with pytest.raises(NotFound, match="no reason"):
        log.remove(first.number, "")
    assert log.remove(first.number, "past its time") == first.bytes
    assert log.remove(second.number, "past its time") == second.bytes
    assert log.since(0, limit=1)[0][0] == second.last + 1
    assert log.verify().sequence == ENTRIES
    log.append([entry(ENTRIES)])
    log.close()
    again = opened(copy)
    assert again.head().sequence == ENTRIES + 1
    assert [s.removed for s in again.segments()][:3] == ["past its time", "past its time", ""]
    again.close()
    assert verify_folder(copy, origin="node", check=KEY.check, heads=[written[1]]).sequence == ENTRIES + 1
    # What is left cannot be cut either.
    third = sorted(copy.glob("0*.log"))[0]
    third.unlink()
    with pytest.raises(CorruptStore):
        verify_folder(copy, origin="node", check=KEY.check)


def test_one_writer_only(tmp_path: Path) -> None:
    log = opened(tmp_path / "access")
    with pytest.raises(NodeBusy):
        opened(tmp_path / "access")
    log.close()
    with pytest.raises(StorageError, match="closed"):
        log.append([entry(1)])


def test_a_lost_head_is_no_empty_log(written: tuple[Path, SignedHead, Path], tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(written[0], copy)
    (copy / "head").unlink()
    with pytest.raises(CorruptStore):
        opened(copy)


def test_heads_are_signed_now_and_then_and_at_close(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shiprider.adapters.access_log.segmented.HEAD_EVERY", 100)
    log = SegmentedAccessLog(tmp_path / "access", origin="node", signer=KEY, check=KEY.check)
    for number in range(0, 950, 10):
        log.append([entry(number + n) for n in range(10)])
    log.close()
    kept = [json.loads(line) for line in (tmp_path / "access" / "heads.log").read_text().splitlines()]
    assert len(kept) >= 9 and kept[-1]["sequence"] == 950
    assert all(head["key"] == KEY.key_id for head in kept)


def test_many_threads_share_syncs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At least 10,000 entries a second in batches: 2 syncs a commit, far fewer commits than appends."""
    syncs = [0]
    real = os.fdatasync

    def slow(handle: int) -> None:
        syncs[0] += 1
        time.sleep(0.004)  # a disk as slow as they come: 250 syncs a second
        real(handle)

    log = opened(tmp_path / "access")
    monkeypatch.setattr(os, "fdatasync", slow)
    begun = time.process_time()

    def writer(number: int) -> None:
        for n in range(20):
            log.append([entry(number * 1000 + n * 50 + k) for k in range(50)])

    threads = [threading.Thread(target=writer, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # What the disk and this process cost, whatever else the machine does meanwhile.
    taken_s = time.process_time() - begun + syncs[0] * 0.004
    assert log.head().sequence == 16_000
    log.close()
    assert syncs[0] < 16 * 20
    assert 16_000 / taken_s > 10_000


DRIVER = textwrap.dedent(
    """
    import os, sys, threading
    from pathlib import Path
    from shiprider.adapters.access_log.segmented import SegmentedAccessLog
    from shiprider.model.access_entry import AccessEntry

    log = SegmentedAccessLog(Path(sys.argv[1]), origin="node", segment_bytes=20_000)

    def work(number):
        n = 0
        while True:
            n += 1
            made = [AccessEntry(at_us=n, who=f"w{number}", session="", act="read", what="x", outcome="allowed",
                                count=n, why=str(k)) for k in range(3)]
            last = log.append(made)
            os.write(1, b"%d %d %d\\n" % (number, n, last))

    for number in range(4):
        threading.Thread(target=work, args=(number,), daemon=True).start()
    threading.Event().wait()
    """
)


def test_kill_minus_nine_loses_nothing_acknowledged_and_tears_no_append(tmp_path: Path) -> None:
    draw = random.Random(11)
    folder = tmp_path / "access"
    acknowledged: dict[int, tuple[int, int]] = {}
    for _ in range(25):
        child = subprocess.Popen([sys.executable, "-c", DRIVER, str(folder)], stdout=subprocess.PIPE)
        assert child.stdout is not None
        first = child.stdout.readline()
        time.sleep(draw.uniform(0.0, 0.05))
        child.kill()
        told = first + child.stdout.read()
        child.wait()
        for line in told.splitlines(keepends=True):
            if line.endswith(b"\n"):
                number, n, last = map(int, line.split())
                acknowledged[last] = (number, n)
        log = SegmentedAccessLog(folder, origin="node", segment_bytes=20_000)
        held = dict(log.since(0, limit=10**9))
        assert log.verify().sequence == len(held)
        assert list(held) == list(range(1, len(held) + 1))
        for last, (number, n) in acknowledged.items():
            group = [held[last - 2 + k] for k in range(3)]
            assert [(e.who, e.count, e.why) for e in group] == [(f"w{number}", n, str(k)) for k in range(3)]
        # Never a part of an append.
        assert [e.why for _, e in sorted(held.items())] == ["0", "1", "2"] * (len(held) // 3)
        log.close()
    assert len(acknowledged) > 100


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    where = tmp_path / "small"
    where.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(where)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"a tmpfs cannot be mounted here: {made.stderr.strip()}")
    yield where
    subprocess.run(["umount", "-l", str(where)], check=True)


def test_a_full_disk_refuses_the_access_and_it_goes_on_when_there_is_room(small_disk: Path) -> None:
    folder = small_disk / "access"
    log = opened(folder)
    accesses = Accesses(log, lambda: START_US)
    who = Observer(name="officer 1", session="s", purpose="watch")
    handed_out = 0
    with pytest.raises(DiskFull, match="refused"):
        while True:
            accesses.give(who, "read", "GET /api/v1/vessels", lambda: "secret", lambda _: ["a" * 32] * 40)
            handed_out += 1
    assert log.head().sequence == handed_out > 50
    with pytest.raises(DiskFull):
        accesses.give(who, "read", "GET /api/v1/vessels", lambda: "secret", lambda _: ["a" * 32] * 40)
    # Reading goes on, and nothing of what was refused is in the log.
    assert len(log.since(0, limit=10**6)) == handed_out
    assert log.verify().sequence == handed_out
    oldest = log.segments()[0]
    assert oldest.closed
    (small_disk / "spare").unlink(missing_ok=True)
    subprocess.run(["mount", "-o", "remount,size=2m", str(small_disk)], check=True)
    accesses.give(who, "read", "GET /api/v1/vessels", lambda: "secret", lambda _: ["a" * 32])
    assert log.head().sequence == handed_out + 1
    log.close()
    assert verify_folder(folder, origin="node", check=KEY.check).sequence == handed_out + 1


class _Broken:
    """A log that cannot be written."""

    def append(self, entries: object) -> int:
        raise StorageError("the log cannot be written")


def test_without_the_log_there_is_no_access_and_no_way_to_tell_a_refusal_apart() -> None:
    accesses = Accesses(_Broken(), lambda: 0)  # type: ignore[arg-type]
    who = Observer(name="officer 1")

    def refusing() -> str:
        raise Forbidden("not yours")

    for work in (lambda: "secret", refusing):
        with pytest.raises(StorageError):
            accesses.give(who, "export", "POST /api/v1/exports", work, lambda _: [])


def test_read_search_export_and_denial_are_logged_with_their_purpose(tmp_path: Path) -> None:
    log = opened(tmp_path / "access")
    accesses = Accesses(log, lambda: 7)
    who = Observer(name="officer 1", session="s", purpose="counter-drug")
    objects = [f"{n:032x}" for n in range(450)]
    accesses.give(who, "export", "POST /api/v1/exports", lambda: objects, lambda r: r, case="C-1")

    def refusing() -> str:
        raise NotFound("no such thing")

    def failing() -> str:
        raise ValueError("bug")

    with pytest.raises(NotFound):
        accesses.give(who, "read", "GET /api/v1/alerts/1", refusing, lambda _: [])
    with pytest.raises(ValueError, match="bug"):
        accesses.give(who, "search", "GET /api/v1/search", failing, lambda _: [])
    entries = [e for _, e in log.since(0)]
    assert [o for e in entries[:3] for o in e.objects] == objects
    assert [(e.act, e.outcome, e.why) for e in entries[2:]] == [
        ("export", "allowed", ""), ("read", "denied", "NotFound"), ("search", "failed", "ValueError"),
    ]  # fmt: skip
    assert {e.purpose for e in entries} == {"counter-drug"}
    log.close()
