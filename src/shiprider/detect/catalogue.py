"""What can be detected: the behaviours, in one explicit tuple, and their presets.

Always true: importing a module registers nothing; a behaviour exists because it stands in
`BEHAVIOURS`; every preset in `presets.toml` belongs to one of them and fits its detector's form.
"""

import tomllib
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from shiprider.detect import (
    area,
    dark_encounter,
    encounter,
    gap,
    identity,
    loitering,
    port_visit,
    route_departure,
    spoofing,
    watchlist,
)
from shiprider.detect.fold import Detector
from shiprider.detect.preset import Preset
from shiprider.model.errors import UsageError


class Behaviour(msgspec.Struct, frozen=True):
    """A kind of behaviour and what makes a detector of a preset of it.

    `build` raises UsageError in one sentence where the preset's numbers do not fit.
    """

    name: str
    build: Callable[[Preset], Detector[Any]]


#: Every behaviour of the spine. A new one is one line here and its section in presets.toml.
BEHAVIOURS: Final[tuple[Behaviour, ...]] = (
    Behaviour("encounter", encounter.build),
    Behaviour("dark_encounter", dark_encounter.build),
    Behaviour("loitering", loitering.build),
    Behaviour("gap", gap.build),
    Behaviour("port_visit", port_visit.build),
    Behaviour("identity", identity.build),
    Behaviour("spoofing", spoofing.build),
    Behaviour("watchlist", watchlist.build),
    Behaviour("area", area.build),
    Behaviour("route_departure", route_departure.build),
)


def read_presets(text: str, file: str) -> tuple[Preset, ...]:
    """The presets written in TOML as `[behaviour.name]` tables; raises UsageError in one sentence."""
    try:
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not TOML: {error}.") from None
    return tuple(
        _preset(behaviour, name, numbers, file)
        for behaviour, named in tables.items()
        for name, numbers in _named(behaviour, named, file)
    )


@cache
def shipped() -> tuple[Preset, ...]:
    """The presets that come with the package."""
    text = files("shiprider.detect").joinpath("presets.toml").read_text(encoding="utf-8")
    return read_presets(text, "shiprider/detect/presets.toml")


def find(name: str, presets: Iterable[Preset]) -> Preset:
    """The preset called `behaviour.name` (`behaviour/name`, or `behaviour` where it has only one)."""
    behaviour, _, short = name.replace("/", ".").partition(".")
    matches = [p for p in presets if p.behaviour == behaviour and short in ("", p.name)]
    if len(matches) == 1:
        return matches[0]
    known = ", ".join(f"{p.behaviour}.{p.name}" for p in (matches or presets))
    raise UsageError(f"There is no single preset {name!r}; choose one of: {known}.")


def build(preset: Preset) -> Detector[Any]:
    """The detector of a preset; raises UsageError in one sentence."""
    for behaviour in BEHAVIOURS:
        if behaviour.name == preset.behaviour:
            return behaviour.build(preset)
    known = ", ".join(b.name for b in BEHAVIOURS)
    raise UsageError(f"{preset.where()}: there is no behaviour {preset.behaviour!r}; there are {known}.")


def make_detectors(wanted: Iterable[str | Preset] = (), user: Iterable[Preset] = ()) -> list[Detector[Any]]:
    """Detectors for preset names or presets; all shipped and user presets where none is wanted."""
    known = (*shipped(), *user)
    chosen = [item if isinstance(item, Preset) else find(item, known) for item in wanted]
    return [build(preset) for preset in (chosen or known)]


def _named(behaviour: str, named: object, file: str) -> list[tuple[str, dict[str, Any]]]:
    if not isinstance(named, dict) or not all(isinstance(numbers, dict) for numbers in named.values()):
        raise UsageError(f"{file}: write a preset as a table [behaviour.name], not {behaviour!r} alone.")
    return list(named.items())


def _preset(behaviour: str, name: str, table: dict[str, Any], file: str) -> Preset:
    numbers = {k: v for k, v in table.items() if k not in ("source", "text", "prior")}
    prior = table.get("prior", 0.1)
    if isinstance(prior, bool) or not isinstance(prior, int | float) or not 0.0 < prior < 1.0:
        raise UsageError(f"[{behaviour}.{name}] in {file}: prior is {prior!r}, but must lie between 0 and 1.")
    return Preset(
        behaviour=behaviour,
        name=name,
        source=str(table.get("source", "")),
        text=str(table.get("text", "")),
        prior=float(prior),
        numbers=numbers,
        file=file,
    )
