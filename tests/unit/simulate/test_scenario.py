"""Scenarios are plain values that can be written and read."""

import re
from pathlib import Path

import pytest

from shiprider.model.errors import UsageError
from shiprider.simulate.scenario import demo, from_json, preset, to_json, week


def test_presets_are_as_large_as_promised() -> None:
    assert week().fleet.total() == 3000
    assert week().plots.total() == 40
    assert week().duration_us == 7 * 86_400 * 1_000_000
    assert demo().fleet.total() == 600
    assert 10 <= demo().plots.total() <= 14
    assert preset("week", 9).seed == 9


def test_json_round_trip() -> None:
    assert from_json(to_json(week(4))) == week(4)


def test_errors_are_sentences() -> None:
    with pytest.raises(UsageError, match="choose one of demo, week"):
        preset("month")
    with pytest.raises(UsageError, match="cannot be read"):
        from_json(b'{"name": "x", "seed": 1, "vesels": 3}')


def test_the_documented_scenario_can_be_read() -> None:
    page = (Path(__file__).parents[3] / "docs" / "simulation.md").read_text(encoding="utf-8")
    block = re.search(r"```json\n(.*?)```", page, re.DOTALL)
    assert block
    scenario = from_json(block[1].encode())
    assert scenario.fleet.cargo == 200
    assert scenario.plots.dark_transit == 5
    assert scenario.reception.stations == 50
