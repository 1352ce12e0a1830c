"""The page on sharing is run as it stands: its code, its commands, its settings."""

import doctest
import re
from pathlib import Path

import pytest

from shiprider.bootstrap.folder import load_settings
from shiprider.model.label import written
from shiprider.settings import parse

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "sharing.md").read_text(encoding="utf-8")


def test_the_code_prints_what_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "docs" / "examples")
    code = "".join(re.findall(r"```python\n(.*?)```", PAGE, re.S))
    test = doctest.DocTestParser().get_doctest(code, {}, "sharing.md", "docs/sharing.md", 0)
    assert len(test.examples) > 40
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.REPORT_NDIFF | doctest.ELLIPSIS).run(
        test, out=told.append
    )
    assert result.failed == 0, "".join(told)


def test_the_commands_do_what_the_page_says(shiprider, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(ROOT / "docs" / "examples")
    commands = re.findall(r"^\$ shiprider (.*)$", PAGE, re.M)
    assert [words.split()[1] for words in commands] == ["check", "diff"]
    checked, changed = (shiprider(*words.split()) for words in commands)
    assert checked.code == 0, checked.err
    assert "EXAMPLE-1" in checked.out
    assert "The policy of key-west is in order" in checked.err
    assert changed.code == 1, changed.err
    assert "two different people must agree" in changed.err
    assert re.search(r"release\s+COL\s+key-west\s+alert\s+CONFIDENTIAL", changed.out)


def test_a_policy_that_only_withholds_needs_one_person(shiprider, monkeypatch):  # type: ignore[no-untyped-def]
    monkeypatch.chdir(ROOT / "docs" / "examples")
    told = shiprider("policy", "diff", "policy-wider.toml", "policy.toml", "--json")
    assert told.code == 0, told.err
    assert {each["change"] for each in told.objects()} == {"withheld"}
    assert "one person is enough" in told.err


def test_a_node_is_counted_by_its_own_records(shiprider, node, tmp_path, monkeypatch):  # type: ignore[no-untyped-def]
    """Unlabelled records are their originator's own: whatever the policy, a partner gets none of them."""
    monkeypatch.chdir(ROOT / "docs" / "examples")
    told = shiprider("policy", "diff", "policy.toml", "policy-wider.toml", "--node", node, "--json")
    assert told.code == 0, told.err
    assert told.objects() == []
    origin = load_settings(Path(node)).node
    ours = tmp_path / "ours.toml"
    text = Path("policy.toml").read_text(encoding="utf-8")
    ours.write_text(text + f'\n[[homes]]\nnode = "{origin}"\nnation = "HND"\n', encoding="utf-8")
    told = shiprider("policy", "diff", "policy.toml", ours, "--node", node, "--json")
    assert told.code == 1, told.err
    assert {(each["nation"], each["origin"], each["label"]) for each in told.objects()} == {
        ("HND", origin, "")
    }
    assert {each["kind"] for each in told.objects()} >= {"finding", "alert"}


def test_a_broken_policy_is_one_sentence(shiprider, tmp_path):  # type: ignore[no-untyped-def]
    broken = tmp_path / "p.toml"
    broken.write_text("schema = 1\n", encoding="utf-8")
    told = shiprider("policy", "check", broken)
    assert told.code == 3
    assert told.err.count("\n") == 1
    assert shiprider("policy", "check", tmp_path / "none.toml").code == 2
    good = ROOT / "docs" / "examples" / "policy.toml"
    assert shiprider("policy", "diff", good, good, "--at", "soon").code == 2
    cedar = shiprider("policy", "check", good, "--cedar").out
    assert "forbid(principal, action, resource)" in cedar


def test_the_settings_of_the_page_are_settings() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
    (feed,) = parse(block, "page").feeds
    assert written(feed.label).nations == ("COL", "USA")
