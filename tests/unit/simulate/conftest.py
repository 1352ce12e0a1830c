"""One geography and one small scenario for all tests of the simulation."""

from collections.abc import Callable

import pytest

from shiprider.adapters.geography.coast import GlobeCoast, load_coast
from shiprider.adapters.geography.sea_lanes import sea_geography
from shiprider.simulate.geography import Geography
from shiprider.simulate.scenario import Fleet, Plots, Reception, Scenario

HOUR_US = 3_600_000_000


@pytest.fixture(scope="session")
def coast() -> GlobeCoast:
    return load_coast()


@pytest.fixture(scope="session")
def geography(coast: GlobeCoast) -> Geography:
    return sea_geography(coast.is_land)


def small(seed: int = 3, hours: int = 24, **changes: object) -> Scenario:
    fleet = Fleet(
        cargo=24, tanker=12, cruise=2, ferry=6, fishing=40, yacht=14, tug=10, service=6, patrol=4, pilot=2
    )
    plots = Plots(
        mothership_go_fast=2,
        dark_rendezvous=2,
        dark_transit=2,
        spoofed_position=3,
        identity_swap=1,
        refuelling_meet=2,
    )
    values: dict[str, object] = {
        "name": "small",
        "seed": seed,
        "duration_us": hours * HOUR_US,
        "fleet": fleet,
        "plots": plots,
        "reception": Reception(stations=24),
        "hubs": 10,
    }
    return Scenario(**(values | changes))  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def make_scenario() -> Callable[..., Scenario]:
    """`small` itself: test files cannot import this one."""
    return small
