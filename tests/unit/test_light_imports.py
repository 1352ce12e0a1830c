"""A light command stays light: it imports what it needs and nothing else.

Always true: what is looked at is `sys.modules` of a process that ran the command to its end.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: Run a command as `python -m shiprider` does, then tell what was imported.
_RUN = """
import contextlib, io, json, sys
from shiprider.cli.main import main
with contextlib.redirect_stdout(io.TextIOWrapper(io.BytesIO())):
    try:
        main()
    except SystemExit as done:
        code = done.code
print(json.dumps([code or 0, sorted(sys.modules)]))
"""

#: Whole packages that no command needs which only reads bytes and prints.
_STORES = frozenset(
    {"polars", "pandas", "deltalake", "sqlalchemy", "cedarpy", "litestar", "uvicorn", "cryptography"}
)
_OURS = frozenset(
    f"shiprider.{name}" for name in ("api", "detect", "flow", "observe", "share", "simulate", "track")
)
#: Numba itself imports scipy.linalg when it loads a kernel; nothing of ours imports another part.
_SCIPY = frozenset(
    f"scipy.{name}" for name in ("fft", "integrate", "optimize", "sparse", "spatial", "special", "stats")
)
#: What kernels and columns need.
_NUMERIC = frozenset({"numpy", "numba", "pyarrow", "scipy", "msgspec"})


def _imported(*words: str | Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", _RUN, *map(str, words)], capture_output=True, text=True, check=True
    )
    code, modules = json.loads(done.stdout)
    assert code == 0, done.stderr
    return set(modules)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """Three messages and a line that cannot be decoded."""
    place = tmp_path / "light.nmea"
    place.write_text(
        "!AIVDM,1,1,,B,15NG6V0P01G?cFhE`R2IU?wn28R>,0*05\r\n"
        "!AIVDM,1,1,,B,15NG6V0P01G?cFhE`R2IU?wn28R>,0*06\r\n"
        "!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"
    )
    return place


@pytest.mark.parametrize("words", [["--json"], []])
def test_decode_imports_what_decoding_needs(recording: Path, words: list[str]) -> None:
    imported = _imported("decode", recording, *words)
    assert "shiprider.formats.ais.framing" in imported
    assert imported & (_STORES | _OURS | _SCIPY) == set()


@pytest.mark.parametrize(
    "words", [[], ["--version"], ["--help"], ["init", "--help"], ["decode", "--help"], ["run", "--help"]]
)
def test_what_only_explains_imports_nothing_numeric(words: list[str]) -> None:
    imported = _imported(*words)
    assert "shiprider.cli.main" in imported
    assert imported & (_STORES | _OURS | _SCIPY | _NUMERIC) == set()
    assert not any(name.startswith("shiprider.bootstrap") for name in imported)


def test_importing_geodesy_makes_no_kernel() -> None:
    code = "import sys, shiprider.measure.geodesy; print('numba.np.arraymath' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
