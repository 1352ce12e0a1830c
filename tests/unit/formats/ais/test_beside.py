"""What the second process compiles is what the pass over the bytes asks for, so that nothing is made twice."""

import os
import subprocess
import sys
from pathlib import Path

_USE = """
import sys
from numba.core import event

made = []

class Listener(event.Listener):
    def on_start(self, told):
        made.append(told.data["dispatcher"].py_func.__name__)

    def on_end(self, told):
        pass

event.register("numba:compile", Listener())
from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.framed import Framer, written
from shiprider.formats.decoded import DecodeContext
import numpy as np

line = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\\n"
context = DecodeContext(feed="x", received_clock="wall")
decoded = AisDecoder(context).decode(line, 0, 1_700_000_000_000_000, final=True)
assert decoded.observations.num_rows == 1
for framed in Framer(context).frames(line, 0, 1_700_000_000_000_000, final=True):
    written(framed, np.arange(len(framed.meta)), np.empty(4096, np.uint8), 0)
print(*made)
"""


def test_nothing_is_compiled_twice(tmp_path: Path) -> None:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    second = [sys.executable, "-P", "-m", "shiprider.formats.ais.beside"]
    for after in ("objects", "rows"):
        done = subprocess.run([*second, after], env=environment, capture_output=True, check=True, timeout=280)
        assert done.stdout == b"stamps\n"
    used = subprocess.run(
        [sys.executable, "-c", _USE], env=environment, capture_output=True, text=True, check=True, timeout=280
    )
    made = set(used.stdout.split())
    assert {"scan", "emit", "sentence"} <= made
    ready = {
        "tag_block",
        "gatehouse",
        "follow",
        "objects",
        "split",
        "fill",
        "bitmaps",
        "stations",
        "texts",
        "payloads",
    }
    assert not made & ready
