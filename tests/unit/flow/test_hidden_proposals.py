"""A proposal about something that the observer may not see is not there, in the same words, and names nothing."""

from types import SimpleNamespace
from typing import Any

import pytest

from shiprider.flow import relabelling, tear_lines
from shiprider.model.errors import NotFound

HIDDEN, PROPOSAL = "a" * 32, "b" * 32


def _hidden(*_: Any) -> Any:
    raise NotFound(f"There is no finding {HIDDEN}: look the list up again.")


def _told(what: str) -> str:
    return f"There is no {what} {PROPOSAL}: look the list up again."


def test_of_a_wider_label(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relabelling, "subject", _hidden)
    body = SimpleNamespace(subject_kind="finding", subject=HIDDEN)
    desk: Any = SimpleNamespace(_steps=SimpleNamespace(find=lambda *_: SimpleNamespace(body=body)))
    with pytest.raises(NotFound) as told:
        relabelling.Relabellings.proposal(desk, None, PROPOSAL)  # type: ignore[arg-type]
    assert str(told.value) == _told("relabelling")


def test_of_a_tear_line() -> None:
    desk: Any = SimpleNamespace(_steps=SimpleNamespace(find=lambda *_: None), _previewed=_hidden)
    with pytest.raises(NotFound) as told:
        tear_lines.TearLines.proposal(desk, None, PROPOSAL)  # type: ignore[arg-type]
    assert str(told.value) == _told("tear line proposal")
