"""What a kept state may be made of: a back-up that somebody altered must not run anything."""

import hashlib
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from shiprider.flow.folds import FoldState
from shiprider.flow.keeping import _MAGIC, StateShelf
from shiprider.model.orders import WatchlistEntry


def _text(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


def _calling(module: str, name: str, argument: str) -> bytes:
    """Protocol 4 by hand: `module.name(argument)`."""
    return b"\x80\x04" + _text(module) + _text(name) + b"\x93" + _text(argument) + b"\x85R."


def _shelve(folder: Path, body: bytes) -> StateShelf:
    folder.mkdir()
    (folder / "latest").write_bytes(_MAGIC + hashlib.sha256(body).digest() + body)
    return StateShelf(folder, "1")


@pytest.mark.parametrize(
    ("module", "name"),
    [
        # What a module of ours imported, by a dotted name; what is no class; a class of another module.
        ("shiprider.adapters.ledger.checking", "os.mkdir"),
        ("shiprider.flow.keeping", "os.mkdir"),
        ("shiprider.detect.context", "annotations.getOptionalRelease"),
        ("shiprider.flow.folds", "Path"),
        ("numpy", "os.mkdir"),
        ("numpy.testing._private.utils", "runstring"),
        ("collections", "_sys.exit"),
        ("builtins", "eval"),
        ("os", "mkdir"),
    ],
)
def test_nothing_else_is_called(tmp_path: Path, module: str, name: str) -> None:
    made = tmp_path / "made"
    shelf = _shelve(tmp_path / "shelf", _calling(module, name, str(made)))
    assert shelf.latest() is None
    assert not made.exists()


def test_a_state_is_still_taken_up(tmp_path: Path) -> None:
    entry = WatchlistEntry(name="MAR", mmsi=1)
    state = FoldState(
        tracker=b"t", detectors=(np.arange(3), np.float64(0.5), {"a": {1}}, deque([entry])), until_us=7
    )
    shelf = StateShelf(tmp_path, "1")
    shelf.put(state, 3)
    kept = shelf.latest()
    assert kept is not None
    assert (kept.until_us, kept.position) == (7, 3)
    array, number, mapping, entries = kept.fold.detectors
    assert (array.tolist(), number, mapping, list(entries)) == ([0, 1, 2], 0.5, {"a": {1}}, [entry])
