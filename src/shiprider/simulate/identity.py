"""Who a simulated vessel says it is: MMSI, IMO number, name, call sign, type and size.

Always true: an IMO number has a right check digit; an MMSI begins with a real maritime identification
digit (MID) of its flag; every vessel's identity comes from its own random stream. Names are made of
two lists of words, call signs of the flag's prefix; nobody real is meant.
"""

from typing import Final

import msgspec
import numpy as np

#: Flag, MID (ITU table of maritime identification digits), call-sign prefix.
FLAGS: Final = {
    "PA": (351, "3E"), "LR": (636, "A8"), "MH": (538, "V7"), "BS": (311, "C6"), "SG": (563, "9V"),
    "MT": (215, "9H"), "HK": (477, "VR"), "US": (367, "WD"), "CO": (730, "HK"), "EC": (735, "HC"),
    "VE": (775, "YV"), "MX": (345, "XC"), "CR": (321, "TI"), "DO": (327, "HI"), "JM": (339, "6Y"),
    "TT": (362, "9Y"), "HN": (334, "HQ"), "GT": (332, "TG"), "PE": (760, "OA"), "KY": (319, "ZG"),
    "CU": (323, "CL"), "HT": (336, "HH"), "NI": (350, "YN"), "SV": (359, "YS"), "BB": (314, "8P"),
    "GB": (232, "GR"), "NL": (245, "PD"), "FR": (227, "FA"), "CW": (306, "PJ"), "BZ": (312, "V3"),
}  # fmt: skip

_OPEN: Final = ("PA", "LR", "MH", "BS", "SG", "MT", "HK", "KY", "GB", "NL")
_LOCAL: Final = ("CO", "EC", "VE", "MX", "CR", "DO", "HN", "GT", "PE", "NI", "SV", "PA", "JM", "TT", "US")
_YACHT: Final = ("US", "KY", "GB", "FR", "BS", "NL", "BB", "MH")

_FIRST: Final = (
    "ATLANTIC", "PACIFIC", "CARIB", "NORTHERN", "SOUTHERN", "GOLDEN", "SILVER", "ORIENT", "OCEAN", "CORAL",
    "SANTA", "SAN", "DON", "DONA", "REINA", "ESTRELLA", "LUCERO", "MAR", "VIENTO", "BRISA", "CAPE", "BAY",
    "ISLA", "PERLA", "AURORA", "ALBA", "NUEVA", "GRAN", "EASTERN", "WESTERN", "BLUE", "GREEN", "CIELO",
)  # fmt: skip
_SECOND: Final = (
    "TRADER", "PIONEER", "SPIRIT", "GLORY", "STAR", "WAVE", "HORIZON", "VOYAGER", "MERCHANT", "EXPRESS",
    "LUCIA", "MARTA", "ROSA", "ISABEL", "PEDRO", "JUAN", "MIGUEL", "DEL MAR", "AZUL", "BLANCA", "DEL SUR",
    "CARIBE", "LIBRE", "BELLA", "GAVIOTA", "DELFIN", "TIBURON", "MARLIN", "PELICANO", "ESPERANZA",
)  # fmt: skip

#: class: ITU ship types, length range m, beam/length, share of class A, class B SO, tonnage with IMO.
KINDS: Final[dict[str, tuple[tuple[int, ...], tuple[float, float], float, float, float, float]]] = {
    "cargo": ((70, 70, 70, 71, 72, 79), (80.0, 300.0), 0.15, 1.0, 0.0, 1.0),
    "tanker": ((80, 80, 81, 82, 89), (95.0, 275.0), 0.16, 1.0, 0.0, 1.0),
    "cruise": ((60, 69), (180.0, 340.0), 0.12, 1.0, 0.0, 1.0),
    "ferry": ((60, 40, 69), (25.0, 110.0), 0.2, 0.95, 0.5, 0.7),
    "fishing": ((30,), (14.0, 75.0), 0.24, 0.45, 0.15, 0.3),
    "yacht": ((36, 37, 37), (9.0, 35.0), 0.3, 0.08, 0.2, 0.02),
    "tug": ((52, 31, 52), (20.0, 40.0), 0.32, 0.95, 0.2, 0.5),
    "barge": ((90,), (45.0, 110.0), 0.24, 0.3, 0.0, 0.1),
    "service": ((90, 59, 53, 90), (25.0, 85.0), 0.22, 0.95, 0.2, 0.7),
    "patrol": ((55, 35), (25.0, 90.0), 0.15, 1.0, 0.0, 0.1),
    "pilot": ((50,), (11.0, 20.0), 0.3, 0.95, 0.2, 0.0),
    "go_fast": ((37, 0), (9.0, 15.0), 0.24, 0.0, 0.1, 0.0),
}


