"""A policy as a person writes it."""

from pathlib import Path

import pytest

from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.formats.policy_toml import parse_rules
from shiprider.measure.clock import us_from_iso
from shiprider.model.errors import InputError
from shiprider.model.rules import Home

EXAMPLE = (Path(__file__).resolve().parents[3] / "docs" / "examples" / "policy.toml").read_text(
    encoding="utf-8"
)


def test_the_example_by_hand() -> None:
    rules = parse_rules(EXAMPLE, "policy.toml")
    assert rules.node == "key-west"
    assert rules.homes == (Home(node="key-west", nation="USA"), Home(node="cartagena", nation="COL"))
    (agreement,) = rules.book.agreements
    assert agreement.from_us == us_from_iso("2025-01-01T00:00:00Z")
    assert agreement.party("COL").binding_spans()[0][0] == us_from_iso("2025-03-01T00:00:00Z")
    assert agreement.sharing[0].kinds == ("finding", "tear_line")
    assert CedarPolicy(rules).version == CedarPolicy(parse_rules(EXAMPLE, "x")).version


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("schema = 1", "schema = 2", "reads schema 1"),
        ("schema = 1", "", "schema None"),
        ('node = "key-west"\n\n', 'node = "elsewhere"\n\n', "has no home"),
        ('node = "key-west"\nnation = "USA"', 'node = "key-west"', "no nation and no organisation"),
        ("from = 2025-01-01\n", 'from = "soon"\n', "write a date"),
        ("from = 2025-01-01\n", "from_us = 5\n", "write 'from' with a date"),
        ("from = 2025-01-01\n", "", "missing required field `from_us`"),
        ('onward = "never"', 'onward = "perhaps"', "cannot be meant"),
        ('onward = "never"', 'onwards = "never"', "unknown field `onwards`"),
        ('highest = "CONFIDENTIAL"', 'highest = "CONFIDENTAL"', "'CONFIDENTAL'"),
        ('shared_with = ["USA", "COL"]', 'shared_with = ["HND"]', "names HND, who are no parties"),
        ('status = "signed"', 'status = "agreed"', "cannot be meant"),
        ("[[homes]]", "[[homes", "is not valid TOML"),
    ],
)
def test_a_slip_is_one_sentence(right: str, wrong: str, told: str) -> None:
    assert right in EXAMPLE
    with pytest.raises(InputError) as refused:
        parse_rules(EXAMPLE.replace(right, wrong, 1), "p.toml")
    assert told in str(refused.value)
    assert str(refused.value).startswith("p.toml ")


def test_a_date_may_have_a_time() -> None:
    for moment in ("2025-01-01T00:00:00Z", "2025-01-01T00:00:00", "2024-12-31T19:00:00-05:00"):
        rules = parse_rules(EXAMPLE.replace("from = 2025-01-01\n", f"from = {moment}\n", 1), "p")
        assert rules.book.agreements[0].from_us == us_from_iso("2025-01-01T00:00:00Z")
