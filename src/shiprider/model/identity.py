"""Identities at sea: the form of an MMSI, the State of its MID, the IMO number's check digit, ship types.

Always true: these are facts of public registers and recommendations (ITU-R M.585-9 annexes 1 and 2,
ITU Table of Maritime Identification Digits, IMO resolution A.1117(30), ITU-R M.1371-5 table 53);
an identity that breaks them is a claim worth a look, never a proof of anything.
"""

import csv
from enum import IntEnum
from functools import cache
from importlib import resources
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shiprider.model.codes import TransmitterClass


class State(NamedTuple):
    """Whose MID it is: ISO 3166-1 alpha-3 and a short English name."""

    alpha3: str
    name: str


class MmsiForm(IntEnum):
    """What a nine-digit identity is the form of (ITU-R M.585-9)."""

    INVALID = 0
    SHIP = 1
    GROUP = 2
    COAST = 3
    SAR_AIRCRAFT = 4
    HANDHELD = 5
    AUXILIARY_CRAFT = 6
    AID_TO_NAVIGATION = 7
    LOCATING_DEVICE = 8


#: Identities that equipment sends until somebody sets it, or that many share: never evidence.
#: 1193046 (hex 123456) and 123456789 are makers' defaults; the rest are digits typed to get past a form.
HARMLESS_MMSI: Final = frozenset(
    {0, 1, 1193046, 111111111, 123456789, 987654321, 222222222, 333333333, 444444444}
    | {555555555, 666666666, 777777777, 888888888, 999999999, 100000000, 200000000, 1234567, 12345678}
)


