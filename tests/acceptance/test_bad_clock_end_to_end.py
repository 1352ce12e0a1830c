"""Three bad stamps in three hours: what is found stays what it was, and a rebuild reads the same rows."""

import random
import re
from functools import reduce

import pytest

HOUR, DAY = 3600, 86_400


def with_bad_stamps(data: bytes, shift_s: int) -> bytes:
    """Three single-part sentences of the recording, stamped `shift_s` away from their time."""
    lines = data.splitlines(keepends=True)
    whole = [n for n, line in enumerate(lines) if b",1,1,," in line][1000:-1000]
    for at in random.Random(4).sample(whole, 3):
        tag, sentence = re.match(rb"\\(.*?)\*..\\(.*)", lines[at], re.S).groups()  # type: ignore[union-attr]
        tag = re.sub(rb"c:(\d+)", lambda found: b"c:%d" % (int(found[1]) + shift_s), tag)
        lines[at] = b"\\%b*%02X\\%b" % (tag, reduce(lambda a, b: a ^ b, tag, 0), sentence)
    return b"".join(lines)


def found(shiprider, path):  # type: ignore[no-untyped-def]
    told = shiprider("detect", path, "--json")
    assert told.code == 0, told.err
    return {(f["behaviour"], f["preset"], f["subtype"], *f["participants"]) for f in told.objects()}


@pytest.mark.parametrize("shift_s", [5 * HOUR, 3650 * DAY, -1024 * 7 * DAY])
def test_bad_stamps_make_no_finding_and_hide_none(shiprider, recording, tmp_path, shift_s):  # type: ignore[no-untyped-def]
    path = tmp_path / "bad.nmea"
    path.write_bytes(with_bad_stamps(recording.read_bytes(), shift_s))
    assert found(shiprider, path) == found(shiprider, recording)


def test_a_rebuild_reads_a_bad_clock_as_the_first_time(shiprider, recording, tmp_path):  # type: ignore[no-untyped-def]
    from shiprider.bootstrap.node import open_node
    from shiprider.model.codes import Flaw

    path, folder = tmp_path / "bad.nmea", tmp_path / "node"
    path.write_bytes(with_bad_stamps(recording.read_bytes(), 5 * HOUR))
    assert shiprider("init", folder).code == 0
    assert shiprider("ingest", path, "--node", folder).code == 0

    def rows():  # type: ignore[no-untyped-def]
        with open_node(folder) as opened:
            return opened.lake.scan("observations").collect().sort("raw")

    before = rows()
    assert shiprider("rebuild", folder).code == 0
    assert rows().equals(before)
    future = before.filter((before["flaws"] & int(Flaw.TIME_FUTURE)) != 0)
    assert 1 <= future.height <= 3
    assert before["received"].max() < future["time"].min()
