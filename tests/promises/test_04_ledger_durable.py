"""Promise 4 for the ledger: what was acknowledged is durable; 0 lost, torn or doubled over the crash points.

A child appends batches and says after each what was acknowledged; it is killed with SIGKILL at random
moments and at every step of a commit; the ledger opened afterwards must hold every acknowledged batch
whole, once, in order, and at most one more (committed, not yet acknowledged).
"""

import json
import subprocess
import sys
import textwrap

import pytest

RANDOM_POINTS = 60
STEPS = ("before_insert", "after_insert", "before_head", "torn_head", "after_head", "before_checkpoint")

DRIVER = textwrap.dedent(
    """
    import json, os, random, signal, sys, time
    from pathlib import Path
    from shiprider.adapters.ledger import sqlite as module, writing
    from shiprider.adapters.ledger.headfile import HeadFile
    from shiprider.adapters.ledger.sqlite import SqliteLedger
    from shiprider.model.record import Draft
    from shiprider.ports.ledger import Filed

    folder, random_points, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    steps = sys.argv[4].split(",")
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
            SqliteLedger._checkpoint = at(SqliteLedger._checkpoint, True)

    def child(path, out, step, countdown):
        if step:
            arm(step, countdown)
        ledger = SqliteLedger(path, origin="n")
        number = 0
        while True:
            number += 1
            drafts = batch(number, draw.randint(1, 40))
            done = ledger.append(drafts)
            os.write(out, (json.dumps([done[0].sequence, len(done), number]) + "\\n").encode())

    path = folder / "ledger.sqlite"
    held = []  # (first sequence, size, number of run and batch) acknowledged so far, over all runs
    report = {"points": 0, "acknowledged": 0, "faults": [], "unacknowledged": 0}
    points = [("", 0)] * random_points + [(step, n) for step in steps for n in (1, 2, 4)]
    for step, countdown in points:
        reader, out = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            try:
                child(path, out, step, countdown)
            finally:
                os._exit(3)
        os.close(out)
        if not step:
            time.sleep(draw.uniform(0.02, 0.12))
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        if not os.WIFSIGNALED(status):
            report["faults"].append(f"{step or 'random'}: ended by itself with {status}")
        data = b""
        while part := os.read(reader, 65536):
            data += part
        os.close(reader)
        held += [json.loads(line) for line in data.decode().splitlines(keepends=True) if line.endswith("\\n")]
        ledger = SqliteLedger(path, origin="n")  # verifies the whole chain
        rows = ledger.since(0, limit=10**9)
        if [row.sequence for row in rows] != list(range(1, len(rows) + 1)):
            report["faults"].append("a hole in the sequence")
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
                if [content[s] for s in tail[at:at + size]] != [[number, k, size] for k in range(size)]:
                    report["faults"].append(f"a torn batch at {tail[at]}")
                    break
                held.append([tail[at], size, number])
                report["unacknowledged"] += 1
                at += size
        ledger.close()
        report["points"] += 1
    report["acknowledged"] = sum(size for _, size, _ in held)
    print(json.dumps(report))
    """
)


@pytest.mark.timeout(120)
def test_kill_minus_nine_loses_nothing_that_was_acknowledged(tmp_path: object) -> None:
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(tmp_path), str(RANDOM_POINTS), "20260", ",".join(STEPS)],
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["faults"] == []
    assert report["points"] == RANDOM_POINTS + 3 * len(STEPS)
    assert report["acknowledged"] > 500
    # The steps between commit and acknowledgement were really hit.
    assert report["unacknowledged"] >= 3
