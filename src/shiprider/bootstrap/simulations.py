"""Simulated traffic on the packaged coast, ports and lanes."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from shiprider.simulate.stream import Simulation


def simulation(name: str, seed: int | None = None, start_us: int | None = None) -> "Simulation":
    """A scenario by preset name or JSON file, laid over the packaged coast, ports and lanes.

    Raises UsageError. `start_us` moves it in time; the same seed and start give the same bytes.
    """
    from shiprider.adapters.geography.coast import load_coast
    from shiprider.adapters.geography.sea_lanes import sea_geography
    from shiprider.simulate.scenario import from_json, preset
    from shiprider.simulate.stream import Simulation as Played

    scenario = (
        from_json(Path(name).read_bytes())
        if name.endswith(".json") and Path(name).is_file()
        else preset(name, seed)
    )
    if seed is not None:
        scenario = msgspec.structs.replace(scenario, seed=seed)
    if start_us is not None:
        scenario = msgspec.structs.replace(scenario, start_us=start_us)
    return Played.of(scenario, sea_geography(load_coast().is_land))


def steady_datagrams(messages_per_s: float, together: int, vessels: int = 5_000) -> Iterator[bytes]:
    """Simulated sentences without end, so many in each piece: what a busy coast would send."""
    from shiprider.adapters.geography.coast import load_coast
    from shiprider.adapters.geography.sea_lanes import sea_geography
    from shiprider.simulate.steady import steady_stream

    slices = steady_stream(
        sea_geography(load_coast().is_land),
        messages_per_s=messages_per_s,
        vessels=vessels,
        duration_s=86_400.0,
    )
    for piece in slices:
        lines = piece.data.splitlines(keepends=True)
        for at in range(0, len(lines), together):
            yield b"".join(lines[at : at + together])
