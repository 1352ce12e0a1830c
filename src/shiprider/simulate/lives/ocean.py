"""Ships in trade: cargo ships, tankers and cruise ships that go from hub to hub.

Always true: a voyage follows the sea grid's lanes; a call is an approach, often a wait at anchor, a
stay alongside and a departure. Medians of stay: UNCTAD Review of Maritime Transport (median time in
port about one day for container ships and tankers); waits at anchor and speeds are our choice within
usual service speeds.
"""

import numpy as np

from shiprider.simulate import motion
from shiprider.simulate.lives.life import (
    HOUR,
    KNOT,
    Leg,
    Life,
    Note,
    berth_of,
    hours,
    in_disc,
    joined,
    varied,
)
from shiprider.simulate.waters import Waters

#: Service speed in knots (mean, sigma), share of calls that wait at anchor.
_SERVICE = {"cargo": (13.5, 2.0, 0.45), "tanker": (12.2, 1.2, 0.6), "cruise": (18.0, 1.8, 0.05)}


def loop_of_hubs(waters: Waters, rng: np.random.Generator, reach_deg: float = 60.0) -> list[int]:
    """Two to five hubs that are joined by sea, the busier the likelier."""
    start = int(rng.choice(waters.hubs, p=waters.weight))
    loop = [start]
    wanted = int(rng.integers(2, 6))
    for _ in range(60):
        port = int(rng.choice(waters.hubs, p=waters.weight))
        if port in loop:
            continue
        if np.abs(waters.grid.berth(port) - waters.grid.berth(start)).max() > reach_deg:
            continue
        if waters.grid.port_to_port(start, port) is None:
            continue
        loop.append(port)
        if len(loop) == wanted:
            break
    return loop


def trade(waters: Waters, rng: np.random.Generator, kind: str, start_s: float) -> Life:
    """A ship in trade for ever."""
    mean, sigma, waits = _SERVICE[kind]
    speed = float(np.clip(rng.normal(mean, sigma), 8.0, 24.0)) * KNOT
    loop = loop_of_hubs(waters, rng)
    while len(loop) < 2:
        loop = loop_of_hubs(waters, rng)
    # The first voyage began somewhere in the days before.
    t = start_s - rng.uniform(0.0, 5.0) * 24 * HOUR
    place = berth_of(waters, loop[0], rng)
    leg = 0
    while True:
        origin, target = loop[leg % len(loop)], loop[(leg + 1) % len(loop)]
        leg += 1
        quay = berth_of(waters, target, rng)
        path = waters.grid.port_to_port(origin, target)
        if path is None:
            continue
        path = varied(waters, path, 2_500.0, rng)
        if rng.random() < waits:
            spot = in_disc(*waters.anchored_at(target), 900.0, 1, rng)[0]
            anchor = (float(spot[0]), float(spot[1]))
            # The approach ends at the anchorage, not at the quay.
            knots = motion.sail(t, joined(path, place, anchor), speed, rng, wander_m=150.0)
            yield Leg(0, knots)
            t = float(knots[-1, motion.T])
            until = t + hours(rng, 14.0, 0.8, 2.0, 96.0)
            yield Note("waiting_at_anchor", (0,), t, until, *anchor)
            yield Leg(0, motion.swing(t, until, *anchor, float(rng.uniform(60, 180)), rng))
            inward = motion.sail(until, np.array([anchor, quay]), 6 * KNOT, rng, wander_m=20.0)
            yield Leg(0, inward)
            t = float(inward[-1, motion.T])
        else:
            knots = motion.sail(t, joined(path, place, quay), speed, rng, wander_m=150.0)
            yield Leg(0, knots)
            t = float(knots[-1, motion.T])
        until = t + (
            hours(rng, 9.0, 0.2, 6.0, 14.0) if kind == "cruise" else hours(rng, 22.0, 0.5, 6.0, 90.0)
        )
        yield Leg(0, motion.moor(t, until, *quay))
        t, place = until, quay
