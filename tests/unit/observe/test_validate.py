"""Flaws of positions and statements."""

import numpy as np

from shiprider.model.codes import Flaw
from shiprider.observe.validate import FUTURE_TOLERANCE_US, observation_flaws, statement_flaws


def test_each_flaw_by_hand(observations_of) -> None:
    cases = [
        (232_001_234, 10.0, -70.0, 1, Flaw.NONE),
        (232_001_234, 91.0, 181.0, 1, Flaw.POSITION_UNAVAILABLE),
        (232_001_234, None, None, 1, Flaw.POSITION_UNAVAILABLE),
        (232_001_234, 90.5, -70.0, 1, Flaw.OFF_EARTH),
        (232_001_234, 10.0, 180.5, 1, Flaw.OFF_EARTH),
        (232_001_234, -90.0, 180.0, 1, Flaw.NONE),
        (232_001_234, 0.0, 0.0, 1, Flaw.NULL_ISLAND),
        (232_001_234, 0.0, 0.002, 1, Flaw.NONE),
        (2_321_234, 10.0, -70.0, 1, Flaw.MMSI_FORM),
        (2_321_234, 10.0, -70.0, 4, Flaw.NONE),
        (992_321_001, 10.0, -70.0, 5, Flaw.NONE),
        (992_321_001, 10.0, -70.0, 2, Flaw.MMSI_FORM),
        (970_011_234, 10.0, -70.0, 1, Flaw.NONE),
        (970_011_234, 10.0, -70.0, 3, Flaw.MMSI_FORM),
        (111_232_001, 10.0, -70.0, 6, Flaw.NONE),
        (799_001_234, 10.0, -70.0, 1, Flaw.MID_UNKNOWN),
        (123_456_789, 10.0, -70.0, 1, Flaw.MMSI_FORM),
        (2_991_234, 10.0, -70.0, 4, Flaw.MID_UNKNOWN),
    ]
    table = observations_of(
        np.zeros(len(cases)),
        [c[0] for c in cases],
        [c[1] for c in cases],
        [c[2] for c in cases],
        transmitter_class=[c[3] for c in cases],
    )
    assert [Flaw(int(f)) for f in observation_flaws(table)] == [c[4] for c in cases]


def test_time_ahead_of_the_receivers_clock_is_flagged_from_the_tolerance_on(observations_of) -> None:
    tolerance = FUTURE_TOLERANCE_US / 1e6
    table = observations_of([tolerance, tolerance + 0.001], 232_001_234, 10.0, -70.0)
    table = table.set_column(
        3, "received", observations_of([0.0, 0.0], 232_001_234, 10.0, -70.0)["received"].combine_chunks()
    )
    assert [Flaw(int(f)) for f in observation_flaws(table)] == [Flaw.NONE, Flaw.TIME_FUTURE]


def test_flaws_the_decoder_set_are_kept_and_assumed_times_marked(observations_of) -> None:
    table = observations_of([0.0, 1.0], 232_001_234, 10.0, -70.0, flaws=512, time_source=[0, 3])
    assert observation_flaws(table).tolist() == [512, 512 | Flaw.TIME_ASSUMED]


def test_imo_numbers_are_checked_in_statements(statements_of) -> None:
    # the last is a flag State's official number: M.1371-5 gives those 10,000,000 and more
    table = statements_of([0.0] * 5, 232_001_234, imo=[9_074_729, 9_074_728, None, 0, 10_000_001])
    assert statement_flaws(table).tolist() == [0, Flaw.IMO_CHECKSUM, 0, 0, 0]
