"""The first use on a machine compiles, says so, and keeps what it compiled."""

import os
import subprocess
import sys
from pathlib import Path

_LINE = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\n"


def _decode(recording: Path, cache: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "shiprider", "decode", str(recording), "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=280,
        env=os.environ | {"NUMBA_CACHE_DIR": str(cache)},
    )


def test_compiling_is_told_once(tmp_path: Path) -> None:
    recording = tmp_path / "one.nmea"
    recording.write_bytes(_LINE)
    first = _decode(recording, tmp_path / "cache")
    assert first.stderr.startswith("Compiling for this machine: once")
    assert '"mmsi":265547250' in first.stdout
    second = _decode(recording, tmp_path / "cache")
    assert (second.stdout, second.stderr) == (first.stdout, "")
