"""A kernel is compiled again where a file has changed that it takes something from."""

import os
import subprocess
import sys
from pathlib import Path

import shiprider
from shiprider.measure import kernels

_PACKAGE = Path(shiprider.__file__).parent
_FRAMING = _PACKAGE / "formats/ais/framing.py"


def test_imports_are_followed() -> None:
    assert _PACKAGE / "formats/ais/octets.py" in kernels.imported(_FRAMING)
    assert _PACKAGE / "formats/ais/tag_blocks.py" in kernels.imported(_FRAMING)
    # Several lines, a package's module by name, and an import of the package itself.
    assert _PACKAGE / "formats/ais/places.py" in kernels.imported(_FRAMING)
    assert _PACKAGE / "formats/ais/columns.py" in kernels.imported(_PACKAGE / "formats/ais/beside.py")


def _run(root: Path) -> int:
    """How many kernels are compiled for one distance, by a copy of the package."""
    script = (
        "from numba.core import event\n"
        "made = []\n"
        "class L(event.Listener):\n"
        "    def on_start(self, told): made.append(told)\n"
        "    def on_end(self, told): pass\n"
        "event.register('numba:compile', L())\n"
        "from shiprider.detect.legs import leg_speed\n"
        "import shiprider\n"
        "leg_speed(1.0, 1.0, 1.0, 1.0, 1.1, 1.0, 1_000_000, 60_000_000)\n"
        "print(shiprider.__file__)\n"
        "print(sum('leg_speed' in repr(t.data) for t in made))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(root), "NUMBA_CACHE_DIR": str(root / "cache")},
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    place, count = done.stdout.split()
    assert Path(place).is_relative_to(root)
    return int(count)


def test_a_change_far_away_compiles_anew(tmp_path: Path) -> None:
    copy = tmp_path / "shiprider"
    for name in ("__init__.py", "measure", "detect"):
        source = _PACKAGE / name
        files = [source] if source.is_file() else sorted(source.rglob("*.py"))
        for file in files:
            to = copy / file.relative_to(_PACKAGE)
            to.parent.mkdir(parents=True, exist_ok=True)
            to.write_bytes(file.read_bytes())
    assert _run(tmp_path) == 1
    assert _run(tmp_path) == 0
    geodesy = copy / "measure/geodesy.py"
    geodesy.write_text(geodesy.read_text() + "\n# Changed.\n")
    assert _run(tmp_path) == 1
    assert _run(tmp_path) == 0
