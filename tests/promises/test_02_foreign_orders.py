"""Promise 2: what a node looks for is changed by nobody whom its policy lets change nothing, whatever his role;
nor does anybody write of what he may not see."""

from pathlib import Path
from typing import Any

from shiprider.bootstrap.feeds import recording

BODIES: dict[str, dict[str, Any]] = {
    "areas": {"name": "a", "ring": [[0, 0], [1, 0], [1, 1]]},
    "watchlists": {"name": "w", "entries": [{"mmsi": 5}]},
    "legal-holds": {"reason": "For the court of the north.", "mmsi": [5], "case": "c"},
}


def test_a_foreigners_new_order_is_refused_and_ones_own_is_taken(people: Any, tmp_path: Path) -> None:
    with people.floor(tmp_path, data=False) as floor:
        for nation in ("COL", "USA"):
            floor.add(f"planner-{nation}", "planner", nation=nation)
            floor.add(f"legal-{nation}", "legal_adviser", nation=nation)
        for kind, body in BODIES.items():
            role = "legal" if kind == "legal-holds" else "planner"
            head = floor.opened.ledger.head()
            answer = floor.client(f"{role}-USA").post(f"/api/v1/{kind}", json=body)
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), kind
            assert floor.opened.ledger.head() == head
            answer = floor.client(f"{role}-COL").post(f"/api/v1/{kind}", json=body)
            assert answer.status_code == 201, (kind, answer.text)


def test_a_foreigner_writes_in_no_watch_log_and_on_no_vessel_that_he_does_not_see(
    people: Any, tmp_path: Path
) -> None:
    with people.floor(tmp_path) as floor:
        shared = tmp_path / "shared.nmea"
        shared.write_bytes(people.voyage(338000003, "SEA FOX"))
        label = "policy=COALITION class=UNCLASSIFIED rel=* tlp=CLEAR"
        floor.opened.node.ingest([recording(str(shared), label=label)], lambda *_: None)
        floor.opened.node.catch_up(lambda *_: None)
        for nation in ("COL", "USA"):
            floor.add(f"watch-{nation}", "watch_officer", nation=nation, clearance="restricted")
        own, foreign, ledger = floor.client("watch-COL"), floor.client("watch-USA"), floor.opened.ledger

        head = ledger.head()
        line = {"text": "Fog from 0400."}
        answer = foreign.post("/api/v1/watch-log", json=line)
        assert (answer.status_code, answer.json()["error"]) == (403, "forbidden")
        summary = foreign.get("/api/v1/handover/summary").json()
        signed = {"digest": summary["digest"], "to_us": summary["to_us"], "relieved_by": "Somebody"}
        assert foreign.post("/api/v1/handover", json=signed).status_code == 403

        def note(client: Any, mmsi: int) -> Any:
            asked = {"subject_kind": "vessel", "subject": str(mmsi), "text": "Seen from the pier."}
            return client.post("/api/v1/notes", json=asked)

        hidden, unheard = note(foreign, 235000001), note(foreign, 235999999)
        assert hidden.status_code == unheard.status_code == 404
        assert hidden.text.replace("235000001", "235999999") == unheard.text
        assert foreign.get("/api/v1/vessels/235999999").text == unheard.text
        assert ledger.head() == head

        assert own.post("/api/v1/watch-log", json=line).status_code == 201
        assert [note(own, each).status_code for each in (235000001, 235999999, 338000003)] == [201] * 3
        made = note(foreign, 338000003)
        assert made.status_code == 201 and made.json()["marking"]["banner"].endswith("TLP:CLEAR")
