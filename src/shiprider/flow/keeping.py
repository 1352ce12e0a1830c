"""Keeping a fold's state on disk, and taking it up again.

Always true: a file is written whole or not at all; a file that is torn, of another version, or names
anything but our own plain states is not taken up (the fold then starts from the lake's beginning:
slower, never wrong); the newest state before a time can be found, so that old data is folded again
from there.
"""

import hashlib
import io
import os
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from shiprider.flow.folds import FoldState
from shiprider.measure.clock import DAY_US

_MAGIC: Final = b"shiprider fold 1\n"

#: A state keeps numpy arrays, numbers, texts and classes of these modules of ours, each by its own name.
_OUR_MODULES: Final = ("shiprider.detect.", "shiprider.measure.", "shiprider.model.")
_OURS: Final = frozenset({("shiprider.flow.folds", "FoldState")})
#: What arrays, numbers and structs are put together again by; a module's other names reach the whole machine.
_MAKERS: Final = frozenset(
    {
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        ("numpy._core.numeric", "_frombuffer"),
        ("numpy._core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "scalar"),
        ("numpy.core.numeric", "_frombuffer"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy.core.multiarray", "scalar"),
        ("msgspec._utils", "rebuild"),
        ("collections", "deque"),
        ("collections", "defaultdict"),
        ("collections", "OrderedDict"),
    }
)
_BUILTINS: Final = frozenset(
    {
        "bytearray",
        "bytes",
        "complex",
        "dict",
        "float",
        "frozenset",
        "int",
        "list",
        "range",
        "set",
        "slice",
        "str",
        "tuple",
    }
)


class KeptState(msgspec.Struct, frozen=True, kw_only=True):
    """A fold's state with the spool position up to which the lake's rows were known to it."""

    until_us: int
    position: int
    fold: Any


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module == "builtins" and name in _BUILTINS) or (module, name) in _MAKERS:
            return super().find_class(module, name)
        # A dotted name walks from a module to what it imported, and a copy that is put back is anybody's bytes.
        if "." not in name and ((module, name) in _OURS or module.startswith(_OUR_MODULES)):
            found = super().find_class(module, name)
            if isinstance(found, type) and found.__module__ == module:
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a state")


@dataclass(frozen=True, slots=True)
class StateShelf:
    """States in one folder: the latest, and one for each of the last days. `version` names code and presets."""

    folder: Path
    version: str
    days: int = 16

    def put(self, state: FoldState, position: int) -> None:
        """Keep a state as the latest, and as its day's first. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        data = self._packed(state, position)
        self._write("latest", data)
        day = f"day-{state.until_us // DAY_US:06d}"
        if not (self.folder / day).exists():
            self._write(day, data)
            for old in sorted(self.folder.glob("day-*"))[: -self.days]:
                old.unlink(missing_ok=True)

    def latest(self) -> KeptState | None:
        """The latest state, None where there is none that fits."""
        return self._read(self.folder / "latest")

    def before(self, time_us: int) -> KeptState | None:
        """The newest state that had not yet seen anything at or after a time."""
        for path in (self.folder / "latest", *sorted(self.folder.glob("day-*"), reverse=True)):
            state = self._read(path)
            if state is not None and state.until_us < time_us:
                return state
        return None

    def clear_after(self, time_us: int) -> None:
        """Forget states that had seen something at or after a time: they are no longer true."""
        for path in (self.folder / "latest", *self.folder.glob("day-*")):
            state = self._read(path)
            if state is None or state.until_us >= time_us:
                path.unlink(missing_ok=True)

    def _packed(self, state: FoldState, position: int) -> bytes:
        body = pickle.dumps((self.version, state.until_us, position, state), protocol=5)
        return _MAGIC + hashlib.sha256(body).digest() + body

    def _write(self, name: str, data: bytes) -> None:
        place = self.folder / f"{name}.new"
        with place.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        place.replace(self.folder / name)

    def _read(self, path: Path) -> KeptState | None:
        try:
            data = path.read_bytes()
        except OSError:
            return None
        head = len(_MAGIC) + 32
        body = data[head:]
        if data[: len(_MAGIC)] != _MAGIC or hashlib.sha256(body).digest() != data[len(_MAGIC) : head]:
            return None
        try:
            version, until_us, position, fold = _PlainUnpickler(io.BytesIO(body)).load()
        except (
            pickle.UnpicklingError,
            AttributeError,
            ImportError,
            TypeError,
            ValueError,
            EOFError,
            LookupError,
        ):
            return None
        if version != self.version or not isinstance(fold, FoldState):
            return None
        return KeptState(until_us=until_us, position=position, fold=fold)
