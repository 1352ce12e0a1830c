"""Whatever the seed: movement is continuous and plausible, truth lies inside the scenario."""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shiprider.adapters.geography.coast import load_coast
from shiprider.adapters.geography.sea_lanes import sea_geography
from shiprider.simulate import motion
from shiprider.simulate.geography import Geography
from shiprider.simulate.scenario import Fleet, Plots, Reception, Scenario
from shiprider.simulate.stream import Simulation

_GEOGRAPHY: list[Geography] = []


def geography() -> Geography:
    if not _GEOGRAPHY:
        _GEOGRAPHY.append(sea_geography(load_coast().is_land))
    return _GEOGRAPHY[0]


@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**31 - 1))
def test_any_seed(seed: int) -> None:
    scenario = Scenario(
        name="any",
        seed=seed,
        duration_us=48 * 3_600_000_000,
        fleet=Fleet(
            cargo=12, tanker=12, cruise=1, ferry=3, fishing=40, yacht=6, tug=6, service=3, patrol=2, pilot=1
        ),
        plots=Plots(
            mothership_go_fast=1,
            dark_rendezvous=1,
            dark_transit=1,
            spoofed_position=1,
            identity_swap=1,
            refuelling_meet=1,
        ),
        reception=Reception(stations=8),
        hubs=8,
    )
    play = Simulation.of(scenario, geography())
    for day in (0, 1):
        knots, first = play.plan_day(day)
        kinds = [hull.kind for unit in play.units for hull in unit.hulls]
        for vessel, kind in enumerate(kinds):
            mine = knots[first[vessel] : first[vessel + 1]]
            if len(mine) < 2:
                continue
            h = np.diff(mine[:, motion.T])
            scale = np.cos(np.radians(mine[:-1, motion.LAT]))
            metres = 111_195.0 * np.hypot(np.diff(mine[:, motion.LAT]), np.diff(mine[:, motion.LON]) * scale)
            assert (h >= -1e-6).all(), kind
            assert metres[h < 1e-3].max(initial=0.0) < 2.0, kind
            speed = metres[h >= 1e-3] / h[h >= 1e-3]
            assert speed.max(initial=0.0) < (30.0 if kind == "go_fast" else 20.0), kind
    for plot in play.plots:
        assert plot.event is not None
        assert scenario.start_us <= plot.event.start_us <= plot.event.end_us <= scenario.end_us
