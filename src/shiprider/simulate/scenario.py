"""A scenario: what is simulated, in plain numbers that can be written to JSON and read back.

Always true: a scenario and a geography determine every byte; no number here is a detector's.
"""

from typing import Final

import msgspec

from shiprider.measure.clock import DAY_US, us_from_iso
from shiprider.model.errors import UsageError

#: A Monday.
DEFAULT_START_US: Final = us_from_iso("2026-03-02T00:00:00Z")


class Fleet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many lawful vessels of each class."""

    cargo: int = 640
    tanker: int = 300
    cruise: int = 40
    ferry: int = 90
    fishing: int = 960
    yacht: int = 480
    tug: int = 200
    service: int = 180
    patrol: int = 60
    pilot: int = 50

    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, name) for name in self.__struct_fields__)


class Plots(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How many trafficking events a week of each kind."""

    mothership_go_fast: int = 9
    dark_rendezvous: int = 8
    dark_transit: int = 6
    spoofed_position: int = 6
    identity_swap: int = 4
    refuelling_meet: int = 7

    def total(self) -> int:
        """All of them."""
        return sum(getattr(self, name) for name in self.__struct_fields__)


class Reception(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Receivers. Chances are per message; lateness in seconds."""

    stations: int = 70
    satellites: int = 6
    satellite_chance_a: float = 0.16
    satellite_chance_b: float = 0.10
    satellite_chance_long_range: float = 0.45
    satellite_late_min_s: float = 120.0
    satellite_late_max_s: float = 1500.0
    outage_every_days: float = 9.0
    background_vessels: int = 1500


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is chosen. `hubs`: how many ports ocean-going ships use."""

    name: str
    seed: int
    start_us: int = DEFAULT_START_US
    duration_us: int = 7 * DAY_US
    fleet: Fleet = Fleet()
    plots: Plots = Plots()
    reception: Reception = Reception()
    hubs: int = 44

    @property
    def end_us(self) -> int:
        """When it is over."""
        return self.start_us + self.duration_us


def week(seed: int = 1) -> Scenario:
    """Seven days, 3,000 lawful vessels, 40 events."""
    return Scenario(name="week", seed=seed)


def demo(seed: int = 7) -> Scenario:
    """One day, 600 lawful vessels, a dozen events of all kinds."""
    return Scenario(
        name="demo",
        seed=seed,
        duration_us=DAY_US,
        fleet=Fleet(
            cargo=150,
            tanker=70,
            cruise=10,
            ferry=22,
            fishing=180,
            yacht=80,
            tug=36,
            service=30,
            patrol=12,
            pilot=10,
        ),
        plots=Plots(
            mothership_go_fast=3,
            dark_rendezvous=2,
            dark_transit=2,
            spoofed_position=3,
            identity_swap=1,
            refuelling_meet=2,
        ),
        reception=Reception(stations=40),
        hubs=22,
    )


PRESETS: Final = {"demo": demo, "week": week}


def preset(name: str, seed: int | None = None) -> Scenario:
    """A preset by name. Raises UsageError where there is none."""
    if name not in PRESETS:
        raise UsageError(f"There is no scenario called {name!r}: choose one of {', '.join(sorted(PRESETS))}.")
    return PRESETS[name]() if seed is None else PRESETS[name](seed)


def to_json(scenario: Scenario) -> bytes:
    """The scenario as JSON."""
    return msgspec.json.encode(scenario)


def from_json(data: bytes) -> Scenario:
    """A scenario read back. Raises UsageError where the text is not one."""
    try:
        return msgspec.json.decode(data, type=Scenario)
    except msgspec.DecodeError as error:
        raise UsageError(f"The scenario cannot be read: {error}; see docs/simulation.md.") from error
