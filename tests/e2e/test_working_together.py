"""Working with a partner in the browser: asking, answering, chat beside the timeline, alerts seen, lists followed."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coalition import TO_USA
from partnered import Partnered, partnered
from shiprider.flow.working.acknowledging import Acknowledging
from shiprider.flow.working.chat import Chat, Room
from shiprider.flow.working.requests import Question, Requests
from shiprider.model.orders import Watchlist, WatchlistEntry
from shiprider.model.record import Draft
from shiprider.model.wording import Wording
from shiprider.ports.ledger import Filed
from shiprider.share.messages import fixed

pytestmark = pytest.mark.browser
STATIC = Path(__file__).resolve().parents[2] / "src/shiprider/api/static"
IN_CASE = {"cases": ("K-7",)}
#: Where pictures go that a person wants to look at.
PICTURES = os.environ.get("SHIPRIDER_PICTURES", "")


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partnered]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    folder = tmp_path_factory.mktemp("together")
    (folder / "static").symlink_to(STATIC)
    with partnered(folder, data=True) as made:
        made.floor.opened.node.load_picture()
        made.floor.add("liaison", "liaison_officer", clearance="secret", cases=("K-7",))
        made.floor.add("watch", "watch_officer", clearance="secret", cases=("K-7",))
        made.floor.add("evaluator", "evaluator", clearance="secret")
        yield made


@pytest.fixture
def floor(pair: Partnered) -> Any:
    return pair.floor


def asked_of_us(pair: Partnered) -> str:
    """The id of a request that the partner makes."""
    asked = Question(to=("col",), said=fixed("where_is", {"vessel": 235000002}, "nl"), urgency="priority")
    made = Requests(pair.usa.pen()).ask(asked, author="Bo Lee")
    pair.exchange()
    return made.record.id


def test_a_partner_is_asked_and_his_answer_comes_in_by_itself(pair: Partnered, sit: Any) -> None:
    page = sit("liaison", "/?panel=together")
    page.get_by_test_id("ask").click()
    form = page.get_by_test_id("ask-form")
    assert form.get_by_role("button", name="Ask", exact=True).is_disabled()
    form.get_by_role("checkbox", name="usa").check()
    form.get_by_test_id("fixed").select_option("is_it_yours")
    form.locator("input[name=vessel]").fill("235000001")
    form.get_by_text("Do you confirm that 235000001 flies your flag?").wait_for()
    form.get_by_label("Urgency").select_option("immediate")
    form.get_by_role("button", name="Ask", exact=True).click()
    detail = page.get_by_test_id("request-detail")
    detail.get_by_text("Nobody has answered yet.").wait_for()
    (row,) = page.get_by_test_id("request").all()
    assert row.get_attribute("data-waits") == "true"
    assert "request=" in page.url, "it can be sent to a colleague"

    pair.exchange()
    (record,) = pair.usa.ledger.of_kind("request")
    said = Wording(text="No, since 2019 it flies another.", language="en")
    Requests(pair.usa.pen()).answer(record.id, "answered", said, author="Bo Lee")
    pair.exchange()
    detail.locator("[data-testid=answer][data-step=answered]").get_by_text(said.text).wait_for()
    page.locator("[data-testid=request][data-waits=false]").wait_for()
    detail.get_by_role("button", name="Close it").click()
    detail.get_by_text("closed").first.wait_for()
    page.get_by_role("button", name="Overdue").click()
    page.get_by_text("There is no request here.").wait_for()


def test_what_is_asked_of_us_is_answered_and_an_evaluator_only_looks(pair: Partnered, sit: Any) -> None:
    request = asked_of_us(pair)
    page = sit("liaison", f"/?panel=together&request={request}", locale="es-ES")
    detail = page.get_by_test_id("request-detail")
    question = "¿Dónde está ahora 235000002 (GBR) y cuándo lo vieron por última vez?"
    detail.get_by_text(question).wait_for()
    assert detail.locator("span[lang=es]").first.inner_text() == question
    detail.get_by_text("Como se envió").click()
    detail.locator("span[lang=nl]").get_by_text("Waar is 235000002 nu").wait_for()
    form = detail.locator("form")
    form.locator("textarea").fill("A 16°05'N, hace una hora.")
    form.get_by_role("button", name="respondida").click()
    detail.locator("[data-testid=answer][data-step=answered]").wait_for()
    pair.exchange()
    (there,) = pair.usa.ledger.of_kind("request_answer")[-1:]
    assert there.origin == "col" and "hace una hora" in there.body.decode()

    looks = sit("evaluator", f"/?panel=together&request={request}")
    looks.get_by_test_id("request-detail").get_by_text("Where is 235000002").wait_for()
    assert (
        looks.locator("[data-testid=request-detail] form").count() == looks.get_by_test_id("ask").count() == 0
    )


def test_chat_beside_the_timeline_of_a_case(pair: Partnered, sit: Any) -> None:
    page = sit("watch", "/?panel=together&part=cases&room=K-7")
    chat = page.get_by_role("region", name="Chat")
    chat.get_by_text("Nothing was said yet.").wait_for()
    chat.locator("textarea").fill("Fog since four.")
    chat.get_by_role("button", name="Say it here only").wait_for()
    chat.get_by_role("checkbox", name="usa").check()
    chat.get_by_role("button", name="Send").click()
    chat.get_by_test_id("message").get_by_text("Fog since four.").wait_for()
    assert chat.locator("textarea").input_value() == ""
    timeline = page.get_by_role("region", name="Common timeline")
    timeline.get_by_text("Partners in the case: usa").wait_for()
    timeline.get_by_test_id("event").get_by_text("Fog since four.").wait_for()

    pair.exchange()
    usa = Chat(pair.usa.pen(**IN_CASE))
    usa.say(Room("case", "K-7"), fixed("call_us", {}, "es"), author="Bo Lee", to=("col",))
    pair.exchange()
    chat.get_by_test_id("message").get_by_text("Please call our watch floor.").wait_for()
    timeline.locator("[data-node=usa]").get_by_text("known here since").wait_for()
    page.get_by_label("Fixed messages in").select_option("fr")
    chat.get_by_test_id("message").get_by_text("Veuillez appeler notre salle de veille.").wait_for()
    # A script in a partner's text is text.
    usa.say(Room("case", "K-7"), Wording(text="<img src=x onerror=alert(1)>"), author="Bo Lee", to=("col",))
    pair.exchange()
    chat.get_by_text("<img src=x onerror=alert(1)>").wait_for()
    assert page.locator("img[src=x]").count() == 0


def test_by_keyboard_alone(pair: Partnered, sit: Any) -> None:
    asked_of_us(pair)
    page = sit("watch")
    page.wait_for_selector("li[data-alert]")
    page.keyboard.press("8")
    page.get_by_role("region", name="Requests").wait_for()
    page.get_by_test_id("request").first.focus()
    page.keyboard.press("Enter")
    page.get_by_test_id("request-detail").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector("main aside:not([inert])")
    assert "panel=" not in page.url and "request=" not in page.url


def test_an_alert_is_seen_by_two_floors_and_asked_about(pair: Partnered, sit: Any) -> None:
    (found,) = pair.floor.client("watch").get("/api/v1/alerts").json()["alerts"]
    stored = pair.ledger.latest(found["id"])
    draft = Draft(
        id=stored.id, kind="alert", expected_revision=stored.revision, schema=1, author="Ana Ruiz",
        valid_from_us=stored.valid_from_us, label=TO_USA, body=stored.body or b"",
    )  # fmt: skip
    pair.ledger.append([Filed(draft=draft)])
    page = sit("watch", f"/?alert={stored.id}")
    seen = page.get_by_test_id("seen-by")
    seen.get_by_text("may see it and has not said so").wait_for()
    seen.get_by_role("button", name="I have seen it").click()
    seen.get_by_text("Watch (on watch)").wait_for()
    assert seen.get_by_role("button", name="I have seen it").count() == 0
    pair.exchange()
    Acknowledging(pair.usa.pen()).acknowledge(stored.id, author="Bo Lee")
    pair.exchange()
    seen.get_by_text("Bo Lee (on watch)").wait_for()
    seen.get_by_role("button", name="Ask a partner").click()
    form = page.get_by_test_id("ask-form")
    assert form.locator("input[name=subject]").input_value() == stored.id


def test_a_partners_list_is_followed_and_let_go(pair: Partnered, sit: Any) -> None:
    order = pair.usa.record("watchlist", Watchlist(name="PATROL", entries=(WatchlistEntry(mmsi=5),)), TO_USA)
    pair.exchange()
    page = sit("watch", "/?panel=together&part=orders")
    row = page.get_by_test_id("partner-order")
    row.get_by_text("PATROL").wait_for()
    panel = sit("watch", "/?panel=watchlists")
    listed = panel.get_by_role("region", name="PATROL")
    listed.get_by_text("of usa").wait_for()
    assert listed.locator("form").count() == 0, "only its originator changes it"
    row.get_by_role("button", name="Follow as it is now").click()
    page.locator("[data-testid=partner-order][data-state=pinned]").wait_for()
    body = Watchlist(name="PATROL", entries=(WatchlistEntry(mmsi=5), WatchlistEntry(mmsi=6)))
    pair.usa.record("watchlist", body, TO_USA, id_=order.id, revision=1)
    pair.exchange()
    page.locator("[data-testid=partner-order][data-state=changed]").wait_for()
    row.get_by_role("button", name="Follow no longer").click()
    page.locator("[data-testid=partner-order][data-state=ended]").wait_for()


SIZES = ((1024, 768), (1280, 720), (1920, 1080))


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("part", ["requests", "new", "detail", "cases", "orders"])
def test_nothing_is_cut_off(pair: Partnered, sit: Any, part: str, width: int, height: int) -> None:
    """At every size, in both languages and themes: no part of the page is wider than its place."""
    request = asked_of_us(pair)
    place = {
        "requests": "/?panel=together", "new": "/?panel=together&request=new", "cases": "/?panel=together&part=cases&room=K-7",
        "detail": f"/?panel=together&request={request}", "orders": "/?panel=together&part=orders",
    }[part]  # fmt: skip
    page = sit("liaison", place, width=width, height=height)
    page.locator(".page .body section").first.wait_for()
    for language, theme in (("en", "dark"), ("es", "light")):
        page.get_by_role("button", name=language.upper(), exact=True).click()
        for _ in range(3):
            if page.evaluate("document.documentElement.dataset.theme") != theme:
                page.get_by_test_id("theme").click()
        page.wait_for_function(f"() => document.documentElement.lang === '{language}'")
        page.wait_for_timeout(600)
        wide = page.evaluate(
            """() => [...document.querySelectorAll('.page .body *, header *')]
              .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0
                && !['SELECT', 'INPUT', 'OPTION', 'TEXTAREA'].includes(each.tagName)
                && !each.closest('.scroll') && getComputedStyle(each).overflowX === 'visible')
              .map((each) => `${each.tagName}.${each.className} ${each.textContent.slice(0, 40)}`)"""
        )
        if PICTURES:
            page.screenshot(path=f"{PICTURES}/{part}-{width}-{theme}.png")
        assert wide == [], (language, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("place", ["", "&request=new", "&part=cases&room=K-7", "&part=orders"])
def test_axe_finds_nothing_serious(pair: Partnered, sit: Any, place: str) -> None:
    import axe_core_python

    page = sit("liaison", f"/?panel=together{place}")
    page.locator(".page .body section").first.wait_for()
    page.wait_for_timeout(600)
    script = next(Path(axe_core_python.__path__[0]).rglob("axe*.js"))
    # The page's own policy forbids scripts from elsewhere: axe comes in through the debugger.
    page.evaluate(script.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:120] for node in each["nodes"]]) for each in serious] == []
