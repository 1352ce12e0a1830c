"""Forms of identities, the MID table and the IMO check digit."""

import numpy as np
import pytest
from pyais.constants import COUNTRY_MAPPING

from shiprider.model.codes import TransmitterClass
from shiprider.model.identity import (
    FORMS_OF_CLASS,
    MmsiForm,
    VesselClass,
    imo_checksum_holds,
    mid_known,
    mid_states,
    mmsi_form,
    mmsi_mid,
    mmsi_state,
    vessel_class,
)


@pytest.mark.parametrize(
    ("mmsi", "form", "mid"),
    [
        # the examples of ITU-R M.585-9, annexes 1 and 2, with MID 232
        (232_001_234, MmsiForm.SHIP, 232),
        (23_212_345, MmsiForm.GROUP, 232),
        (2_321_234, MmsiForm.COAST, 232),
        (111_232_001, MmsiForm.SAR_AIRCRAFT, 232),
        (823_212_345, MmsiForm.HANDHELD, 232),
        (982_321_234, MmsiForm.AUXILIARY_CRAFT, 232),
        (992_321_001, MmsiForm.AID_TO_NAVIGATION, 232),
        (970_011_234, MmsiForm.LOCATING_DEVICE, None),
        (972_011_234, MmsiForm.LOCATING_DEVICE, None),
        (974_011_234, MmsiForm.LOCATING_DEVICE, None),
        (0, MmsiForm.INVALID, None),
        (1_193_046, MmsiForm.INVALID, None),
        (1_000_000_000, MmsiForm.INVALID, None),
        (112_000_000, MmsiForm.INVALID, None),
    ],
)
def test_forms_of_m585(mmsi: int, form: MmsiForm, mid: int | None) -> None:
    assert mmsi_form(mmsi) is form
    assert mmsi_mid(mmsi) == mid


def test_mids_are_those_of_an_independent_table() -> None:
    theirs = set(COUNTRY_MAPPING)
    # Timor-Leste and South Sudan were allocated after that table was written
    assert set(mid_states()) == theirs | {550, 638}
    assert np.flatnonzero(mid_known()).tolist() == sorted(mid_states())
    assert mmsi_state(334_012_345) == ("HND", "Honduras")
    assert mmsi_state(799_012_345) is None


def test_every_state_has_three_letters() -> None:
    assert all(len(s.alpha3) == 3 and s.alpha3.isupper() and s.name for s in mid_states().values())


@pytest.mark.parametrize(
    ("imo", "holds"),
    # 9074729 is the worked example of IMO's own page on the numbering scheme; the rest by hand
    [(9_074_729, True), (9_074_728, False), (9_176_187, True), (123, False), (0, False), (10_000_000, False)],
)
def test_imo_check_digit(imo: int, holds: bool) -> None:
    assert imo_checksum_holds(imo) is holds


def test_only_one_last_digit_holds() -> None:
    for stem in range(900_000, 900_200):
        assert sum(imo_checksum_holds(stem * 10 + digit) for digit in range(10)) == 1


def test_classes_of_ship_types() -> None:
    expected = {30: "FISHING", 52: "TUG", 31: "TUG", 36: "SAIL", 37: "PLEASURE", 60: "PASSENGER", 70: "CARGO"}
    expected |= {84: "TANKER", 40: "HIGH_SPEED", 0: "UNKNOWN", 35: "GOVERNMENT", 50: "SERVICE", -1: "UNKNOWN"}
    assert {kind: vessel_class(kind).name for kind in expected} == expected
    assert len(VesselClass) == 11


def test_every_class_of_transmitter_has_its_forms() -> None:
    assert set(FORMS_OF_CLASS) == set(TransmitterClass)
