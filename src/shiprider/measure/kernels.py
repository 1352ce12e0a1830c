"""Kernels compiled by Numba, and the cache that keeps them on the machine.

Always true: a kernel is compiled again where its own file has changed, or any file of this package that its
file imports, near or far. Numba by itself looks at the kernel's own file only, and would go on with constants
and inner kernels of old.
"""

import re
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numba
from numba.core.caching import InTreeCacheLocator, UserProvidedCacheLocator, UserWideCacheLocator

_PACKAGE: Final = Path(__file__).resolve().parent.parent
#: Imports at a module's top; indented ones are for type checkers, or come too late for a kernel.
_IMPORT: Final = re.compile(
    r"^(?:from (shiprider[\w.]*) import (\([^)]*\)|.*)|import (shiprider[\w.]*))", re.MULTILINE
)


@cache
def _text(file: Path) -> bytes:
    return file.read_bytes()


def _file_of(module: str) -> Path | None:
    base = _PACKAGE.joinpath(*module.split(".")[1:])
    return next((file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file()), None)


@cache
def imported(file: Path) -> frozenset[Path]:
    """Files of this package that a file's top imports name."""
    found: set[Path] = set()
    for module, names, plain in _IMPORT.findall(_text(file).decode()):
        candidates = [module or plain, *(f"{module}.{name}" for name in re.findall(r"\w+", names))]
        found.update(path for path in map(_file_of, candidates) if path)
    return frozenset(found)


@cache
def stamp_of(file: Path) -> str:
    """A digest of a file and of every file of this package that it imports, near or far."""
    seen: set[Path] = set()
    waiting = [file]
    while waiting:
        next_file = waiting.pop()
        if next_file not in seen:
            seen.add(next_file)
            waiting.extend(imported(next_file))
    digest = blake2b(digest_size=16)
    for one in sorted(seen):
        digest.update(blake2b(_text(one), digest_size=16).digest())
    return digest.hexdigest()


class _OfThisPackage:
    """Mixed into Numba's locators: files of other packages are left to its own."""

    _py_file: str

    def get_source_stamp(self) -> str:
        return stamp_of(Path(self._py_file).resolve())

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> Any:
        if not Path(py_file).resolve().is_relative_to(_PACKAGE):
            return None
        return super().from_function(py_func, py_file)  # type: ignore[misc]


class Given(_OfThisPackage, UserProvidedCacheLocator):
    """In NUMBA_CACHE_DIR."""


class Beside(_OfThisPackage, InTreeCacheLocator):
    """Beside the source, where that can be written."""


class OfTheUser(_OfThisPackage, UserWideCacheLocator):
    """In the user's own cache folder."""


_OTHERS: Final = (
    "UserProvidedCacheLocator",
    "InTreeCacheLocator",
    "UserWideCacheLocator",
    "IPythonCacheLocator",
    "ZipCacheLocator",
)
# Numba takes them by name, the first that has a place for a function.
numba.config.CACHE_LOCATOR_CLASSES = ",".join(  # type: ignore[attr-defined]
    [f"{__name__}.{cls.__name__}" for cls in (Given, Beside, OfTheUser)] + list(_OTHERS)
)

#: For kernels with options of their own.
njit = numba.njit
#: A kernel that Python calls: kept on the machine, runs beside other threads.
kernel = numba.njit(cache=True, nogil=True)
