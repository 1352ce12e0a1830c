"""Promise 4 for the ledger: what was acknowledged is durable; 0 lost, torn or doubled over the crash points.

A child appends signed batches, replaces its key now and then, and says after each batch what was
acknowledged; it is killed with SIGKILL at random moments and at every step of a commit and of a change of
keys; the ledger opened afterwards (chain, tree and signed head are checked) must hold every acknowledged
batch whole, once, in order, and at most one more (committed, not yet acknowledged).
"""

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable

import pytest

RANDOM_POINTS = 40
STEPS = (
    "before_insert",
    "between_inserts",
    "after_insert",
    "before_tree",
    "after_tree",
    "before_commit",
    "before_head",
    "torn_head",
    "after_head",
    "before_checkpoint",
    "before_key_file",
    "after_key_file",
)

DRIVER = textwrap.dedent(
    """
    import json, os, random, signal, sys, time
    from pathlib import Path
    from shiprider.adapters.keys.files import FileKeys
    from shiprider.adapters.ledger import writing
    from shiprider.adapters.ledger.headfile import HeadFile
    from shiprider.adapters.ledger.log import SqlLog, now_us
    from shiprider.adapters.ledger.postgres import PostgresLedger
    from shiprider.adapters.ledger.sqlite import SqliteLedger
    from shiprider.flow import signing_keys
    from shiprider.model.errors import NodeBusy
    from shiprider.model.record import Draft
    from shiprider.ports.ledger import Filed

    folder, random_points, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    steps, counts, url = sys.argv[4].split(","), [int(n) for n in sys.argv[5].split(",")], sys.argv[6]
    draw = random.Random(seed)

    def batch(number, size):
        return [
            Filed(draft=Draft(id=os.urandom(16).hex(), kind="note", expected_revision=0, schema=1, author="Ana",
                  valid_from_us=number, body=json.dumps([number, n, size]).encode() + b"x" * 200), terms=("t:1",))
            for n in range(size)
        ]

    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    def arm(step, countdown):
        left = [countdown]
        def at(real, before):
            def run(*args, **kwargs):
                left[0] -= 1
                if left[0] <= 0 and before:
                    die()
                done = real(*args, **kwargs)
                if left[0] <= 0:
                    die()
                return done
            return run
        if step == "before_insert":
            writing.insert_records = at(writing.insert_records, True)
        elif step == "after_insert":
            writing.insert_records = at(writing.insert_records, False)
        elif step == "before_head":
            HeadFile.write = at(HeadFile.write, True)
        elif step == "after_head":
            HeadFile.write = at(HeadFile.write, False)
        elif step == "torn_head":
            real = os.pwrite
            def torn(file, data, offset):
                left[0] -= 1
                if left[0] <= 0:
                    real(file, data[:40], offset)
                    die()
                return real(file, data, offset)
            os.pwrite = torn
        elif step == "before_checkpoint":
            kind = PostgresLedger if url else SqliteLedger
            kind._checkpoint = at(kind._checkpoint, True)
        elif step == "between_inserts":
            writing._insert = at(writing._insert, False)
        elif step in ("before_tree", "after_tree"):
            writing.store_tree = at(writing.store_tree, step == "before_tree")
        elif step == "before_commit":
            import sqlalchemy as sa
            sa.event.listen(sa.Engine, "commit", at(lambda connection: None, True))
        elif step in ("before_key_file", "after_key_file"):
            FileKeys._replace = at(FileKeys._replace, step == "before_key_file")

    def opened():
        keys = FileKeys(folder / "keys", clock=now_us)
        if url:
            ledger = PostgresLedger(url, folder / "ledger.head", origin="n", keys=keys)
        else:
            ledger = SqliteLedger(folder / "ledger.sqlite", origin="n", keys=keys)
        signing_keys.settle(ledger, keys, now_us)
        return ledger, keys

    def child(out, step, countdown):
        ledger, keys = opened()
        if step:
            arm(step, countdown)
        number = 0
        while True:
            number += 1
            if number % 3 == 0:
                signing_keys.rotate(ledger, keys, now_us, "Ana")
            drafts = batch(number, draw.randint(1, 40))
            done = ledger.append(drafts)
            os.write(out, (json.dumps([done[0].sequence, len(done), number]) + "\\n").encode())

    held = []  # (first sequence, size, number of run and batch) acknowledged so far, over all runs
    report = {"points": 0, "acknowledged": 0, "faults": [], "unacknowledged": 0}
    points = [("", 0)] * random_points + [(step, n) for step in steps for n in counts]
    for step, countdown in points:
        reader, out = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            try:
                child(out, step, countdown)
            finally:
                os._exit(3)
        os.close(out)
        if not step:
            time.sleep(draw.uniform(0.02, 0.25))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            report["faults"].append(f"{step or 'random'}: ended by itself with {status}")
        data = b""
        while part := os.read(reader, 65536):
            data += part
        os.close(reader)
        held += [json.loads(line) for line in data.decode().splitlines(keepends=True) if line.endswith("\\n")]
        for _ in range(200):  # a server frees the dead session's lock in its own time
            try:
                ledger, keys = opened()  # checks the whole chain, the tree and the signed head
                break
            except NodeBusy:
                time.sleep(0.05)
        rows = ledger.since(0, limit=10**9)
        if ledger.tree_head().size != len(rows):
            report["faults"].append("records without a signed head over them")
        if [row.sequence for row in rows] != list(range(1, len(rows) + 1)):
            report["faults"].append("a hole in the sequence")
        rows = [row for row in rows if row.kind == "note"]
        if len({row.id for row in rows}) != len(rows):
            report["faults"].append("a record twice")
        content = {row.sequence: json.loads(row.body.split(b"x")[0]) for row in rows}
        for first, size, number in held:
            if [content.get(first + n) for n in range(size)] != [[number, n, size] for n in range(size)]:
                report["faults"].append(f"batch at {first} lost or torn")
        covered = sum(size for _, size, _ in held)
        extra = len(rows) - covered
        if extra:  # committed, not acknowledged: whole batches
            tail = sorted(set(content) - {f + n for f, size, _ in held for n in range(size)})
            at = 0
            while at < len(tail):
                number, n, size = content[tail[at]]
                if [content.get(s) for s in tail[at:at + size]] != [[number, k, size] for k in range(size)]:
                    report["faults"].append(f"a torn batch at {tail[at]}")
                    break
                held.append([tail[at], size, number])
                report["unacknowledged"] += 1
                at += size
        if report["points"] % 20 == 19:
            ledger.verify()  # every signature
        ledger.close()
        report["points"] += 1
    report["keys"] = len(FileKeys(folder / "keys", clock=now_us).public())
    report["acknowledged"] = sum(size for _, size, _ in held)
    print(json.dumps(report))
    """
)


def crash(
    folder: object, random_points: int, counts: tuple[int, ...], url: str = "", timeout: int = 250
) -> None:
    arguments = [str(random_points), "20260", ",".join(STEPS), ",".join(map(str, counts)), url]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder), *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["faults"] == []
    assert report["points"] == random_points + len(counts) * len(STEPS)
    assert report["acknowledged"] > 2 * report["points"]
    # The steps between commit and acknowledgement were really hit, and keys were really replaced.
    assert report["unacknowledged"] >= len(counts)
    assert report["keys"] > 3


@pytest.mark.timeout(300)
def test_kill_minus_nine_loses_nothing_that_was_acknowledged(tmp_path: object) -> None:
    crash(tmp_path, RANDOM_POINTS, (1, 3))


@pytest.mark.timeout(300)
def test_kill_minus_nine_on_a_server(tmp_path: object, postgres_database: Callable[[], str]) -> None:
    crash(tmp_path, 10, (2,), postgres_database())


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("server", [False, True])
def test_two_hundred_crash_points(tmp_path: object, server: bool, request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("postgres_database")() if server else ""
    crash(tmp_path, 140, (1, 2, 3, 4, 5, 7), url, timeout=1700)
