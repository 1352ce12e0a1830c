"""Promise 2: what a node looks for is changed by nobody whom its policy lets change nothing, whatever his role."""

from pathlib import Path
from typing import Any

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
