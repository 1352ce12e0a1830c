"""Every reason that the policy or a tear-line gives has its words in every language."""

import tomllib
from importlib.resources import files
from typing import Any, get_args

import pytest

from shiprider.model.tear_line import SanitisingRule
from shiprider.share.release import ENGINE_ERROR, NOTHING_ALLOWS, OBJECTIONS


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_reason_has_its_words(language: str) -> None:
    text = files("shiprider.api").joinpath("catalogues", f"{language}.toml").read_text(encoding="utf-8")
    words: dict[str, Any] = tomllib.loads(text)
    grounds = {"own", "public", "clause"}
    assert set(words["policy"]) == {*OBJECTIONS, NOTHING_ALLOWS, ENGINE_ERROR, *grounds}
    rules = {rule.__struct_config__.tag for rule in get_args(SanitisingRule)}
    assert set(words["tear_line"]) == {*rules, "text", "link", "not_known"}
