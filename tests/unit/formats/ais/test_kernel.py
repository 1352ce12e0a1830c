"""Compiling ahead of use: all of it, and once."""

from shiprider.formats.ais import columns, framing, packing
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
