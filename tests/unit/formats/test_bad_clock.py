"""One bad clock among many: what a recording takes for the time when each line was received.

Expected values by hand: a stamp is judged by those before and behind it (docs/decisions/0003).
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import reduce
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.encoder import encode
from shiprider.formats.ais.stamps import stamped_pieces
from shiprider.formats.csv.decoder import CsvDecoder
from shiprider.formats.csv.layouts import find_layout
from shiprider.formats.decoded import DecodeContext, Decoded
from shiprider.model.codes import Flaw
from shiprider.model.tables import MESSAGES, STATEMENTS
from shiprider.observe.cleaner import Cleaner

RECORDING = DecodeContext(feed="f", received_clock="recording")
T0 = 1_700_000_000
HOUR, DAY = 3600, 86_400
YEAR_2036 = int(datetime(2036, 2, 7, 6, 28, 16, tzinfo=UTC).timestamp())
YEAR_2106 = int(datetime(2106, 2, 7, 6, 28, 15, tzinfo=UTC).timestamp())
BODY = "!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24"


def checked(text: str) -> str:
    return f"{text}*{reduce(lambda a, b: a ^ b, text.encode(), 0):02X}"


def tagged(at: int) -> bytes:
    return ("\\" + checked(f"c:{at}") + "\\" + BODY + "\n").encode()


def gatehouse(at: int) -> bytes:
    moment = datetime.fromtimestamp(at, UTC)
    fields = f"PGHP,1,{moment:%Y,%m,%d,%H,%M,%S},000,219,,2190001,1,24"
    return f"${checked(fields)}\n{BODY}\n".encode()


def trailed(at: int) -> bytes:
    return f"{BODY},{at}\n".encode()


def table(at: int) -> bytes:
    return f"368207620,{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S},29.5,-94.5,5.0,1,1,,,,,,,,,,A\n".encode()


HEADER = (
    b"MMSI,BaseDateTime,LAT,LON,SOG,COG,Heading,VesselName,IMO,CallSign,VesselType,Status,"
    b"Length,Width,Draft,Cargo,TransceiverClass\n"
)
FORMS: dict[str, Callable[[int], bytes]] = {
    "tag block": tagged,
    "$PGHP": gatehouse,
    "behind the sentence": trailed,
    "CSV": table,
}


def decoder(form: str) -> AisDecoder | CsvDecoder:
    if form != "CSV":
        return AisDecoder(RECORDING)
    layout = find_layout(HEADER.strip())
    assert layout is not None
    return CsvDecoder(layout, RECORDING)


def recording(form: str, stamps: Sequence[int]) -> bytes:
    return (HEADER if form == "CSV" else b"") + b"".join(map(FORMS[form], stamps))


def seconds(column: pa.ChunkedArray) -> list[int]:
    return (np.asarray(column.cast(pa.int64())) // 1_000_000).tolist()


def read(form: str, stamps: Sequence[int]) -> Decoded:
    return decoder(form).decode(recording(form, stamps), 0, 0, final=True)


def future(decoded: Decoded) -> list[int]:
    rows, _, _ = Cleaner().clean(decoded.observations, STATEMENTS.empty_table(), MESSAGES.empty_table())
    flaws = np.asarray(rows["flaws"])
    return np.flatnonzero(flaws & int(Flaw.TIME_FUTURE)).tolist()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", [0, 1, 50, 98, 99])
@pytest.mark.parametrize("bad", [YEAR_2036, T0 + 400 * DAY, T0 + 40 * DAY])
def test_one_stamp_far_ahead_is_a_flaw_and_does_not_move_the_clock(form: str, place: int, bad: int) -> None:
    stamps = [T0 + 10 * i for i in range(100)]
    stamps[place] = bad
    decoded = read(form, stamps)
    received = seconds(decoded.observations["received"])
    assert seconds(decoded.observations["time"]) == stamps
    neighbours = [T0 + 10 * i for i in range(100)]
    neighbours[place] = T0 + 10 * (place - 1 if place else 1)
    assert received == neighbours
    assert future(decoded) == [place]


@pytest.mark.parametrize("form", FORMS)
def test_one_stamp_hours_ahead_does_not_move_the_clock(form: str) -> None:
    stamps = [T0 + 10 * i for i in range(100)]
    stamps[50] = T0 + 7 * HOUR
    decoded = read(form, stamps)
    received = seconds(decoded.observations["received"])
    assert received == [*stamps[:50], stamps[49], *stamps[51:]]
    assert future(decoded) == [50]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", [1, 50, 99])
def test_one_stamp_years_behind_all_others_is_as_good_as_none(form: str, place: int) -> None:
    stamps = [T0 + 10 * i for i in range(100)]
    # 1024 weeks: a receiver of satellite navigation whose week number rolled over
    stamps[place] -= 1024 * 7 * DAY
    decoded = read(form, stamps)
    stamps[place] = stamps[place - 1]
    if place < 99:
        assert seconds(decoded.observations["time"]) == stamps
        assert seconds(decoded.observations["received"]) == stamps
    assert future(decoded) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("after", [2, 3, 20])
def test_rows_grouped_by_vessel_are_no_flaws_after_a_silence(form: str, after: int) -> None:
    """One vessel after the other, each silent for 14 hours: what stands beside its like is believed."""
    one = [T0 + 600 * i for i in range(4)]
    again = [T0 + 14 * HOUR + 600 * i for i in range(after)]
    decoded = read(form, (one + again) * 3)
    assert future(decoded) == []
    assert seconds(decoded.observations["time"]) == (one + again) * 3


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("span", [DAY, 60 * DAY])
def test_rows_in_no_order_at_all_are_no_flaws(form: str, span: int) -> None:
    stamps = (T0 + np.random.default_rng(1).integers(0, span, 2000)).tolist()
    assert future(read(form, stamps)) == []


@pytest.mark.parametrize("form", ["tag block", "behind the sentence"])
@pytest.mark.parametrize("bad", [0, 1, YEAR_2106])
def test_a_stamp_that_is_no_time_of_an_ais_message_is_none(form: str, bad: int) -> None:
    stamps = [T0 + 10 * i for i in range(100)]
    stamps[50] = bad
    decoded = read(form, stamps)
    times = seconds(decoded.observations["time"])
    assert times[50] == T0 + 490
    assert times[:50] + times[51:] == stamps[:50] + stamps[51:]
    assert future(decoded) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("silence", [2 * HOUR, 30 * HOUR, 40 * DAY])
def test_after_a_silence_the_clock_goes_on_and_nothing_is_a_flaw(form: str, silence: int) -> None:
    stamps = [T0 + 10 * i + (silence if i >= 40 else 0) for i in range(100)]
    decoded = read(form, stamps)
    assert seconds(decoded.observations["received"]) == stamps
    assert future(decoded) == []


@pytest.mark.parametrize("form", FORMS)
def test_the_last_row_after_thirty_hours_is_no_flaw(form: str) -> None:
    stamps = [T0 + 10 * i for i in range(50)] + [T0 + 30 * HOUR]
    decoded = read(form, stamps)
    assert seconds(decoded.observations["received"]) == stamps
    assert future(decoded) == []


@pytest.mark.parametrize("form", FORMS)
def test_a_receiver_whose_clock_is_years_ahead_never_moves_the_others(form: str) -> None:
    stamps = [T0 + 10 * i + (900 * DAY if i % 4 == 3 else 0) for i in range(400)]
    decoded = read(form, stamps)
    received = seconds(decoded.observations["received"])
    right = [i for i in range(400) if i % 4 != 3]
    assert [received[i] for i in right] == [stamps[i] for i in right]
    assert future(decoded) == list(range(3, 400, 4))


@pytest.mark.parametrize("form", FORMS)
def test_a_clock_that_went_years_ahead_with_most_stamps_comes_back_with_them(form: str) -> None:
    stamps = [T0 + 10 * i + (900 * DAY if 100 <= i < 150 else 0) for i in range(300)]
    received = seconds(read(form, stamps).observations["received"])
    assert received[:100] == stamps[:100]
    assert received[150:] == stamps[150:]


@pytest.mark.parametrize("form", FORMS)
def test_late_rows_do_not_move_the_clock_back(form: str) -> None:
    stamps = [T0 + 10 * i - (25 * 60 if i % 3 else 0) for i in range(90)]
    received = seconds(read(form, stamps).observations["received"])
    assert received == np.maximum.accumulate(stamps).tolist()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(FORMS)),
    st.lists(
        st.sampled_from([0, 0, 0, 0, 3 * HOUR, -3 * HOUR, 40 * DAY, 900 * DAY, -900 * DAY]),
        min_size=1,
        max_size=120,
    ),
    st.lists(st.integers(0, 400), max_size=6),
)
def test_however_a_recording_is_cut_its_rows_are_the_same(
    form: str, shifts: list[int], cuts: list[int]
) -> None:
    stamps = [T0 + 10 * i + shift for i, shift in enumerate(shifts)]
    data = recording(form, stamps)
    # Only the first stamp of all is judged by what is there.
    ends = [i + 1 for i, octet in enumerate(data) if octet == 10][66:] or [len(data)]
    places = sorted({0, len(data), *(ends[cut % len(ends)] for cut in cuts)})
    whole = decoder(form).decode(data, 0, 0, final=True)
    tables: list[Decoded] = []
    state: bytes | None = None
    for begin, end in pairwise(places):
        next_decoder = decoder(form)
        if state is not None:
            next_decoder.restore(state)
        tables.append(next_decoder.decode(data[begin:end], begin, 0, final=end == len(data)))
        state = next_decoder.snapshot()
    assert pa.concat_tables([t.observations for t in tables]).equals(whole.observations)
    assert pa.concat_tables([t.rejects for t in tables]).equals(whole.rejects)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ahead", [9 * HOUR, 900 * DAY])
def test_copies_are_marked_after_a_stamp_far_ahead(form: str, ahead: int) -> None:
    """One vessel every 100 s, each time heard twice, 1 s apart; the clock of one receiver is wrong once."""
    stamps = [T0 + 100 * (i // 2) + i % 2 for i in range(200)]
    stamps[50] += ahead
    decoded = read(form, stamps)
    rows, _, _ = Cleaner().clean(decoded.observations, STATEMENTS.empty_table(), MESSAGES.empty_table())
    marked = rows["duplicate_of"].is_valid().to_pylist()
    assert marked == [i % 2 == 1 and i != 51 for i in range(200)]


def test_a_base_station_of_another_year_does_not_date_a_recording_whose_start_is_given() -> None:
    years = np.array([2040] + [2023] * 5)
    dates = {"mmsi": np.full(6, 2_190_001), "year": years, "month": np.full(6, 11), "day": np.full(6, 14)}
    clock = {"hour": np.full(6, 22), "minute": np.full(6, 13), "second": np.arange(20, 26)}
    data = encode(4, dates | clock).tobytes()
    context = DecodeContext(feed="f", received_clock="recording", start_us=T0 * 1_000_000)
    decoded = AisDecoder(context).decode(data, 0, 0, final=True)
    # 1,700,000,000 s is 2023-11-14 22:13:20
    assert seconds(decoded.observations["time"])[1:] == [T0 + i for i in range(1, 6)]
    assert abs(seconds(decoded.observations["time"])[0] - T0) < 60


@pytest.mark.parametrize("place", [0, 50, 99])
def test_a_recording_is_played_at_the_pace_of_its_good_stamps(place: int) -> None:
    stamps = [T0 + 10 * i for i in range(100)]
    stamps[place] = YEAR_2036
    lines = [tagged(at) for at in stamps]
    pieces = list(stamped_pieces(lines))
    assert b"".join(data for _, data in pieces) == b"".join(lines)
    good = [T0 + 10 * i for i in range(100) if i != place]
    assert [at // 1_000_000 for at, _ in pieces if at] == good


def test_a_silence_of_a_recording_is_kept_when_it_is_played() -> None:
    stamps = [T0 + 10 * i + (30 * HOUR if i >= 40 else 0) for i in range(100)]
    assert [at // 1_000_000 for at, _ in stamped_pieces(map(tagged, stamps))] == stamps
