"""A node's folder: not for others of the machine, and not thrown away by a command that meant another."""

from pathlib import Path

from click.testing import CliRunner

from shiprider.cli.demo import command as demo
from shiprider.cli.init import command as init
from shiprider.flow import checkup
from shiprider.model.errors import UsageError


def test_nobody_else_of_the_machine_looks_into_a_new_node(tmp_path: Path) -> None:
    for folder in (tmp_path / "fresh", tmp_path / "there"):
        if folder.name == "there":
            folder.mkdir(mode=0o755)
        assert CliRunner().invoke(init, [str(folder)]).exit_code == 0
        assert folder.stat().st_mode & 0o077 == 0


def test_the_doctor_says_who_else_may_look() -> None:
    assert [checkup.kept_apart("n", mode).good for mode in (0o40700, 0o40750, 0o40755, 0o40701)] == [
        True, True, False, False,
    ]  # fmt: skip


def test_a_demonstration_throws_no_real_node_away(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    assert CliRunner().invoke(init, [str(folder)]).exit_code == 0
    before = sorted(folder.rglob("*"))
    for more in ((), ("--fresh",)):
        done = CliRunner().invoke(demo, ["--folder", str(folder), "--no-browser", *more])
        assert isinstance(done.exception, UsageError)
        assert sorted(folder.rglob("*")) == before
