"""Every panel says how what it shows is marked: vessels, observations, search hits, the map."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiprider.bootstrap.feeds import recording
from shiprider.model.label import written
from shiprider.model.orders import WatchedArea, Watchlist, WatchlistEntry
from shiprider.model.record import Draft

pytestmark = pytest.mark.browser
STATIC = Path(__file__).resolve().parents[2] / "src/shiprider/api/static"
OWN = "UNLABELLED // ORIGINATOR ONLY"
LABEL = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"
SHARED = 235000003


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    folder = tmp_path_factory.mktemp("marked")
    (folder / "static").symlink_to(STATIC)
    with people.floor(folder) as made:
        # The same voyage once more, of a vessel with another number that a partner's feed reports, and its name.
        other = folder / "other.nmea"
        other.write_bytes(people.voyage(SHARED, "SEA FOX"))
        made.opened.node.ingest([recording(str(other), label=LABEL)], lambda *_: None)
        made.opened.node.catch_up(lambda *_: None)
        made.opened.node.load_picture()
        made.add("watch", "watch_officer", clearance="secret")
        yield made


def test_a_vessel_and_its_sentence_carry_their_own_marking(floor: Any, sit: Any) -> None:
    page = sit("watch", "/?vessel=235000001")
    panel = page.locator("#column")
    panel.locator("p.marking", has_text=OWN).wait_for()
    assert panel.locator("section h3 .portion").all_inner_texts() == [f"({OWN})"] * 2
    panel.get_by_role("button", name="Raw sentence").click()
    panel.locator("pre").first.wait_for()
    assert OWN in panel.locator("p.marking").inner_text()

    page.goto(f"{floor.server.origin}/?vessel={SHARED}")
    panel.locator("p.marking", has_text="RESTRICTED // REL TO COL, USA").wait_for()
    assert panel.locator("section h3 .portion").first.inner_text() == "(R // REL TO COL, USA)"


def test_areas_and_watchlists_carry_their_own_marking(floor: Any, sit: Any) -> None:
    ring = ((-75.0, 13.0), (-74.0, 13.0), (-74.0, 14.0), (-75.0, 13.0))
    bodies = {
        "area": WatchedArea(name="Bank", ring=ring),
        "watchlist": Watchlist(name="Asked for", entries=(WatchlistEntry(mmsi=SHARED),)),
    }
    drafts = [
        Draft(
            id=f"{at:032x}", kind=kind, expected_revision=0, schema=1, author="Ana", valid_from_us=1,
            label=written(LABEL).text, body=msgspec.json.encode(body),
        )
        for at, (kind, body) in enumerate(bodies.items(), 1)
    ]  # fmt: skip
    floor.opened.ledger.append(drafts)
    for word in ("areas", "watchlists"):
        page = sit("watch", f"/?panel={word}")
        panel = page.locator("#column")
        panel.locator(".portion", has_text="(R // REL TO COL, USA)").wait_for()
        assert "RESTRICTED // REL TO COL, USA" in panel.locator("p.marking").inner_text()


def test_the_map_its_names_and_what_a_search_finds(floor: Any, sit: Any) -> None:
    page = sit("watch", "/?lat=13.05&lon=-74.5&z=10")
    page.wait_for_selector(".map[data-ready=true]", timeout=40_000)
    foot = page.get_by_test_id("map-marking")
    foot.wait_for()
    # Of both feeds together: nobody's release stands, for one of them has none.
    whole = foot.inner_text()
    assert whole == "RESTRICTED // ORIGINATOR ONLY"
    assert page.get_by_test_id("page-marking").inner_text() == whole
    # A name on the map whose marking is another carries its own.
    page.locator(".labels span", has_text="(R // REL TO COL, USA) SEA FOX").wait_for(state="attached")
    page.keyboard.press("/")
    page.keyboard.type("sea")
    hit = page.locator("#search-hits [role=option]").first
    hit.get_by_text("(R // REL TO COL, USA)").wait_for()
