"""Late rows put in order."""

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.model.codes import Flaw
from shiprider.model.tables import STATEMENTS
from shiprider.observe.order import Sequencer


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 100), min_size=1, max_size=40),
    st.lists(st.integers(1, 10), min_size=1, max_size=6),
    st.integers(0, 30),
)
def test_ready_rows_are_sorted_and_none_is_lost(observations_of, times, sizes, window_s) -> None:
    table = observations_of(times, 232_001_234, 10.0, -70.0)
    sequencer = Sequencer(window_us=window_s * 1_000_000)
    ready, late, row, k = [], [], 0, 0
    while row < len(times):
        size = sizes[k % len(sizes)]
        step = sequencer.push(table.slice(row, size), STATEMENTS.empty_table())
        ready.append(step.observations)
        late.append(step.late_observations)
        if step.late_observations.num_rows:
            assert step.rerun_from_us == min(step.late_observations["time"].cast(pa.int64()).to_pylist())
        else:
            assert step.rerun_from_us is None
        row, k = row + size, k + 1
    ready.append(sequencer.finish().observations)
    out = pa.concat_tables(ready)
    keys = list(zip(out["time"].to_pylist(), out["raw"].to_pylist(), strict=True))
    assert keys == sorted(keys)
    assert sorted(out["raw"].to_pylist() + pa.concat_tables(late)["raw"].to_pylist()) == list(
        range(len(times))
    )


def test_a_clock_that_runs_ahead_does_not_move_the_watermark(observations_of) -> None:
    table = observations_of(
        [0.0, 5.0, 90_000.0], 232_001_234, 10.0, -70.0, flaws=[0, 0, int(Flaw.TIME_FUTURE)]
    )
    step = Sequencer(window_us=1_000_000).push(table, STATEMENTS.empty_table())
    assert step.observations["raw"].to_pylist() == [0]
    assert step.until_us == 1_704_067_204_000_000
