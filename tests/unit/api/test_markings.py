"""The marking of what is heard: on a vessel, its positions and names, one observation, the picture; never of what is hidden."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from shiprider.api.rendering import Rendering
from shiprider.api.server import Server
from shiprider.api.site import Site, wall_clock_us
from shiprider.bootstrap.access import open_access
from shiprider.bootstrap.desk import open_desk
from shiprider.bootstrap.feeds import recording
from shiprider.bootstrap.node import OpenNode, open_node
from shiprider.flow.status import NodeStatus
from shiprider.model.label import written
from shiprider.model.observer import Observer
from shiprider.model.record import Draft
from shiprider.ports.ledger import Filed
from shiprider.settings import AccessSettings, Settings, WatchSettings

START_S = 1_700_000_000 // 3600 * 3600
PLAIN, SHARED = 235000001, 338000003
LABEL = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"
BANNER = "RESTRICTED // REL TO COL, USA"
OWN = "UNLABELLED // ORIGINATOR ONLY"


@pytest.fixture(scope="module")
def opened(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("marked")
    settings = Settings(nation="COL", watch=WatchSettings(presets=()), access=AccessSettings(demo=True))
    for mmsi, name, latitude in ((PLAIN, "SANTA RITA", 16.0), (SHARED, "SEA FOX", 13.0)):
        (folder / f"{mmsi}.nmea").write_bytes(people.voyage(mmsi, name, latitude))
    with open_node(folder, settings) as node, open_access(folder, settings, node.access_log) as access:
        for mmsi, label in ((PLAIN, ""), (SHARED, LABEL)):
            node.node.ingest([recording(str(folder / f"{mmsi}.nmea"), label=label)], lambda *_: None)
        node.node.catch_up(lambda *_: None)
        node.node.load_picture()
        status = NodeStatus()
        site = Site(
            node="test", version="0", view=node.view, review=node.review(), status=lambda: status, access=access,
            desk=open_desk(node, access), nation="COL", clock=wall_clock_us,
        )  # fmt: skip
        server = Server(site, host="127.0.0.1", port=0, static=folder / "static")
        server.start()
        headers = {"authorization": f"Bearer {server.token}", "x-officer": "Ana"}
        with httpx.Client(base_url=f"{server.origin}/api/v1", headers=headers, timeout=30) as client:
            yield node, client
        server.stop()


@pytest.mark.parametrize(("mmsi", "banner"), [(PLAIN, OWN), (SHARED, BANNER)])
def test_a_vessel_its_tracks_and_its_observations_are_marked(opened: Any, mmsi: int, banner: str) -> None:
    _, client = opened
    vessel = client.get(f"/vessels/{mmsi}").json()
    assert (vessel["heard"]["banner"], vessel["marking"]["banner"]) == (banner, banner)
    observation = client.get(f"/observations/{vessel['position']['raw']}").json()
    assert observation["marking"]["banner"] == banner
    span = {"start_us": START_S * 1_000_000, "end_us": (START_S + 7200) * 1_000_000}
    (track,) = client.get(f"/vessels/{mmsi}/tracks", params=span).json()["tracks"]
    assert track["marking"]["banner"] == banner
    (hit,) = client.get("/vessels", params={"q": str(mmsi)}).json()["vessels"]
    assert hit["marking"]["banner"] == banner
    names = client.get("/vessels/names", params={"mmsi": f"{PLAIN},{SHARED},1"}).json()
    assert names["markings"].keys() == names["names"].keys() == {str(PLAIN), str(SHARED)}
    assert names["markings"][str(mmsi)]["banner"] == banner


def test_what_is_written_of_a_vessel_raises_its_marking_not_that_of_what_was_heard(opened: Any) -> None:
    node, client = opened
    note = {"subject_kind": "vessel", "subject": str(SHARED), "text": "Known."}
    made = node.ledger.latest(client.post("/notes", json=note).json()["id"])
    secret = written("policy=COALITION class=SECRET rel=nations:COL").text
    draft = Draft(
        id=made.id, kind="note", expected_revision=made.revision, schema=made.schema, author="Ana", label=secret,
        valid_from_us=made.valid_from_us, body=made.body,
    )  # fmt: skip
    node.ledger.append([Filed(draft=draft, terms=(f"vessel:{SHARED}",))])
    vessel = client.get(f"/vessels/{SHARED}").json()
    assert [each["text"] for each in vessel["notes"]] == ["Known."]
    assert vessel["heard"]["banner"] == BANNER
    assert vessel["marking"]["banner"] == "SECRET // REL TO COL"


def test_the_picture_is_marked_by_what_is_in_it(opened: Any) -> None:
    _, client = opened
    both = client.get("/status").json()["picture_marking"]["banner"]
    at = {"time_us": (START_S + 3000) * 1_000_000, "mode": "now"}
    picture = client.get("/picture", params=at).json()
    assert len(picture["vessels"]) == 2 and picture["marking"]["banner"] == both
    assert both not in (OWN, BANNER)
    nowhere = client.get("/picture", params={**at, "bbox": "10,10,11,11"}).json()
    assert nowhere["vessels"] == []


@pytest.mark.parametrize(("kind", "word"), [("area", "areas"), ("watchlist", "watchlists")])
def test_areas_and_watchlists_are_marked_each_and_together(opened: Any, kind: str, word: str) -> None:
    node, client = opened
    bodies: dict[str, dict[str, Any]] = {
        "area": {"name": "Bank", "ring": [[-75, 13], [-74, 13], [-74, 14]]},
        "watchlist": {"name": "Asked for", "entries": [{"mmsi": SHARED}]},
    }
    own = client.post(f"/{word}", json=bodies[kind]).json()
    assert own["marking"]["banner"] == OWN
    assert client.get(f"/{word}").json()["marking"]["banner"] == OWN
    kept = node.ledger.latest(own["id"])
    draft = Draft(
        id="0" * 31 + str(len(kind)), kind=kind, expected_revision=0, schema=kept.schema, author="Ana",
        label=written(LABEL).text, valid_from_us=kept.valid_from_us, body=kept.body,
    )  # fmt: skip
    node.ledger.append([draft])
    told = client.get(f"/{word}").json()
    assert [each["marking"]["banner"] for each in told[word]] == [OWN, BANNER]
    assert told["marking"]["banner"] == "RESTRICTED // ORIGINATOR ONLY"


def test_a_label_that_is_hidden_marks_nothing(opened: tuple[OpenNode, Any]) -> None:
    node, _ = opened
    guest = Observer(name="G", nation="HND", organisation="x", communities=(), clearance="secret", purpose="watch",
                     roles=("watch_officer",))  # fmt: skip
    view = node.view(guest)
    assert view.picture_labels == set()
    assert view.picture_labels_of([PLAIN, SHARED]) == [set(), set()]
    home = node.view(Observer(name="H", nation="COL", clearance="secret", owner=True))
    assert len(home.picture_labels) == 2
    assert Rendering(view, "en").marking(*view.picture_labels).level == "UNLABELLED"