@cache
def mid_states() -> dict[int, State]:
    """MID -> State, from the packaged table."""
    text = resources.files("shiprider.model").joinpath("mid.csv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    return {int(mid): State(alpha3, name) for mid, alpha3, name in csv.reader(lines)}


@cache
def mid_known() -> NDArray[np.bool_]:
    """Shape (1000,): True where that MID is allocated. Handed to kernels as an argument."""
    known = np.zeros(1000, np.bool_)
    known[list(mid_states())] = True
    known.setflags(write=False)
    return known


@cache
def form_of_head() -> NDArray[np.int8]:
    """Shape (1000,): the form of an identity by its first three of nine digits. Handed to kernels."""
    form = np.full(1000, MmsiForm.INVALID, np.int8)
    form[2:8] = MmsiForm.COAST
    form[20:80] = MmsiForm.GROUP
    form[111] = MmsiForm.SAR_AIRCRAFT
    form[200:800] = MmsiForm.SHIP
    form[800:900] = MmsiForm.HANDHELD
    form[[970, 972, 974]] = MmsiForm.LOCATING_DEVICE
    form[980:990] = MmsiForm.AUXILIARY_CRAFT
    form[990:1000] = MmsiForm.AID_TO_NAVIGATION
    form.setflags(write=False)
    return form


@cache
def mid_divisor() -> NDArray[np.int64]:
    """Shape (forms,): `mmsi // divisor % 1000` is the MID; 0 where the form has none."""
    divisor = np.zeros(len(MmsiForm), np.int64)
    divisor[MmsiForm.SHIP] = 1_000_000
    divisor[[MmsiForm.GROUP, MmsiForm.HANDHELD]] = 100_000
    divisor[[MmsiForm.COAST, MmsiForm.AUXILIARY_CRAFT, MmsiForm.AID_TO_NAVIGATION]] = 10_000
    divisor[MmsiForm.SAR_AIRCRAFT] = 1_000
    divisor.setflags(write=False)
    return divisor


def mmsi_form(mmsi: int) -> MmsiForm:
    """The form of an identity, by its leading digits; whether the MID is allocated is another question."""
    if not 0 < mmsi <= 999_999_999:
        return MmsiForm.INVALID
    return MmsiForm(int(form_of_head()[mmsi // 1_000_000]))


def mmsi_mid(mmsi: int) -> int | None:
    """The three digits that name the State, wherever the form keeps them; None where it has none."""
    divisor = int(mid_divisor()[mmsi_form(mmsi)])
    return mmsi // divisor % 1000 if divisor else None


def mmsi_state(mmsi: int) -> State | None:
    """The State whose MID it is, or None where the form has none or it is not allocated."""
    mid = mmsi_mid(mmsi)
    return None if mid is None else mid_states().get(mid)


#: Which forms a transmitter of that class may lawfully claim (M.585-9; auxiliary craft carry class A or B).
FORMS_OF_CLASS: Final[dict[TransmitterClass, frozenset[MmsiForm]]] = {
    TransmitterClass.A: frozenset({MmsiForm.SHIP, MmsiForm.AUXILIARY_CRAFT, MmsiForm.LOCATING_DEVICE}),
    TransmitterClass.B_SO: frozenset({MmsiForm.SHIP, MmsiForm.AUXILIARY_CRAFT}),
    TransmitterClass.B_CS: frozenset({MmsiForm.SHIP, MmsiForm.AUXILIARY_CRAFT}),
    TransmitterClass.BASE_STATION: frozenset({MmsiForm.COAST}),
    TransmitterClass.AID_TO_NAVIGATION: frozenset({MmsiForm.AID_TO_NAVIGATION}),
    TransmitterClass.SAR_AIRCRAFT: frozenset({MmsiForm.SAR_AIRCRAFT}),
    TransmitterClass.LOCATING_DEVICE: frozenset({MmsiForm.LOCATING_DEVICE}),
    TransmitterClass.UNKNOWN: frozenset(set(MmsiForm) - {MmsiForm.INVALID}),
}


@cache
def form_allowed() -> NDArray[np.bool_]:
    """Shape (classes, forms): `FORMS_OF_CLASS` as a table for kernels."""
    allowed = np.zeros((len(TransmitterClass), len(MmsiForm)), np.bool_)
    for transmitter, forms in FORMS_OF_CLASS.items():
        allowed[transmitter, [int(form) for form in forms]] = True
    allowed.setflags(write=False)
    return allowed


#: Beyond this the field holds a flag State's official number, not an IMO number (ITU-R M.1371-5 table 52).
HIGHEST_IMO: Final = 9_999_999


def imo_checksum_holds(imo: int) -> bool:
    """True where a seven-digit IMO ship number's last digit checks (A.1117(30): weights 7 to 2)."""
    if not 1_000_000 <= imo <= 9_999_999:
        return False
    digits = [int(digit) for digit in str(imo)]
    return (
        sum(weight * digit for weight, digit in zip(range(7, 1, -1), digits, strict=False)) % 10 == digits[6]
    )


class VesselClass(IntEnum):
    """What sort of vessel, coarse enough to learn from, fine enough to matter."""

    UNKNOWN = 0
    CARGO = 1
    TANKER = 2
    PASSENGER = 3
    HIGH_SPEED = 4
    FISHING = 5
    TUG = 6
    SAIL = 7
    PLEASURE = 8
    SERVICE = 9
    GOVERNMENT = 10


def vessel_class(ship_type: int) -> VesselClass:
    """The class of an AIS ship type (ITU-R M.1371-5 table 53)."""
    tens = ship_type // 10
    by_tens = {
        4: VesselClass.HIGH_SPEED,
        6: VesselClass.PASSENGER,
        7: VesselClass.CARGO,
        8: VesselClass.TANKER,
    }
    if tens in by_tens:
        return by_tens[tens]
    by_type = {
        30: VesselClass.FISHING,
        31: VesselClass.TUG,
        32: VesselClass.TUG,
        33: VesselClass.SERVICE,
        34: VesselClass.SERVICE,
        35: VesselClass.GOVERNMENT,
        36: VesselClass.SAIL,
        37: VesselClass.PLEASURE,
        50: VesselClass.SERVICE,
        51: VesselClass.GOVERNMENT,
        52: VesselClass.TUG,
        53: VesselClass.SERVICE,
        54: VesselClass.SERVICE,
        55: VesselClass.GOVERNMENT,
        58: VesselClass.GOVERNMENT,
    }
    return by_type.get(ship_type, VesselClass.UNKNOWN)
