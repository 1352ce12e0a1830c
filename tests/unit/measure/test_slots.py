"""Dense numbers for sparse keys."""

import numpy as np

from shiprider.measure.slots import Slots, first_rows


def test_the_first_row_of_each_new_slot() -> None:
    slots = Slots()
    slots.assign(np.array([7, 9], np.int64))
    slot = slots.assign(np.array([9, 5, 5, 7, 3, 5, 8, 3], np.int64))
    assert first_rows(slot, 2, len(slots)).tolist() == [1, 4, 6]
    assert first_rows(slot, len(slots), len(slots)).tolist() == []


def test_growth_keeps_every_slot_and_unknown_keys_are_minus_one() -> None:
    keys = np.random.default_rng(3).permutation(200_000).astype(np.int64) * 7919
    slots = Slots()
    for part in np.array_split(keys, 13):
        slots.assign(part)
    assert slots.find(keys).tolist() == list(range(len(keys)))
    assert slots.find(keys + 1).tolist() == [-1] * len(keys)
    assert Slots.of(slots.keys[: len(slots)]).find(keys[:9]).tolist() == list(range(9))
