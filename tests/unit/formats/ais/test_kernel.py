"""Compiling ahead of use: all of it, and once."""

import numpy as np

from shiprider.formats.ais import columns, framing, packing
from shiprider.formats.ais.encoder import encode, with_tag_blocks
from shiprider.formats.ais.kernel import warm


def test_all_kernels_are_compiled_ahead_with_one_type_each() -> None:
    said: list[str] = []
    warm(said.append)
    assert said == ["AIS encoding", "AIS decoding"]
    kernels = [
        kernel
        for module in (columns, framing, packing)
        for kernel in vars(module).values()
        # Kernels that only kernels call have no wrapper, and no signature of their own when loaded from the cache.
        if hasattr(kernel, "py_func") and not kernel.targetoptions.get("no_cpython_wrapper")
    ]
    assert kernels
    for kernel in kernels:
        assert len(kernel.signatures) == 1, kernel


def test_places_in_the_kernels_are_those_of_the_framing() -> None:
    assert framing.META_COLUMNS == columns._META
    for name in ("TYPE", "MMSI", "PLACE", "BITS", "RAW", "LENGTH", "TIME", "SOURCE", "RESOLUTION"):
        assert getattr(framing, name) == getattr(columns, f"_M_{name}")
    for name in ("RECEIVED", "RECEIVER_KIND", "NATURE", "LAYOUT", "FLAWS", "STATION", "STATION_LENGTH"):
        assert getattr(framing, name) == getattr(columns, f"_M_{name}")


def test_views_with_gaps_compile_nothing_anew() -> None:
    encoded = encode(1, {"mmsi": np.arange(201_000_000, 201_000_003)})
    gaps = np.arange(12, dtype=np.int64)[::4]
    before = len(packing.tag_blocks.signatures)
    spread = with_tag_blocks(encoded, ["A"] * 12, gaps, gaps)
    assert spread.tobytes() == with_tag_blocks(encoded, ["A"] * 12, gaps.copy(), gaps.copy()).tobytes()
    assert len(packing.tag_blocks.signatures) == max(before, 1)
