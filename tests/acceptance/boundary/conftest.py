"""Scenes written as files, `shiprider detect` run on them, and what it printed."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from shiprider.adapters.geography import anchorages, coast

Found = list[dict[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def _read_once() -> Iterator[None]:
    """The packaged coast and ports are the same for every command: read once, which is most of a short run."""
    here = coast.load_coast()
    ports = anchorages.packaged_ports(here)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coast, "load_coast", lambda: here)
        patch.setattr(anchorages, "packaged_ports", lambda _coast: ports)
        yield


@pytest.fixture(scope="session")
def sea() -> ModuleType:
    """The generator beside this file (pytest imports test files by path, so they cannot import it)."""
    spec = importlib.util.spec_from_file_location("boundary_sea", Path(__file__).with_name("sea.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["boundary_sea"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def detect(shiprider: Any, tmp_path: Path) -> Callable[..., Found]:
    """`detect(bytes, …, ext="nmea", receivers=text, anchorages=text, …)`: the findings, checked for their form."""

    def run(*recordings: bytes, ext: str = "nmea", **options: str) -> Found:
        files = []
        for number, data in enumerate(recordings):
            files.append(tmp_path / f"recording{number}.{ext}")
            files[-1].write_bytes(data)
        words: list[Any] = []
        for name, text in options.items():
            place = tmp_path / name
            place.write_text(text)
            words += [f"--{name}", place]
        told = shiprider("detect", *files, "--json", *words)
        assert told.code == 0, told.err
        found: Found = told.objects()
        for finding in found:
            assert 0.0 <= finding["score"] <= 1.0
            assert finding["start"] <= finding["end"]
            assert finding["participants"] == sorted(set(finding["participants"]))
            assert finding["reason"]
            assert "?" not in finding["reason"]
            assert str(finding["participants"][0]) in finding["reason"]
        names = [(f["behaviour"], f["preset"], f["subtype"], *f["participants"], f["start"]) for f in found]
        assert len(names) == len(set(names))
        return found

    return run


@pytest.fixture(scope="session")
def only() -> Callable[..., Found]:
    """`only(found, behaviour, preset, subtype)`."""

    def chosen(found: Found, behaviour: str, preset: str = "", subtype: str = "") -> Found:
        return [
            f
            for f in found
            if f["behaviour"] == behaviour
            and (not preset or f["preset"] == preset)
            and (not subtype or f["subtype"] == subtype)
        ]

    return chosen


@pytest.fixture(scope="session")
def misses() -> Callable[..., float]:
    """The larger of the two errors, of start and of end, in seconds."""

    def measured(finding: dict[str, Any], start: float, end: float) -> float:
        ends = (datetime.fromisoformat(finding[name]).timestamp() for name in ("start", "end"))
        return max(abs(told - true) for told, true in zip(ends, (start, end), strict=True))

    return measured