#: Share of vessels with wrong static data (our choice; surveys of AIS find some per cent).
FLAWED: Final = 0.03


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """One claimed identity. Sizes in metres from the antenna, as in message 5."""

    mmsi: int
    imo: int
    name: str
    callsign: str
    ship_type: int
    to_bow_m: int
    to_stern_m: int
    to_port_m: int
    to_starboard_m: int
    draught_m: float
    flag: str

    @property
    def length_m(self) -> int:
        """Overall length."""
        return self.to_bow_m + self.to_stern_m


class Hull(msgspec.Struct, frozen=True, kw_only=True):
    """A vessel as it is. `transmitter`: 1 class A, 2 class B SO, 3 class B CS, 0 none."""

    vessel: int
    kind: str
    length_m: float
    transmitter: int
    antenna_m: float
    identities: tuple[Identity, ...]
    #: What is wrong with its static data: "", "ship_type", "name", "size", "shared_mmsi".
    flaw: str = ""


#: IMO numbers do not begin with nought: with it they would be shorter than seven digits, and of no ship.
_FIRST_STEM: Final = 100_000


def imo_number(serial: int) -> int:
    """Seven digits whose last is the check digit (weights 7 to 2), from a serial of six digits."""
    digits = f"{serial:06d}"
    check = sum(int(d) * w for d, w in zip(digits, range(7, 1, -1), strict=True)) % 10
    return int(digits) * 10 + check


def make_identity(
    kind: str, serial: int, rng: np.random.Generator, length_m: float | None = None
) -> Identity:
    """An identity for a vessel of a kind; `serial` (0 to 999,999) keeps MMSIs and IMO numbers apart."""
    types, sizes, beam_share, _, _, with_imo = KINDS[kind]
    flags = _OPEN if kind in ("cargo", "tanker", "cruise") else _YACHT if kind == "yacht" else _LOCAL
    flag = str(rng.choice(flags))
    mid, prefix = FLAGS[flag]
    if length_m is None:
        length_m = float(sizes[0] * (sizes[1] / sizes[0]) ** rng.beta(2.0, 2.4))
    beam = max(3.0, length_m * beam_share)
    to_bow = round(
        length_m * (0.2 if kind in ("fishing", "yacht", "tug", "pilot") else rng.uniform(0.75, 0.9))
    )
    name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)}"
    if kind in ("fishing", "tug", "pilot", "patrol", "barge"):
        name = f"{name} {int(rng.integers(1, 30))}"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    call = prefix + "".join(letters[i] for i in rng.integers(0, 26, 2)) + str(int(rng.integers(2, 99)))
    half = round(beam / 2)
    return Identity(
        mmsi=mid * 1_000_000 + serial,
        imo=imo_number(_FIRST_STEM + serial % (1_000_000 - _FIRST_STEM)) if rng.random() < with_imo else 0,
        name=name[:20],
        callsign=call[:7],
        ship_type=int(rng.choice(types)),
        to_bow_m=to_bow,
        to_stern_m=max(1, round(length_m) - to_bow),
        to_port_m=half,
        to_starboard_m=max(1, round(beam) - half),
        draught_m=round(min(14.5, 1.5 + length_m * 0.042), 1),
        flag=flag,
    )


def make_hull(vessel: int, kind: str, rng: np.random.Generator) -> Hull:
    """A hull with one identity; `vessel` is its number in the scenario."""
    share_a, share_so = KINDS[kind][3:5]
    identity = make_identity(kind, vessel % 1_000_000, rng)
    length = float(identity.length_m)
    flaw = ""
    if rng.random() < FLAWED:
        flaw = str(rng.choice(("ship_type", "name", "size", "imo")))
        identity = _flawed(identity, flaw, rng)
    draw = rng.random()
    transmitter = 1 if draw < share_a or length > 60 else (2 if rng.random() < share_so else 3)
    return Hull(
        vessel=vessel,
        kind=kind,
        length_m=length,
        transmitter=transmitter,
        antenna_m=float(np.clip(4.0 + 0.14 * length, 4.0, 45.0)) if transmitter == 1 else 4.0,
        identities=(identity,),
        flaw=flaw,
    )


def _flawed(identity: Identity, flaw: str, rng: np.random.Generator) -> Identity:
    """The same identity with one thing keyed in wrongly, as crews do."""
    if flaw == "ship_type":
        return msgspec.structs.replace(identity, ship_type=int(rng.choice((0, 37, 70, 90))))
    if flaw == "name":
        at = int(rng.integers(len(identity.name)))
        return msgspec.structs.replace(identity, name=identity.name[:at] + identity.name[at + 1 :])
    if flaw == "size":
        return msgspec.structs.replace(identity, to_bow_m=0, to_stern_m=0, to_port_m=0, to_starboard_m=0)
    return msgspec.structs.replace(identity, imo=identity.imo + 1 if identity.imo else 0)


def sharing(hull: Hull, mmsi: int) -> Hull:
    """The hull with somebody else's, or a factory's, MMSI."""
    identities = tuple(msgspec.structs.replace(i, mmsi=mmsi) for i in hull.identities)
    return msgspec.structs.replace(hull, identities=identities, flaw="shared_mmsi")
