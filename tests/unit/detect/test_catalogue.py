"""The presets are what the domain page says, and a user's file is taken or refused in one sentence."""

import msgspec
import pytest

from shiprider.detect.catalogue import BEHAVIOURS, build, find, make_detectors, shipped
from shiprider.detect.user_presets import parse_user_presets
from shiprider.model.errors import UsageError

KNOT = 1852.0 / 3600.0

#: The figures of the domain page, typed again from there.
DEFINED = [
    (
        "encounter.gfw",
        {"within_m": 500, "duration_s": 7200, "median_speed_mps": 2 * KNOT, "anchorage_m": 10_000},
    ),
    ("encounter.skylight", {"within_m": 250, "duration_s": 1800}),
    (
        "encounter.starboard",
        {"inner_m": 50, "inner_duration_s": 600, "within_m": 200, "duration_s": 1800},
    ),
    ("dark_encounter.skylight", {"duration_s": 900}),
    ("loitering.gfw", {"speed_mps": 2 * KNOT, "duration_s": 7200}),
    ("loitering.gfw-product", {"speed_mps": 2 * KNOT, "duration_s": 7200, "shore_m": 20 * 1852}),
    ("loitering.gfw-transshipment", {"speed_mps": 2 * KNOT, "duration_s": 14_400, "shore_m": 20 * 1852}),
    (
        "port_visit.gfw",
        {
            "entry_m": 3000,
            "exit_m": 4000,
            "stop_begin_mps": 0.2 * KNOT,
            "stop_end_mps": 0.5 * KNOT,
            "gap_s": 14_400,
        },
    ),
]


@pytest.mark.parametrize(("name", "figures"), DEFINED, ids=[d[0] for d in DEFINED])
def test_presets_are_those_of_the_domain(name: str, figures: dict[str, float]) -> None:
    preset = find(name, shipped())
    for key, value in figures.items():
        assert preset.numbers[key] == pytest.approx(value, rel=1e-12)
    assert preset.source
    assert preset.text


def test_every_preset_has_a_detector_and_every_behaviour_a_preset() -> None:
    detectors = make_detectors()
    assert {(d.behaviour, d.preset) for d in detectors} == {(p.behaviour, p.name) for p in shipped()}
    assert {b.name for b in BEHAVIOURS} == {p.behaviour for p in shipped()}
    assert len({b.name for b in BEHAVIOURS}) == len(BEHAVIOURS)


def test_presets_and_behaviours_are_frozen() -> None:
    with pytest.raises(AttributeError):
        shipped()[0].name = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        BEHAVIOURS[0].name = "other"  # type: ignore[misc]


def test_a_user_preset_differs_only_in_what_it_says() -> None:
    (preset,) = parse_user_presets('[encounter.close]\nbased_on = "gfw"\nwithin_m = 300\n', "mine.toml")
    base = find("encounter.gfw", shipped())
    assert dict(preset.numbers) == {**base.numbers, "within_m": 300}
    assert build(preset).preset == "close"
    assert [d.preset for d in make_detectors(["encounter.close"], [preset])] == ["close"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[encounter.x", "mine.toml is not TOML"),
        ("encounter = 3", "write a preset as a table [behaviour.name]"),
        ("[encounter]\nwithin_m = 3", "write a preset as a table [behaviour.name]"),
        ('[encounter.gfw]\nbased_on = "gfw"', "taken by a shipped preset"),
        ('[encounter.x]\nbased_on = "nobody"', "no shipped preset encounter.nobody"),
        ('[encounter.x]\nbased_on = "gfw"\nwithin = 3', "within"),
        ('[encounter.x]\nbased_on = "gfw"\nwithin_m = "near"', "within_m"),
        ('[encounter.x]\nbased_on = "gfw"\nwithin_m = -1', "within_m is -1"),
        ('[encounter.x]\nbased_on = "gfw"\nwithin_m = nan', "within_m is nan"),
        ('[encounter.x]\nbased_on = "gfw"\nprior = 2', "prior is 2"),
        ("[encounter.x]\nwithin_m = 300", "lacks"),
        ("[drifting.x]\nduration_s = 3", "no behaviour 'drifting'"),
        ('[encounter.x]\nbased_on = "gfw"\nstep_s = 0', "step_s"),
        ('[encounter.x]\nbased_on = "gfw"\nwithin_m = 0', "within_m"),
    ],
)
def test_a_wrong_user_preset_is_refused_in_one_sentence(text: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        parse_user_presets(text, "mine.toml")
    message = str(error.value)
    assert says in message
    assert "mine.toml" in message
    assert message.endswith(".")
    assert "\n" not in message


def test_an_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"encounter\.skylight"):
        find("encounter.nobody", shipped())
    with pytest.raises(UsageError, match=r"encounter\.gfw"):
        find("encounter", shipped())
    assert find("port_visit", shipped()).name == "gfw"


def test_numbers_survive_the_wire() -> None:
    for preset in shipped():
        assert msgspec.json.decode(msgspec.json.encode(preset), type=type(preset)) == preset
