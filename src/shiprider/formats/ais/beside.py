# mypy: allow-untyped-calls
"""The first compilation on a machine, in two processes at once: one alone takes twice as long.

Always true: nothing is made here but what the pass over the bytes would compile by itself, of the same
arguments; what the second process made is found through the machine's cache, and where it made nothing
(it was ended, the cache cannot be written) the first compiles that too.
"""

import gc
import sys
from typing import Any, Final, Literal

from numba import types

from shiprider.formats.ais import columns, framing, stamping, tag_blocks

#: What comes after the bytes: objects of JSON, or the rows of the lake.
After = Literal["objects", "rows"]

_N: Final = types.int64
_YES: Final = types.boolean
_OCTETS: Final = types.Array(types.uint8, 1, "C")
_OCTETS_2: Final = types.Array(types.uint8, 2, "C")
_OCTETS_3: Final = types.Array(types.uint8, 3, "C")
_NUMBERS: Final = types.Array(types.int64, 1, "C")
_NUMBERS_2: Final = types.Array(types.int64, 2, "C")
_NUMBERS_4: Final = types.Array(types.int64, 4, "C")
_REALS_2: Final = types.Array(types.float64, 2, "C")
_REALS_4: Final = types.Array(types.float64, 4, "C")
_OFFSETS: Final = types.Array(types.int32, 1, "C")
_TOLD: Final = types.Array(types.boolean, 1, "C")

_Kernels = tuple[tuple[Any, tuple[Any, ...]], ...]

#: Compiled by the first process meanwhile.
SENTENCES: Final[_Kernels] = (
    (framing.emit, (_OCTETS, *[_N] * 8, _OCTETS, _N, _N, _YES, *[_N] * 6, _NUMBERS, _NUMBERS_2, _OCTETS,
                    _NUMBERS_2, _NUMBERS_2, _NUMBERS_2, _NUMBERS)),
    (framing.sentence, (_OCTETS, _N, _N, _OCTETS, _OCTETS, _OCTETS, _N, _OCTETS, _NUMBERS)),
    (framing.assemble, (_NUMBERS_2, _OCTETS_3, _N, _OCTETS, _OCTETS, _N)),
    (framing.slot_of, (_NUMBERS_2, _N, _N, _N, _N, _NUMBERS, _NUMBERS_2, _NUMBERS)),
    (framing.keep, (_NUMBERS_2, _OCTETS_3, _OCTETS_2, _N, _N, _N, _N, _NUMBERS, _OCTETS, _N, _N, _N, _OCTETS, _N)),
    (stamping.affixed, (_OCTETS, _N, _N, _NUMBERS)),
)  # fmt: skip
#: Compiled by the second process, and waited for by the first.
STAMPS: Final[_Kernels] = (
    (tag_blocks.tag_block, (_OCTETS, _N, _N, _OCTETS, _NUMBERS)),
    (tag_blocks.gatehouse, (_OCTETS, _N, _OCTETS, _NUMBERS_2, _OCTETS_2, _NUMBERS, _NUMBERS)),
    (stamping.follow, (_OCTETS, _N, _N, _OCTETS, _N, _NUMBERS, _N, _NUMBERS)),
)
#: Compiled by the second process while the first ends the pass.
AFTER: Final[dict[After, _Kernels]] = {
    "objects": (
        (columns.objects, (_OCTETS, _NUMBERS_2, _NUMBERS, _N, _NUMBERS_2, _NUMBERS_2, _REALS_2, _NUMBERS_2,
                           _NUMBERS_2, _OCTETS, _OCTETS, _N, _OFFSETS)),
    ),
    "rows": (
        (columns.split, (_NUMBERS_2, _NUMBERS, _NUMBERS_2, _NUMBERS)),
        (columns.fill, (_OCTETS, _NUMBERS_2, _NUMBERS, _N, _NUMBERS_2, _NUMBERS_4, _REALS_4, _NUMBERS, _NUMBERS_2,
                        types.Array(types.int32, 2, "C"), types.Array(types.int8, 2, "C"),
                        types.Array(types.float32, 1, "C"), _REALS_2, types.Array(types.float32, 2, "C"), _OCTETS_2)),
        (columns.bitmaps, (_OCTETS_2, _N, _NUMBERS, _OCTETS_2, _NUMBERS)),
        (columns.stations, (_OCTETS, _NUMBERS_2, _NUMBERS, _OCTETS, _N, _OFFSETS, _TOLD)),
        (columns.texts, (_OCTETS, _NUMBERS_2, _NUMBERS, _NUMBERS_2, _NUMBERS_2, _OCTETS, _N, _OFFSETS, _TOLD)),
        (columns.payloads, (_OCTETS, _NUMBERS_2, _NUMBERS, _NUMBERS_2, _OCTETS, _N, _OFFSETS, _TOLD)),
    ),
}  # fmt: skip
#: Said by the second process when the pass can be compiled.
DONE: Final = b"stamps\n"


def _compile(kernels: _Kernels) -> None:
    for kernel, arguments in kernels:
        kernel.compile(arguments)


def first() -> None:
    """The first process, before the pass itself: half of what it calls."""
    _compile(SENTENCES)


def second(after: After) -> None:
    """The second process: the other half, then what comes after."""
    gc.disable()
    _compile(STAMPS)
    sys.stdout.buffer.write(DONE)
    sys.stdout.buffer.flush()
    _compile(AFTER[after])


if __name__ == "__main__":
    second("rows" if sys.argv[1:] == ["rows"] else "objects")
