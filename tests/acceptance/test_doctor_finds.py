"""`shiprider doctor` finds what is broken, and names it: each fault is planted in a real node."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from shiprider.measure.clock import HOUR_US


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _small_segments(folder: Path) -> None:
    """A spool of several segments, as a busy week leaves it."""
    from shiprider.adapters.spool.segmented import SegmentedSpool
    from shiprider.ports.feed import Declaration, Origin

    spool = SegmentedSpool(folder / "spool", segment_bytes=1 << 12)
    source = spool.source(Declaration(name="coast", standard="x"), Origin(file="f"))
    for n in range(60):
        line = b"!AIVDM,1,1,,A,%06d%s,0*00\r\n" % (n, b"x" * 180)
        spool.append(source.number, line, file_offset=n * len(line), received_us=1_700_000_000_000_000 + n)
    spool.close()


def missing_segment(folder: Path) -> None:
    number = sorted((folder / "spool").glob("*.zst"))[1].stem
    for path in (folder / "spool").glob(f"{number}.*"):
        path.unlink()


def lost_bytes(folder: Path) -> None:
    sorted((folder / "spool").glob("*.zst"))[1].unlink()


def altered_segment(folder: Path) -> None:
    _flip(sorted((folder / "spool").glob("*.zst"))[1])


def altered_index(folder: Path) -> None:
    _flip(folder / "spool" / f"{sorted((folder / 'spool').glob('*.zst'))[1].stem}.index")


def rewritten_sentence(folder: Path) -> None:
    """Its checksums made anew: only the signed log tells."""
    from promises import spool_attack
    from shiprider.adapters.spool.segmented import SegmentedSpool

    spool = SegmentedSpool(folder / "spool")
    stored, data = next(spool.chunks())
    spool.close()
    spool_attack.rewrite(folder / "spool", stored.raw, data, data.replace(b"!AIVDM", b"!AIVDO", 1))


def access_log_edited(folder: Path) -> None:
    live = max(path for path in (folder / "access").glob("0*.log") if path.stat().st_size)
    live.write_bytes(live.read_bytes().replace(b'"read"', b'"Read"', 1))


def ledger_edited(folder: Path) -> None:
    import sqlite3

    _notes(folder, 3)
    base = sqlite3.connect(folder / "ledger.sqlite")
    for (name,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        base.execute(f'DROP TRIGGER "{name}"')  # who may write the file may do this
    base.execute("UPDATE record SET author = 'somebody' WHERE sequence = 2")
    base.commit()
    base.close()


def disk_fills(folder: Path) -> None:
    import time

    now, free = time.time_ns() // 1000, 100 << 30
    lines = [f"{now - (72 - n) * HOUR_US} {free - n * (1 << 30)}\n" for n in range(73)]
    (folder / "state").mkdir(exist_ok=True)
    (folder / "state" / "disk.history").write_text("".join(lines))


def clock_set_back(folder: Path) -> None:
    _notes(folder, 1, clock=lambda: 4_000_000_000_000_000)


def _notes(folder: Path, count: int, **more: Any) -> None:
    from shiprider.adapters.ledger.sqlite import SqliteLedger
    from shiprider.bootstrap.folder import load_settings
    from shiprider.bootstrap.keys import open_keys
    from shiprider.model.record import Draft

    keys = open_keys(folder, load_settings(folder))
    ledger = SqliteLedger(folder / "ledger.sqlite", origin="node", keys=keys, **more)
    for n in range(count):
        ledger.append([Draft(id=f"{n:032x}", kind="note", expected_revision=0, schema=1, author="a", valid_from_us=1,
                             body=b'{"subject_kind":"vessel","subject":"1","text":"x"}')])  # fmt: skip
    ledger.close()


def certificate_ends(folder: Path) -> None:
    import subprocess

    (folder / "tls").mkdir()
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", os.devnull, "-out",
         str(folder / "tls" / "node.pem"), "-subj", "/CN=node", "-days", "3"], check=True, capture_output=True,
    )  # fmt: skip


def time_source_gone(folder: Path) -> None:
    settings = folder / "shiprider.toml"
    settings.write_text(settings.read_text() + '\n[care]\ntime_source = "ntp://127.0.0.1:9"\n')


FAULTS: list[tuple[Callable[[Path], None], str, str]] = [
    (missing_segment, "spool", "is missing"),
    (lost_bytes, "spool", "is not there"),
    (altered_segment, "spool", "restore it"),
    (altered_index, "spool", "does not match"),
    (rewritten_sentence, "spool's seals", "is not what was sealed"),
    (access_log_edited, "access log", "does not follow on"),
    (ledger_edited, "node", "record"),
    (disk_fills, "disk trend", "full in"),
    (clock_set_back, "clock against the ledger", "set back"),
    (certificate_ends, "certificate tls/node.pem", "renew it"),
    (time_source_gone, "clock against the time source", "gave no time"),
]


@pytest.mark.parametrize(("plant", "check", "words"), FAULTS, ids=[each[0].__name__ for each in FAULTS])
def test_it_is_found_and_named(shiprider, node, plant, check, words):  # type: ignore[no-untyped-def]
    _small_segments(node)
    assert shiprider("audit", "--node", node, "--json").code == 0  # an entry in the access log
    before = {each["check"]: each for each in shiprider("doctor", "--node", node, "--json").objects()}
    assert (
        check == "node" or check.startswith(("certificate", "clock against the time")) or before[check]["ok"]
    ), before
    plant(node)
    told = shiprider("doctor", "--node", node, "--json")
    found = {each["check"]: each for each in told.objects()}
    assert told.code == 1 and not found[check]["ok"] and words in found[check]["text"], found
