"""The compiled part as a whole: what there is to compile, and compiling it ahead of use.

Always true: each kernel file stands alone (a compiled kernel does not notice that something it imports
has changed), and every table is an argument; so a cached kernel is made anew exactly when its own source
changes.
"""

import gc
from collections.abc import Callable
from typing import Final

import numpy as np

from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.encoder import encode, with_tag_blocks
from shiprider.formats.decoded import DecodeContext

#: A position with a tag block, voyage data of two parts, and a first part whose second does not come.
_SAMPLE: Final = (
    b"\\s:A,c:1700000000*5C\\!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n"
    b"!AIVDM,2,2,1,A,88888888880,2*25\r\n"
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n"
)


def warm(progress: Callable[[str], None]) -> None:
    """Compile every kernel, or load it from the cache; `progress` is told what comes next."""
    # Compiling makes millions of objects that stay: looking through them for cycles takes a seventh of it.
    collecting = gc.isenabled()
    gc.disable()
    try:
        _compile(progress)
    finally:
        if collecting:
            gc.enable()


def _compile(progress: Callable[[str], None]) -> None:
    progress("AIS encoding")
    text = encode(14, {"mmsi": np.array([1]), "text": ["A"]})
    text = with_tag_blocks(text, ["A"], np.zeros(1, np.int64), np.full(1, 1_700_000_000))
    progress("AIS decoding")
    decoder = AisDecoder(DecodeContext(feed="", received_clock="wall"))
    decoder.decode(_SAMPLE + text.tobytes(), 0, 1_700_000_000_000_000, final=True)
    recorded = AisDecoder(DecodeContext(feed="", received_clock="recording"))
    recorded.decode(text.tobytes(), 0, 0)
    recorded.decode(b"", len(text), 0, final=True)
