"""Whatever is wrong with an input, a user gets one sentence on stderr, the promised exit code, no traceback."""

import gzip
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import zstandard


def sentence(told, code: int, *words: str) -> None:  # type: ignore[no-untyped-def]
    assert told.code == code, told.err
    said = [line for line in told.err.splitlines() if line.startswith("shiprider: ")]
    assert len(said) == 1, told.err
    assert "Traceback" not in told.err
    for word in words:
        assert word in said[0]


@pytest.fixture(scope="module")
def lines(recording: Path) -> list[bytes]:
    return recording.read_bytes().splitlines(keepends=True)[:400]


@pytest.mark.parametrize(
    ("name", "content", "code", "word"),
    [
        ("missing.nmea", None, 2, "does not exist"),
        ("garbage.nmea", bytes(range(256)) * 400, 3, "neither AIS"),
        ("unknown.csv", b"a,b,c\n1,2,3\n", 3, "unknown header"),
        ("unstamped.nmea", b"!AIVDM,1,1,,A,13HOI:0P0000VOHLCnHQKwvL05Ip,0*23\r\n", 3, "no time stamps"),
    ],
)
def test_a_recording_that_cannot_be_read(shiprider, tmp_path, name, content, code, word):  # type: ignore[no-untyped-def]
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    sentence(shiprider("detect", path), code, name, word)


