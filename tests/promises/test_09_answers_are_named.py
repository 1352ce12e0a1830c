"""Promise 9: whatever an answer shows of records and vessels stands in the access log, however it is asked for."""

import json
from pathlib import Path
from typing import Any

import pytest

from shiprider.api.recording import MOST_LINES, MOST_OBJECTS, objects_in
from shiprider.ports.access_log import Question

MET = ("235000001", "235000002")


def test_every_way_of_reading_a_vessel_names_it(people: Any, tmp_path: Path) -> None:
    with people.floor(tmp_path) as floor:
        floor.add("ana", "watch_officer")
        client = floor.client("ana")
        note = {"subject_kind": "vessel", "subject": MET[0], "text": "seen from the pier"}
        assert client.post("/api/v1/notes", json=note).status_code == 201
        log = floor.opened.access_log
        for path in (
            f"/vessels/{MET[0]}",
            f"/vessels?q={MET[0]}",
            f"/notes?subject_kind=vessel&subject={MET[0]}",
            f"/findings?mmsi={MET[0]}",
        ):
            before = log.head().sequence
            assert client.get(f"/api/v1{path}").status_code == 200
            entries = [each for _, each in log.since(before)]
            assert MET[0] in {o for each in entries for o in each.objects}, path


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ({"names": {"235000001": "MAR", "7": "SOL"}}, ["235000001", "7"]),
        ({"notes": [{"id": "a" * 32, "subject_kind": "vessel", "subject": "235000001"}]}, ["a" * 32, "235000001"]),
        ({"alert": {"id": "a" * 32, "merged_into": "b" * 32, "findings": ["c" * 32, "d" * 32]}}, ["a" * 32, "b" * 32, "c" * 32, "d" * 32]),
        ({"original": "e" * 32, "text": 'an "id":"' + "f" * 32 + '" in a text'}, ["e" * 32]),
        ({"digest": "a" * 64, "count": 12, "list": [1, 2]}, []),
    ],
)  # fmt: skip
def test_what_of_an_answer_is_named(answer: Any, named: list[str]) -> None:
    assert objects_in(json.dumps(answer, separators=(",", ":")).encode()) == named


def test_a_long_answer_takes_as_many_lines_as_it_needs(
    people: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shiprider.api.recording.MOST_OBJECTS", 2)
    with people.floor(tmp_path) as floor:
        floor.add("ana", "watch_officer")
        answer = floor.client("ana").get("/api/v1/findings")
        shown = objects_in(answer.content)
        assert len(shown) > 2
        lines = [e for _, e in floor.opened.access_log.search(Question(who="ana", act="search"))]
        assert [o for each in lines for o in each.objects] == shown
        assert {each.count for each in lines} == {len(shown)}
    assert MOST_LINES * MOST_OBJECTS >= 3 * 1000 + 1000, "a page of the longest list"
