"""An alert that moves on between the look and the decision: what is new is shown, and nothing is decided unseen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from shiprider.flow.review import alert_draft
from shiprider.model.alert import Alert

pytestmark = pytest.mark.browser
STATIC = Path(__file__).resolve().parents[2] / "src/shiprider/api/static"
HOUR_US = 3_600_000_000


@pytest.fixture
def floor(people: Any, tmp_path: Path) -> Iterator[Any]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    (tmp_path / "static").symlink_to(STATIC)
    with people.floor(tmp_path) as made:
        made.opened.node.load_picture()
        made.add("ortega", "watch_officer")
        made.add("vega", "watch_officer")
        made.add("reyes", "intelligence_analyst")
        yield made


def newest(floor: Any) -> Any:
    (record,) = floor.opened.ledger.of_kind("alert")
    return record


def revised_by_the_node(floor: Any) -> None:
    """As late data does it."""
    record = newest(floor)
    body = msgspec.json.decode(record.body, type=Alert)
    later = structs.replace(body, event="revised", revised=True, end_us=body.end_us + HOUR_US)
    floor.opened.ledger.append([alert_draft(record.id, record.revision, later, "process:watch", like=record)])


def decide(floor: Any, who: str, decision: str, **body: Any) -> None:
    record = newest(floor)
    answer = floor.client(who).post(
        f"/api/v1/alerts/{record.id}/{decision}", json={"expected_revision": record.revision, **body}
    )
    assert answer.status_code == 200, answer.text


def test_what_late_data_revised_is_shown_and_decided_on_again(floor: Any, sit: Any) -> None:
    was = newest(floor).revision
    page = sit("ortega", f"/?alert={newest(floor).id}")
    page.get_by_role("button", name="Dismiss").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Known vessel").check()
    dialog.get_by_role("textbox").fill("Bunkering, seen before")
    revised_by_the_node(floor)
    dialog.locator("button.primary").click()

    news = page.get_by_test_id("news")
    news.get_by_text(
        "New since you looked: revised: late data changed the finding (this node); now until"
    ).wait_for()
    news.get_by_text("Nothing was decided: decide again.").wait_for()
    assert (newest(floor).revision, newest(floor).author) == (was + 1, "process:watch")
    # What he has typed is still there, and the alert behind the dialog is the newer one.
    assert dialog.get_by_label("Known vessel").is_checked()
    assert dialog.get_by_role("textbox").input_value() == "Bunkering, seen before"
    page.wait_for_function(f"() => document.querySelectorAll('.history li').length === {was + 1}")

    # Once more in between: once more he is told, never decided over.
    revised_by_the_node(floor)
    dialog.locator("button.primary").click()
    page.wait_for_function(f"() => document.querySelectorAll('.history li').length === {was + 2}")
    assert newest(floor).revision == was + 2

    dialog.locator("button.primary").click()
    page.get_by_text("Dismissed:", exact=False).wait_for()
    record = newest(floor)
    decided = msgspec.json.decode(record.body, type=Alert)
    assert (record.revision, record.author, decided.state) == (was + 3, "Ortega", "dismissed")
    assert (decided.reason, decided.text) == ("known_vessel", "Bunkering, seen before")


def test_a_colleagues_decision_is_named_and_ends_what_cannot_be_decided_any_more(
    floor: Any, sit: Any
) -> None:
    was = newest(floor).revision
    page = sit("ortega", f"/?alert={newest(floor).id}", "es-CO")
    page.get_by_role("button", name="Elevar").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("Al distrito")
    decide(floor, "vega", "dismiss", reason="known_vessel", text="")
    dialog.locator("button.primary").click()
    news = page.get_by_test_id("news")
    news.get_by_text("Novedades desde que la miró: descartada (Buque conocido) (Vega).").wait_for()
    news.get_by_text("No se decidió nada: ahora está descartada.").wait_for()
    assert dialog.locator("button.primary").is_disabled()
    assert dialog.get_by_role("textbox").input_value() == "Al distrito"
    assert newest(floor).revision == was + 1


def test_taking_and_undoing_say_what_is_new_too(floor: Any, sit: Any) -> None:
    was = newest(floor).revision
    page = sit("ortega", f"/?alert={newest(floor).id}")
    page.get_by_role("button", name="Take").wait_for()
    # The page hears nothing more of it by itself: only the decision tells.
    page.evaluate("window.WebSocket.prototype.send = () => {}")
    hold_alerts(page)
    revised_by_the_node(floor)
    page.get_by_role("button", name="Take").click()
    let_alerts(page)
    page.locator("[role=status]", has_text="New since you looked").wait_for()
    assert newest(floor).author == "process:watch"
    page.get_by_role("button", name="Take").click()
    page.get_by_text("Taken:", exact=False).wait_for()
    assert (newest(floor).revision, newest(floor).author) == (was + 2, "Ortega")

    # The fold goes on before the undoing: it is offered again, for the decision is still his own.
    revised_by_the_node(floor)
    said = page.locator("[role=status]")
    said.get_by_role("button", name="Undo").click()
    said.get_by_text("New since you looked", exact=False).wait_for()
    assert newest(floor).revision == was + 3
    said.get_by_role("button", name="Undo").click()
    said.get_by_text("Undone:", exact=False).wait_for()
    assert (newest(floor).revision, newest(floor).author) == (was + 4, "Ortega")


def test_a_colleagues_decision_is_not_offered_to_be_undone(floor: Any, sit: Any) -> None:
    was = newest(floor).revision
    page = sit("reyes", f"/?alert={newest(floor).id}")
    said = page.locator("[role=status]")
    page.get_by_role("button", name="Take").click()
    said.get_by_text("Taken:", exact=False).wait_for()
    decide(floor, "vega", "take", text="")
    said.get_by_role("button", name="Undo").click()
    said.get_by_text("New since you looked: taken (Vega)", exact=False).wait_for()
    assert said.get_by_role("button", name="Undo").count() == 0
    assert (newest(floor).revision, newest(floor).author) == (was + 2, "Vega")


def hold_alerts(page: Any) -> None:
    """Answers about single alerts wait until they are let go."""
    page.evaluate(
        """() => {
          const send = window.fetch;
          window.held = new Promise((go) => (window.letGo = go));
          window.fetch = async (asked, options) => {
            const single = asked.method === "GET" && /[/]alerts[/][0-9a-f]{32}$/.test(asked.url);
            if (single) await window.held;
            return send(asked, options);
          };
        }"""
    )


def let_alerts(page: Any) -> None:
    page.evaluate("() => window.letGo()")


def test_what_follows_ones_own_decision_at_once_goes_on_it(floor: Any, sit: Any) -> None:
    """The rest of the alert may come late: one's own taking is no news to oneself."""
    was = newest(floor).revision
    page = sit("ortega", f"/?alert={newest(floor).id}")
    page.get_by_role("button", name="Take").wait_for()
    hold_alerts(page)
    page.get_by_role("button", name="Take").click()
    page.get_by_text("Taken:", exact=False).wait_for()
    page.get_by_role("button", name="Dismiss").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Known vessel").check()
    dialog.locator("button.primary").click()
    page.get_by_text("Dismissed:", exact=False).wait_for()
    record = newest(floor)
    assert (record.revision, msgspec.json.decode(record.body, type=Alert).state) == (was + 2, "dismissed")
