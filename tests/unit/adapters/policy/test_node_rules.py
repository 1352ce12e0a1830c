"""Which rules a node has: its file's, or only its own people's."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from shiprider.adapters.policy.compiling import policy_text, quoted
from shiprider.bootstrap import policies
from shiprider.bootstrap.policies import node_rules, read_rules
from shiprider.model.errors import UsageError
from shiprider.model.observer import Observer
from shiprider.model.release_class import ReleaseClass
from shiprider.settings import Settings

EXAMPLE = Path(__file__).resolve().parents[4] / "docs" / "examples" / "policy.toml"
OURS = ReleaseClass(label="", origin="key-west", kind="alert")
PERSON = Observer(name="a person", nation="USA", organisation="USCG")


def test_without_a_file_only_the_nodes_own_people(tmp_path: Path) -> None:
    def reads(settings: Settings, who: Observer) -> bool:
        policy = policies.policy(node_rules(settings, tmp_path))
        return policy.decide(who, "read", [OURS], 0)[0].allowed

    of_a_nation = Settings(node="key-west", nation="USA")
    assert reads(of_a_nation, PERSON)
    assert not reads(of_a_nation, replace(PERSON, nation="COL"))
    assert reads(Settings(node="key-west", nation="USA", organisation="USCG"), PERSON)
    assert not reads(Settings(node="key-west", nation="USA", organisation="DEA"), PERSON)
    # A node that says nothing of itself: those of the organisation that bears its name.
    assert not reads(Settings(node="key-west"), PERSON)
    assert reads(Settings(node="key-west"), replace(PERSON, organisation="key-west"))


def test_the_file_lies_beside_the_settings_and_is_of_this_node(tmp_path: Path) -> None:
    (tmp_path / "policy.toml").write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
    settings = Settings(node="key-west", policy="policy.toml")
    assert node_rules(settings, tmp_path).book.ids() == ["EXAMPLE-1"]
    with pytest.raises(UsageError, match="is the policy of 'key-west', but this node is 'elsewhere'"):
        node_rules(Settings(node="elsewhere", policy="policy.toml"), tmp_path)
    with pytest.raises(UsageError, match="cannot be read"):
        node_rules(Settings(node="key-west", policy="none.toml"), tmp_path)


def test_the_same_rules_are_one_version_and_others_another(tmp_path: Path) -> None:
    rules = read_rules(str(EXAMPLE))
    wider = read_rules(str(EXAMPLE.with_name("policy-wider.toml")))
    assert policies.policy(rules).version == policies.policy(rules).version
    assert policies.policy(rules).version != policies.policy(wider).version
    assert policy_text(rules) == policy_text(read_rules(str(EXAMPLE)))


@pytest.mark.parametrize("text", ['"', "\\", "\n", "é", "\x00", '" || true || "', "\U0001f6a2"])
def test_a_name_stays_a_name_in_the_engines_language(text: str, tmp_path: Path) -> None:
    assert quoted(text).isascii()
    settings = Settings(node=f"n{text}", organisation=f"o{text}")
    policy = policies.policy(node_rules(settings, tmp_path))
    of = ReleaseClass(label="", origin=f"n{text}")
    assert policy.decide(replace(PERSON, organisation=f"o{text}"), "read", [of], 0)[0].allowed
    assert not policy.decide(replace(PERSON, organisation="o"), "read", [of], 0)[0].allowed
