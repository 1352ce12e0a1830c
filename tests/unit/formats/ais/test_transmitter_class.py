"""The station's class of every position, and of class B by the unit flag of message 18 (ITU-R M.1371-5, table 70)."""

from pathlib import Path

import numpy as np
import pytest
from pyais.stream import IterMessages

from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.encoder import encode
from shiprider.formats.decoded import DecodeContext
from shiprider.model.codes import TransmitterClass

DATA = Path(__file__).parents[5] / "shared" / "data" / "ais_dma" / "stream_example.txt"


def classes(data: bytes) -> list[tuple[int, int, int]]:
    decoder = AisDecoder(DecodeContext(feed="test", received_clock="wall"))
    found = decoder.decode(data, 0, 1_700_000_000_000_000, final=True).observations
    columns = (found.column(name).to_pylist() for name in ("claimed_id", "message_type", "transmitter_class"))
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("kind", "more", "meant"),
    [
        (1, {}, TransmitterClass.A),
        (27, {}, TransmitterClass.A),
        (18, {"cs": 1}, TransmitterClass.B_CS),
        (18, {"cs": 0}, TransmitterClass.B_SO),
        (19, {}, TransmitterClass.B_CS),
        (4, {}, TransmitterClass.BASE_STATION),
        (9, {}, TransmitterClass.SAR_AIRCRAFT),
        (21, {}, TransmitterClass.AID_TO_NAVIGATION),
    ],
)
def test_each_type(kind: int, more: dict[str, int], meant: TransmitterClass) -> None:
    fields = {"mmsi": 235_000_001, "lon": -70.0, "lat": 15.0} | more
    data = encode(kind, {name: np.array([value]) for name, value in fields.items()}).tobytes()
    assert [found for _, _, found in classes(data)] == [meant]


@pytest.mark.shared
@pytest.mark.skipif(not DATA.exists(), reason="../shared/data/ais_dma is absent")
def test_class_b_of_a_real_stream_against_pyais() -> None:
    data = DATA.read_bytes()
    units: dict[int, set[int]] = {}
    for message in IterMessages(line for line in data.splitlines() if line.startswith(b"!AIVDM,1,1")):
        try:
            decoded = message.decode().asdict()
        except Exception:  # noqa: S112 (a peer's own trouble with one sentence is not ours)
            continue
        if decoded["msg_type"] == 18:
            units.setdefault(int(decoded["mmsi"]), set()).add(int(decoded["cs"]))
    assert len(units) >= 10
    for mmsi, kind, found in classes(data):
        if kind == 18 and mmsi in units:
            meant = {TransmitterClass.B_CS if unit else TransmitterClass.B_SO for unit in units[mmsi]}
            assert found in meant
