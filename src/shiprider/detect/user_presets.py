"""Presets of a user's own, in a TOML file.

Always true: a user preset never replaces a shipped one; it may start from one (`based_on`) and then
differs from it only in the numbers it names; it is refused in one sentence if its detector would not
take it.

    [encounter.close-and-long]
    based_on = "gfw"
    within_m = 300
    duration_s = 10800
"""

from pathlib import Path

import msgspec

from shiprider.detect.catalogue import build, read_presets, shipped
from shiprider.detect.preset import Preset
from shiprider.model.errors import UsageError


def parse_user_presets(text: str, file: str) -> tuple[Preset, ...]:
    """The user's presets; raises UsageError naming table and file."""
    finished = tuple(_finished(preset) for preset in read_presets(text, file))
    for preset in finished:
        build(preset)
    return finished


def _finished(preset: Preset) -> Preset:
    names = {(p.behaviour, p.name) for p in shipped()}
    if (preset.behaviour, preset.name) in names:
        raise UsageError(f"{preset.where()}: this name is taken by a shipped preset, choose another.")
    numbers = dict(preset.numbers)
    base_name = numbers.pop("based_on", None)
    if base_name is None:
        return msgspec.structs.replace(preset, numbers=numbers, source=preset.source or "the user's own")
    for base in shipped():
        if base.behaviour == preset.behaviour and base.name == base_name:
            return msgspec.structs.replace(
                preset,
                numbers={**base.numbers, **numbers},
                source=preset.source or f"the user's own, based on {base.name}",
                text=preset.text or base.text,
            )
    raise UsageError(
        f"{preset.where()}: there is no shipped preset {preset.behaviour}.{base_name} to base it on."
    )


def display_name(path: Path) -> str:
    """How a presets file is called in messages."""
    return path.name
