"""The auditor's page: who read what, when and for what; filters; alarms; the log checked; shown to auditors alone."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiprider.flow.browsing import alarm_id
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.record import Draft
from shiprider.ports.ledger import Filed

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "src/shiprider/api/static"
PARTS = ("entries", "people", "alarms", "log")
LOOKS = [
    (theme, language, *size)
    for size in ((1024, 768), (1280, 720), (1920, 1080))
    for theme, language in (("dark", "en-GB"), ("light", "es-CO"))
]
MINUTE_US = 60_000_000


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    folder = tmp_path_factory.mktemp("audit")
    (folder / "static").symlink_to(STATIC)
    with people.floor(folder) as made:
        made.opened.node.load_picture()
        made.add("auditor", "auditor")
        made.add("watch", "watch_officer")
        made.add("planner", "planner")
        made.add("keeper", "node_administrator")
        watch, planner = made.client("watch"), made.client("planner")
        (alert,) = watch.get("/api/v1/alerts").json()["alerts"]
        for _ in range(3):
            watch.get(f"/api/v1/alerts/{alert['id']}")
        planner.get(f"/api/v1/alerts/{alert['id']}")
        assert planner.get("/api/v1/quarantine").status_code == 403
        now_us = time.time_ns() // 1000
        alarm = BrowsingAlarm(
            who="watch", role="watch_officer", sign="burst", from_us=now_us - MINUTE_US, to_us=now_us, sequence=1,
            count=80, usual=6.0, limit=40.0, objects=(alert["id"],),
        )  # fmt: skip
        draft = Draft(
            id=alarm_id(alarm), kind="browsing_alarm", expected_revision=0, schema=1, author="process:browsing",
            valid_from_us=alarm.from_us, valid_to_us=alarm.to_us, body=msgspec.json.encode(alarm),
        )  # fmt: skip
        made.opened.ledger.append([Filed(draft=draft, terms=("who:watch",))])
        made.alert = alert["id"]
        yield made


def test_who_read_what_by_person_record_and_time(floor: Any, sit: Any) -> None:
    page = sit("auditor")
    page.get_by_role("heading", name="Audit").wait_for()
    rows = page.locator("tr[data-act]")
    rows.first.wait_for()
    form = page.get_by_test_id("audit-filters")
    form.locator("input[name=who]").fill("planner")
    form.get_by_role("button", name="Ask").click()
    page.wait_for_url("**who=planner**")
    page.wait_for_function(
        "() => [...document.querySelectorAll('tr[data-act] td:nth-child(2) button')].every((each) => each.innerText === 'planner')"
    )
    # The login, by which is asked, and beside it the name.
    assert set(page.locator("tr[data-act] td:nth-child(2)").all_inner_texts()) == {"planner\nPlanner"}
    refused = page.locator("tr[data-outcome=denied]")
    assert "quarantine" in refused.inner_text() and "refused" in refused.inner_text()
    read = page.locator("tr[data-act=read][data-outcome=allowed]", has_text="/alerts/").first
    assert "Watch" in read.locator("td").nth(4).inner_text()  # what for
    assert read.locator("time").count() == 1

    # From one access to everybody who touched the same record.
    read.get_by_role("button", name=floor.alert[:12]).click()
    page.wait_for_url(f"**object={floor.alert}**")
    page.locator("tr[data-who=planner]").wait_for()
    form.get_by_role("button", name="Clear filters").click()
    page.wait_for_url(lambda url: "who=" not in url and "object=" not in url)
    form.locator("input[name=object]").fill(floor.alert)
    form.get_by_role("button", name="Ask").click()
    page.locator("tr[data-who=watch]").wait_for()
    assert page.locator("tr[data-who]").evaluate_all("rows => rows.map(r => r.dataset.who)") == [
        "watch",
        "planner",
    ]
    # Another auditor gets the same question by the same address; before there was anything, nothing is found.
    page.reload()
    page.locator("tr[data-who=planner]").wait_for()
    form.locator("input[name=until]").fill("2020-01-01T00:00")
    form.get_by_role("button", name="Ask").click()
    page.get_by_text("Nothing matches.", exact=False).wait_for()
    # Each asking is in the log, with its words.
    asked = [entry.what for _, entry in floor.opened.access_log.since(0) if entry.who == "auditor"]
    assert f"audit people object_id='{floor.alert}'" in asked


def test_an_alarm_leads_to_what_was_done_then(floor: Any, sit: Any) -> None:
    page = sit("auditor", "/?audit=alarms", "es-CO")
    alarm = page.get_by_test_id("browsing-alarm")
    alarm.get_by_text("muchos en minutos").wait_for()
    alarm.get_by_role("button", name="Qué se hizo entonces").click()
    page.wait_for_url("**who=watch**")
    page.locator("tr[data-act=read]", has_text=floor.alert[:12]).first.wait_for()


def test_the_log_is_checked_from_its_page(floor: Any, sit: Any) -> None:
    page = sit("auditor", "/?audit=log")
    page.get_by_test_id("check-log").click()
    page.get_by_text("Whole up to entry", exact=False).wait_for()
    head = floor.opened.access_log.head()
    assert head.sequence > 0 and page.locator("dd.mono").count() == 3


@pytest.mark.parametrize("login", ["watch", "keeper"])
def test_who_is_no_auditor_is_shown_no_audit(floor: Any, sit: Any, login: str) -> None:
    page = sit(login, "/?panel=audit")
    page.get_by_role("banner").wait_for()
    page.get_by_role("navigation").first.wait_for()
    assert page.get_by_role("button", name="Audit", exact=True).count() == 0
    assert page.locator("article.audit").count() == 0
    assert floor.client(login).get("/api/v1/audit/entries").status_code == 403


@pytest.mark.parametrize(("theme", "locale", "width", "height"), LOOKS)
def test_it_can_be_read_at_every_size(
    floor: Any, sit: Any, tmp_path: Path, theme: str, locale: str, width: int, height: int
) -> None:
    from axe_core_python.sync_playwright import Axe

    page = sit("auditor", "/", locale, width, height)
    page.evaluate("theme => localStorage.setItem('shiprider.choices', JSON.stringify({ theme }))", theme)
    wanted = {
        "entries": "tr[data-act]",
        "people": "tr[data-who]",
        "alarms": "[data-testid=browsing-alarm]",
        "log": "dl",
    }
    for part in PARTS:
        page.goto(f"{floor.server.origin}/?audit={part}")
        page.locator(wanted[part]).first.wait_for()
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        if "SHIPRIDER_PICTURES" in os.environ:
            page.screenshot(path=Path(os.environ["SHIPRIDER_PICTURES"]) / f"audit-{part}-{theme}-{width}.png")
        assert page.evaluate((HERE / "clipped.js").read_text(encoding="utf-8")) == [], part
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), part
    found = Axe().run(page)["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
