"""A recording may be as large as it likes: the memory that taking it needs does not grow with it."""

from pathlib import Path

import pytest

from shiprider.cli.bench.ingest import in_own_process, write_recording

#: Two cores and a small machine: docs/decisions/0003-spool-and-lake.md.
MOST_MIB = 1024
#: What the threads' timing alone moves the peak by.
PLAY_MIB = 128


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_three_gigabytes_need_no_more_memory_than_a_third_of_one(tmp_path: Path) -> None:
    peaks = []
    for name, sentences, octets in (("small", 4_000_000, 300 << 20), ("large", 40_000_000, 2_900 << 20)):
        recording = tmp_path / f"{name}.nmea"
        written, messages = write_recording(recording, sentences)
        assert written == sentences
        assert recording.stat().st_size > 0.95 * octets
        taken = in_own_process(recording, tmp_path / f"{name}-node", tmp_path / "modules")
        recording.unlink()
        assert taken["rows"] == messages
        peaks.append(taken["peak_mib"])
    small, large = peaks
    assert large <= MOST_MIB
    assert large <= small + PLAY_MIB
