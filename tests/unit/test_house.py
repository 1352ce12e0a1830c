"""The house keeps its word: every package has its row, every noun its entry, every command its help."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "shiprider"


def _packages() -> list[str]:
    return sorted(p.parent.name for p in SOURCE.glob("*/__init__.py"))


def test_every_package_has_its_row_in_the_architecture_page() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    missing = [name for name in _packages() if f"`{name}/`" not in page]
    assert missing == []


def _public_classes() -> set[str]:
    names = set()
    for path in (SOURCE / "model").glob("*.py"):
        tree = ast.parse(path.read_text())
        names |= {n.name for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_")}
    return names


def test_glossary_and_model_name_the_same_nouns() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text()
    entries = set(re.findall(r"^- \*\*`(\w+)`\*\*", page, flags=re.M))
    assert entries == _public_classes()


def test_requirements_are_hashed_and_name_no_registry() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text()
        pins = re.findall(r"^[a-z0-9].*==.*$", text, flags=re.M | re.I)
        assert pins and text.count("--hash=sha256:") >= len(pins), path
        assert "://" not in text, path


def test_no_lock_file_names_a_registry() -> None:
    assert not (ROOT / "uv.lock").exists()
    assert "://" not in (ROOT / "web" / "package-lock.json").read_text()


def test_dependencies_are_declared_once_and_no_peer_is_one() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = [re.split(r"[<>=\[]", d)[0] for d in project["dependencies"]]
    assert len(names) == len(set(names))
    assert not set(names) & {"pyais", "libais", "aiscat", "duckdb", "movingpandas", "pymodes"}


def _commands() -> list[str]:
    sys.path.insert(0, str(ROOT / "src"))
    from shiprider.cli.main import COMMANDS

    return list(COMMANDS)


@pytest.mark.parametrize("name", _commands())
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "shiprider", name, "--help"], capture_output=True, text=True, check=True
    )
    assert "Example: shiprider " in done.stdout


def test_a_newcomer_sees_six_commands_and_the_next_thing_to_try() -> None:
    done = subprocess.run([sys.executable, "-m", "shiprider"], capture_output=True, text=True, check=True)
    assert len(re.findall(r"^  shiprider ", done.stdout, flags=re.M)) == 6
    assert "Try: shiprider demo" in done.stdout


def test_a_misspelt_command_is_one_sentence_with_a_hint() -> None:
    done = subprocess.run([sys.executable, "-m", "shiprider", "detcet"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "did you mean `detect`?" in done.stderr
