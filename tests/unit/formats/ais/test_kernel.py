"""Every kernel is compiled once, for one type."""

import numpy as np

from shiprider.formats.ais import columns, framing, packing, stamping, tag_blocks
from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.encoder import encode, with_tag_blocks
from shiprider.formats.decoded import DecodeContext

#: A position with a tag block, voyage data of two parts, and a first part whose second does not come.
_SAMPLE = (
    b"\\s:A,c:1700000000*5C\\!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n"
    b"!AIVDM,2,2,1,A,88888888880,2*25\r\n"
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n"
)


def test_all_kernels_are_compiled_with_one_type_each() -> None:
    text = encode(14, {"mmsi": np.array([1]), "text": ["A"]})
    text = with_tag_blocks(text, ["A"], np.zeros(1, np.int64), np.full(1, 1_700_000_000))
    decoder = AisDecoder(DecodeContext(feed="", received_clock="wall"))
    decoder.decode(_SAMPLE + text.tobytes(), 0, 1_700_000_000_000_000, final=True)
    recorded = AisDecoder(DecodeContext(feed="", received_clock="recording"))
    recorded.decode(text.tobytes(), 0, 0)
    recorded.decode(b"", len(text), 0, final=True)
    kernels = [
        kernel
        for module in (columns, framing, packing, stamping, tag_blocks)
        for kernel in vars(module).values()
        # Kernels that only kernels call have no wrapper, and no signature of their own when loaded from the cache.
        if hasattr(kernel, "py_func") and not kernel.targetoptions.get("no_cpython_wrapper")
    ]
    assert kernels
    for kernel in kernels:
        assert len(kernel.signatures) == 1, kernel


def test_views_with_gaps_compile_nothing_anew() -> None:
    encoded = encode(1, {"mmsi": np.arange(201_000_000, 201_000_003)})
    gaps = np.arange(12, dtype=np.int64)[::4]
    before = len(packing.tag_blocks.signatures)
    spread = with_tag_blocks(encoded, ["A"] * 12, gaps, gaps)
    assert spread.tobytes() == with_tag_blocks(encoded, ["A"] * 12, gaps.copy(), gaps.copy()).tobytes()
    assert len(packing.tag_blocks.signatures) == max(before, 1)
