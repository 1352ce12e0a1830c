"""Identities: right check digits, unique MMSIs of real flags, a few typing errors."""

import numpy as np

from shiprider.simulate.cast import PLOT_NUMBERS, number_of
from shiprider.simulate.identity import FLAGS, KINDS, imo_number, make_hull, sharing


def test_imo_number_has_the_published_check_digit() -> None:
    # The worked example of the IMO number scheme: 907472 -> 9074729.
    assert imo_number(907_472) == 9_074_729


def test_classes_do_not_share_numbers() -> None:
    starts = [number_of(kind, 0) for kind in KINDS]
    assert len(set(starts)) == len(starts)
    assert max(starts) + 39_999 < PLOT_NUMBERS


def test_hulls_are_plausible_and_their_mmsi_have_real_mids() -> None:
    mids = {mid for mid, _ in FLAGS.values()}
    flawed = 0
    for index in range(400):
        kind = list(KINDS)[index % len(KINDS)]
        hull = make_hull(number_of(kind, index), kind, np.random.default_rng(index))
        identity = hull.identities[0]
        assert identity.mmsi // 1_000_000 in mids
        low, high = KINDS[kind][1]
        assert low * 0.9 <= hull.length_m <= high * 1.1
        flawed += bool(hull.flaw)
        if not hull.flaw:
            assert abs(identity.length_m - hull.length_m) < 1.5
    assert 2 <= flawed <= 30


def test_a_shared_mmsi_is_said_to_be_shared() -> None:
    hull = make_hull(number_of("fishing", 7), "fishing", np.random.default_rng(0))
    other = sharing(hull, 123_456_789)
    assert other.identities[0].mmsi == 123_456_789
    assert other.flaw == "shared_mmsi"
