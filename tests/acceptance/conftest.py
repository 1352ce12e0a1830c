"""The command line as a user meets it, in this process (compiled code is loaded once) or in one of its own."""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"


@dataclass(frozen=True)
class Told:
    """What a command ended with and said."""

    code: int
    out: str
    err: str

    def objects(self) -> list[dict[str, Any]]:
        """Standard output as one JSON object a line."""
        return [json.loads(line) for line in self.out.splitlines()]


Shiprider = Callable[..., Told]


def _run(*words: object, stdin: bytes | None = None) -> Told:
    """`shiprider WORDS`, through the entry point that the installed script calls."""
    from shiprider.cli.main import main

    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
    argv, given = sys.argv, sys.stdin
    sys.argv = ["shiprider", *map(str, words)]
    if stdin is not None:
        sys.stdin = io.TextIOWrapper(io.BytesIO(stdin))
    code = 0
    try:
        with redirect_stdout(out), redirect_stderr(err):
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    finally:
        sys.argv, sys.stdin = argv, given
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return Told(code, *said)


@pytest.fixture(scope="session")
def shiprider() -> Shiprider:
    """Runs a command in this process."""
    return _run


def spawned(*words: object, **options: Any) -> "subprocess.Popen[str]":
    """The same command in a process of its own, so that it can be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "shiprider", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        **options,
    )


@pytest.fixture(scope="session")
def spawn() -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts commands in processes of their own; those still running at the end are ended."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: object, **options: Any) -> "subprocess.Popen[str]":
        started.append(spawned(*words, **options))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three simulated hours with tag blocks, written by `shiprider simulate`."""
    path = tmp_path_factory.mktemp("recording") / "recording.nmea"
    told = _run("simulate", "demo", "--hours", 3, "--seed", 3, "--out", path, "--json")
    assert told.code == 0, told.err
    return path


@pytest.fixture(scope="session")
def taken_node(tmp_path_factory: pytest.TempPathFactory, recording: Path) -> Path:
    """A node that took the recording once. Tests copy it before they change it."""
    folder = tmp_path_factory.mktemp("taken") / "node"
    assert _run("init", folder).code == 0
    told = _run("ingest", recording, "--node", folder, "--json")
    assert told.code == 0, told.err
    return folder


@pytest.fixture
def node(taken_node: Path, tmp_path: Path) -> Path:
    """A copy of the node, to do with as one likes."""
    folder = tmp_path / "node"
    shutil.copytree(taken_node, folder)
    return folder


@pytest.fixture
def sealing(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The option that seals a node's keys in a copy, and opens them again."""
    path = tmp_path_factory.mktemp("secret") / "passphrase"
    path.write_text("correct horse battery\n")
    path.chmod(0o600)
    return "--passphrase-file", path
