"""The release desk in two browsers: one person proposes, another agrees; nobody agrees to his own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
STATIC = Path(__file__).resolve().parents[2] / "src/shiprider/api/static"
LABEL = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"
POLICY = """schema = 1
node = "node"

[[homes]]
node = "node"
nation = "COL"

[[agreements]]
id = "EXAMPLE-1"
title = "Invented"
from = 2020-01-01
source = "this test"
parties = [
  { name = "COL", nation = "COL", standings = [{ from = 2020-01-01, status = "in_force" }] },
  { name = "USA", nation = "USA", standings = [{ from = 2020-01-01, status = "in_force" }] },
]

[[agreements.sharing]]
id = "alerts"
shared_by = ["COL"]
shared_with = ["USA"]
kinds = ["alert", "tear_line"]
purposes = ["counterdrug"]
highest = "RESTRICTED"
onward = "never"
"""
WHY = "The arrangement binds us since today."


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    folder = tmp_path_factory.mktemp("desk")
    (folder / "static").symlink_to(STATIC)
    with people.floor(folder) as made:
        made.opened.node.load_picture()
        made.add("liaison", "liaison_officer", clearance="secret")
        made.add("legal", "legal_adviser", clearance="secret")
        made.add("watch", "watch_officer", clearance="secret")
        made.add("keeper", "node_administrator")
        yield made


def alert_id(floor: Any) -> str:
    (alert,) = floor.client("watch").get("/api/v1/alerts").json()["alerts"]
    found: str = alert["id"]
    return found


def test_one_proposes_a_policy_and_another_agrees(floor: Any, sit: Any) -> None:
    floor.opened.ledger.verify()
    first, second = sit("liaison", "/?panel=desk"), sit("legal", "/?panel=desk")
    first.get_by_test_id("write-policy").click()
    form = first.get_by_test_id("policy-form")
    form.locator("textarea").fill(POLICY)
    form.get_by_role("button", name="See what it would release").click()
    form.get_by_text("Wider: two people must agree").wait_for()
    form.locator("input[name=why]").fill(WHY)
    form.get_by_role("button", name="Propose", exact=True).click()
    mine = first.get_by_test_id("policy-change").first
    mine.get_by_text("You proposed this: a second person must agree to it.").wait_for()
    assert mine.get_by_role("button", name="Agree").is_disabled()

    second.reload()
    theirs = second.get_by_test_id("policy-change").first
    theirs.get_by_text(WHY).wait_for()
    assert theirs.locator("tr[data-count]").count() > 0
    theirs.get_by_role("button", name="Agree").click()
    second.locator("[data-testid=policy-change][data-state=done]").wait_for()
    second.get_by_text("EXAMPLE-1").first.wait_for()
    # What the button cannot do, the request cannot either.
    (change,) = floor.client("liaison").get("/api/v1/policy/changes").json()["changes"]
    assert change["decided_by"] == "Legal"


def test_a_tear_line_is_looked_at_side_by_side_and_made_by_the_second(floor: Any, sit: Any) -> None:
    first, second = sit("liaison", f"/?alert={alert_id(floor)}"), sit("legal", "/?panel=desk&desk=tear")
    first.get_by_test_id("release-alert").get_by_test_id("prepare-release").click()
    form = first.get_by_test_id("tear-form")
    form.locator("input[name=recipient]").fill("key-west")
    form.locator("input[name=label]").fill(LABEL)
    form.get_by_role("button", name="Preview").click()
    row = form.locator("tr[data-field=latitude_deg]")
    row.get_by_text("16.25").wait_for()
    assert "position coarsened" in row.inner_text()
    # A rule that is changed afterwards has to be looked at again.
    form.locator("input[name=position]").fill("1")
    assert form.locator("tr[data-field]").count() == 0
    form.get_by_role("button", name="Preview").click()
    row.get_by_text("16.5").wait_for()
    form.locator("input[name=why]").fill(WHY)
    form.get_by_role("button", name="Propose", exact=True).click()
    mine = first.locator("[data-testid=tear-line][data-state=proposed]")
    assert mine.get_by_role("button", name="Agree").is_disabled()

    second.reload()
    theirs = second.locator("[data-testid=tear-line][data-state=proposed]")
    theirs.locator("tr[data-field=latitude_deg]").wait_for()
    theirs.get_by_role("button", name="Agree").click()
    second.locator("[data-testid=tear-line][data-state=done]").wait_for()
    assert len(floor.opened.ledger.of_kind("tear_line")) == 1


def test_a_label_is_widened_by_two_and_shown_on_the_page(floor: Any, sit: Any) -> None:
    alert = alert_id(floor)
    first = sit("liaison", f"/?alert={alert}")
    first.get_by_test_id("page-marking").get_by_text("UNLABELLED // ORIGINATOR ONLY").wait_for()
    form = first.get_by_test_id("release-alert").get_by_test_id("relabel")
    form.locator("summary").click()
    form.locator("textarea").fill(LABEL)
    form.locator("input[name=why]").fill(WHY)
    form.get_by_role("button", name="Set or propose").click()
    form.get_by_text("a second person must agree").wait_for()

    second = sit("legal", "/?panel=desk&desk=labels")
    second.get_by_text("RESTRICTED // REL TO COL, USA").wait_for()
    second.get_by_role("button", name="Agree").click()
    second.locator("[data-testid=relabelling][data-state=done]").wait_for()
    assert floor.opened.ledger.latest(alert).label.startswith("shiprider-label-1|policy=COALITION")

    viewer = sit("watch", f"/?alert={alert}")
    viewer.get_by_test_id("view-as").locator("summary").click()
    ask = viewer.get_by_test_id("view-as")
    ask.locator("input[name=nation]").fill("usa")
    ask.locator("input[name=purpose]").fill("counterdrug")
    ask.get_by_role("button", name="Ask the policy").click()
    ask.locator("li[data-kind=alert][data-read=true]").wait_for()
    ask.locator("li[data-kind=finding][data-read=false]").wait_for()
    assert "EXAMPLE-1/alerts" in ask.locator("li[data-kind=alert]").inner_text()
    # Whoever may not release is offered nothing of it.
    assert viewer.get_by_test_id("prepare-release").count() == 0


def test_notes_findings_log_and_handovers_are_released_from_where_they_stand(floor: Any, sit: Any) -> None:
    alert, watch = alert_id(floor), floor.client("watch")
    note = {"subject_kind": "alert", "subject": alert, "text": "Seen from the air."}
    assert watch.post("/api/v1/notes", json=note).status_code == 201
    assert watch.post("/api/v1/watch-log", json={"text": "Radio check."}).status_code == 201
    now = watch.get("/api/v1/handover/summary").json()
    signed = {"digest": now["digest"], "to_us": now["to_us"], "relieved_by": "Legal", "text": ""}
    assert watch.post("/api/v1/handover", json=signed).status_code == 201

    page = sit("liaison", f"/?alert={alert}")
    for kind, words in (("note", "Of note"), ("finding", "Of finding")):
        page.get_by_test_id(f"release-{kind}").get_by_test_id("prepare-release").click()
        page.get_by_test_id("tear-form").get_by_text(words).wait_for()
        page.go_back()
    narrower = "policy=COALITION class=SECRET rel=nations:COL"
    for place, kind in (
        (f"/?alert={alert}", "note"),
        ("/?panel=log", "watch_log"),
        ("/?panel=handover", "handover"),
    ):
        page.goto(floor.server.origin + place)
        form = page.get_by_test_id(f"release-{kind}").first.get_by_test_id("relabel")
        form.locator("summary").click()
        # The label that it has is written in it before it is changed.
        page.wait_for_function(
            "() => [...document.querySelectorAll('[data-testid=relabel] textarea')].some((each) => each.value)"
        )
        form.locator("textarea").fill(narrower)
        form.locator("input[name=why]").fill(WHY)
        form.get_by_role("button", name="Set or propose").click()
        page.get_by_text("RESTRICTED", exact=False).or_(
            page.get_by_text("SECRET // REL TO COL")
        ).first.wait_for()
        form.locator("[role=status], [role=alert]").first.wait_for()
        (asked,) = [
            each
            for each in floor.client("liaison").get("/api/v1/relabellings").json()["relabellings"]
            if each["kind"] == kind
        ]
        assert asked["to"]["banner"].startswith("SECRET")
    # A log line and a handover are relabelled, never torn; whoever prepares nothing is offered nothing.
    assert page.get_by_test_id("release-handover").get_by_test_id("prepare-release").count() == 0
    viewer = sit("watch", f"/?alert={alert}")
    viewer.get_by_text("Seen from the air.").wait_for()
    assert viewer.locator("[data-testid^=release-]").count() == 0


def test_the_desk_by_keyboard(sit: Any) -> None:
    page = sit("watch")
    page.wait_for_selector(".map[data-ready=true]", timeout=40_000)
    page.keyboard.press("7")
    page.get_by_role("heading", name="Release").wait_for()
    assert page.evaluate("document.getElementById('column').inert")
    page.get_by_text("A liaison officer or legal adviser proposes and agrees.").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector("li[data-alert]")


def test_the_administrator_makes_a_key_and_writes_one_off(sit: Any) -> None:
    page = sit("keeper", "/?panel=keys")
    page.locator("tr[data-state=active]").wait_for()
    page.get_by_test_id("rotate").click()
    page.locator("tr[data-state=retired]").wait_for()
    page.get_by_test_id("lost").click()
    page.locator("input[name=why]").fill("The disk was stolen.")
    page.get_by_role("button", name="Write it off").click()
    page.locator("tr[data-state=lost]").get_by_text("The disk was stolen.").wait_for()


@pytest.mark.parametrize(
    ("login", "place"),
    [("liaison", "/?panel=desk"), ("liaison", "/?panel=desk&desk=tear"), ("keeper", "/?panel=keys")],
)
def test_the_pages_have_no_serious_accessibility_fault(sit: Any, login: str, place: str) -> None:
    from axe_core_python.sync_playwright import Axe

    page = sit(login, place, "es-CO")
    page.locator("article").first.wait_for()
    found = Axe().run(page)["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