def test_a_folder_is_no_recording(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    sentence(shiprider("detect", tmp_path), 2, "is a folder")


def test_an_empty_recording_has_no_findings(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    path = tmp_path / "empty.nmea"
    path.write_bytes(b"")
    told = shiprider("detect", path, "--json")
    assert (told.code, told.out) == (0, "")


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_packed_recording_that_was_cut_off(shiprider, tmp_path, lines, kind):  # type: ignore[no-untyped-def]
    pack = gzip.compress if kind == "gz" else zstandard.ZstdCompressor().compress
    data = pack(b"".join(lines))
    path = tmp_path / f"cut.nmea.{kind}"
    path.write_bytes(data[: len(data) // 2])
    sentence(shiprider("detect", path), 3, "damaged or cut off")


def test_wrong_checksums_are_counted_and_the_rest_is_taken(shiprider, tmp_path, lines):  # type: ignore[no-untyped-def]
    single = [line for line in lines if b"VDM,1,1," in line]
    broken = 0
    for n in range(0, len(single), 10):
        body, digits = single[n].rstrip().rsplit(b"*", 1)
        single[n] = body + b"*" + (b"%02X" % (int(digits, 16) ^ 1)) + b"\r\n"
        broken += 1
    path = tmp_path / "wrong.nmea"
    path.write_bytes(b"".join(single))
    told = shiprider("detect", path, "--json")
    assert told.code == 0
    assert f"{broken} sentences could not be decoded: bad checksum." in told.err


@pytest.mark.parametrize(
    ("option", "name", "text", "code", "word"),
    [
        ("--anchorages", "a.csv", "name,latitude_deg,longitude_deg\nA,1,2\nB,91,3\n", 3, "row 3"),
        ("--anchorages", "h.csv", "x,y\nA,1\n", 3, "row 1"),
        ("--receivers", "r.csv", "source,kind,latitude_deg,longitude_deg\nA,foo,1,2\n", 3, "row 2"),
        ("--areas", "a.geojson", '{"type":', 3, "not JSON"),
        ("--areas", "b.geojson", "[]", 3, "not GeoJSON"),
        ("--watchlist", "w.csv", "foo,bar\n1,2\n", 3, "line 1"),
        ("--watchlist", "w2.csv", "mmsi,imo,name,callsign,reason\nabc,,,,x\n", 3, "line 2"),
        ("--watchlist", "w.csv.gz", "no gzip", 2, "gzip"),
        ("--watchlist", "missing.csv.gz", None, 2, "cannot be read"),
        ("--presets-file", "p.toml", "x=", 2, "not TOML"),
        ("--presets-file", "missing.toml", None, 2, "cannot be read"),
        ("--start", "yesterday", None, 2, "ISO 8601"),
    ],
)
def test_a_list_of_the_user_is_wrong(shiprider, tmp_path, recording, option, name, text, code, word):  # type: ignore[no-untyped-def]
    path = tmp_path / name
    if text is not None:
        path.write_text(text)
    sentence(shiprider("detect", recording, option, name if option == "--start" else path), code, word)


COMMANDS = [
    ["ingest", "RECORDING", "--node"],
    ["run"],
    ["alerts", "--node"],
    ["tracks", "--node"],
    ["report", "calibration", "--node"],
    ["quarantine", "--node"],
    ["retention", "--node"],
    ["rebuild"],
    ["backup", "TARGET", "--node"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_a_folder_that_is_no_node(shiprider, tmp_path, recording, words):  # type: ignore[no-untyped-def]
    given = [{"RECORDING": recording, "TARGET": tmp_path / "copy"}.get(w, w) for w in words]
    sentence(shiprider(*given, tmp_path / "none"), 2, "is not a node")
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("language", "langage", "langage"),
        ("[api]", "[[", "not valid TOML"),
        # With access control a node may listen beyond the loopback, by TLS; the demo's open door never may.
        (
            'host = "127.0.0.1"\nport = 8750',
            'host = "0.0.0.0"\nport = 0\n[access]\ndemo = true',
            "loopback",
        ),
        ("[watch]", '[watch]\npresets = ["no.such"]', "no.such"),
        ("[watch]", '[[feeds]]\nname = "a"\nkind = "file"\npath = "x"\nstart = "soon"\n[watch]', "ISO 8601"),
    ],
    ids=["misspelt", "bad TOML", "demo not on the loopback", "unknown preset", "bad start"],
)
def test_settings_that_cannot_be_meant(shiprider, tmp_path, old, new, word):  # type: ignore[no-untyped-def]
    shiprider("init", tmp_path / "n")
    path = tmp_path / "n" / "shiprider.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    sentence(shiprider("run", tmp_path / "n"), 2, word)


def test_a_port_that_is_taken(shiprider, node):  # type: ignore[no-untyped-def]
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told = shiprider("run", node, "--port", other.getsockname()[1])
    assert told.code not in (0, 1)
    sentence(told, told.code, "port")


def test_a_busy_node(shiprider, node, recording):  # type: ignore[no-untyped-def]
    from shiprider.bootstrap.folder import node_lock

    with node_lock(node):
        sentence(shiprider("ingest", recording, "--node", node), 6)


def test_a_flipped_byte_in_the_spool_is_found(shiprider, node):  # type: ignore[no-untyped-def]
    segment = max((p for p in (node / "spool").rglob("*") if p.is_file()), key=lambda p: p.stat().st_size)
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.chmod(0o600)
    segment.write_bytes(data)
    told = shiprider("doctor", "--node", node)
    assert told.code == 1
    assert "LOOK" in told.out
    assert "Traceback" not in told.err


def unlock(database: sqlite3.Connection) -> None:
    """Away with the triggers that keep the log append-only: who can write the file can drop them."""
    for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        database.execute(f"DROP TRIGGER {name}")


def doctored(shiprider, node: Path) -> str:  # type: ignore[no-untyped-def]
    """The one sentence in which `doctor` tells that the ledger was changed."""
    told = shiprider("doctor", "--node", node, "--json")
    assert told.code == 1
    assert "Traceback" not in told.err
    wrong = [check["text"] for check in told.objects() if not check["ok"]]
    assert len(wrong) == 1, wrong
    assert "ledger.sqlite" in wrong[0]
    assert wrong[0].endswith("restore it from a back-up.")
    return str(wrong[0])


def test_a_changed_record_in_the_ledger_is_found(shiprider, node):  # type: ignore[no-untyped-def]
    with sqlite3.connect(node / "ledger.sqlite") as database:
        sequence, body = database.execute(
            "SELECT sequence, body FROM record WHERE kind = 'finding' ORDER BY sequence LIMIT 1"
        ).fetchone()
        unlock(database)
        at = body.index(b"score")
        changed = body[:at] + b"tcore" + body[at + 5 :]
        database.execute("UPDATE record SET body = ? WHERE sequence = ?", (changed, sequence))
    assert f"holds a changed body at record {sequence};" in doctored(shiprider, node)


def test_every_byte_of_a_word_in_the_ledger_counts(shiprider, node):  # type: ignore[no-untyped-def]
    path = node / "ledger.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    good = path.read_bytes()
    for word in (b"simulated:True", b'"score"'):
        for at in (good.index(word), good.rindex(word)):
            path.write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
            doctored(shiprider, node)


@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM term WHERE term = 'open' AND sequence = :alert",
        "INSERT INTO term SELECT 'state:dismissed', sequence, class_id FROM latest WHERE sequence = :alert",
        "DELETE FROM latest WHERE sequence = :alert",
        "UPDATE latest SET valid_to_us = 0 WHERE sequence = :alert",
    ],
    ids=["hidden", "dismissed", "gone", "over"],
)
def test_an_alert_hidden_behind_its_search_rows_is_found(shiprider, node, change):  # type: ignore[no-untyped-def]
    assert shiprider("doctor", "--node", node).code == 0
    with sqlite3.connect(node / "ledger.sqlite") as database:
        unlock(database)
        (alert,) = database.execute(
            "SELECT sequence FROM latest WHERE kind = 'alert' AND newest = 1 ORDER BY sequence LIMIT 1"
        ).fetchone()
        assert database.execute(change, {"alert": alert}).rowcount == 1
    assert "search rows were changed" in doctored(shiprider, node)


def test_a_hostile_file_name_moves_no_terminal(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    name = "a\x1b[2J\nshiprider: all is well.nmea"
    told = shiprider("decode", tmp_path / name)
    assert told.code == 2
    assert "\x1b" not in told.err
    assert len(told.err.splitlines()) == 1
    told = shiprider("doctor", "\x1b[2J")
    assert told.code == 2
    assert "\x1b" not in told.err


@pytest.mark.parametrize("command", ["detect", "decode", "ingest"])
def test_a_file_name_that_is_not_utf8(shiprider, tmp_path, recording, command):  # type: ignore[no-untyped-def]
    path = tmp_path / "od\udcff\udcfed.nmea"
    path.write_bytes(b"".join(recording.read_bytes().splitlines(keepends=True)[:400]))
    more: list[object] = []
    if command == "ingest":
        shiprider("init", tmp_path / "n")
        more = ["--node", tmp_path / "n"]
    told = shiprider(command, path, "--json", *more)
    assert told.code == 0, told.err


@pytest.mark.parametrize("words", [["decode", "RECORDING", "--json"], ["--help"], ["decode", "RECORDING"]])
def test_a_full_place_for_the_output_is_told(recording, words):  # type: ignore[no-untyped-def]
    argv = [sys.executable, "-m", "shiprider", *(str(recording) if w == "RECORDING" else w for w in words)]
    with Path("/dev/full").open("wb") as full:
        told = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert told.returncode == 5
    assert len(told.stderr.splitlines()) == 1, told.stderr
    assert told.stderr.startswith("shiprider: No space left")


@pytest.mark.parametrize("limit", [[], ["--limit", "3"]], ids=["long", "short"])
def test_a_reader_that_has_seen_enough_is_no_error(recording, limit):  # type: ignore[no-untyped-def]
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-m", "shiprider", "decode", str(recording), "--json", *limit]
    told = subprocess.run(argv, stdout=writing, stderr=subprocess.PIPE, text=True, timeout=60)
    os.close(writing)
    assert (told.returncode, told.stderr) == (0, "")


def test_without_a_standard_output(recording):  # type: ignore[no-untyped-def]
    argv = ["sh", "-c", '"$0" -m shiprider decode "$1" --json --limit 3 >&-', sys.executable, str(recording)]
    told = subprocess.run(argv, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (told.returncode, told.stderr) == (0, "")


@pytest.mark.parametrize("damage", ["torn", "garbage", "gone"])
def test_a_damaged_state_is_folded_again_to_the_same_findings(shiprider, node, recording, damage):  # type: ignore[no-untyped-def]
    before = findings(node)
    path = node / "state" / "folds" / "latest"
    if damage == "gone":
        shutil.rmtree(path.parent)
    else:
        path.write_bytes(path.read_bytes()[:1000] if damage == "torn" else b"no state at all")
    told = shiprider("ingest", recording, "--node", node, "--json")
    assert told.code == 0, told.err
    assert findings(node) == before


def findings(node: Path) -> set[tuple[object, ...]]:
    """Ids and content of what stands in a node's ledger."""
    from shiprider.bootstrap.node import open_node
    from shiprider.flow.view import seen
    from shiprider.model.publication import Publication
    from shiprider.ports.ledger import Query

    with open_node(node) as opened:
        records = [r for r in opened.ledger.find(Query("finding")) if r.body is not None]
        bodies = [(r.id, seen(r, Publication).body) for r in records]
    return {
        (name, f.behaviour, f.preset, f.subtype, tuple(f.participants), f.start_us)
        for name, f in ((name, body.finding) for name, body in bodies if not body.merged_into)
        if f.state != "retracted"
    }
