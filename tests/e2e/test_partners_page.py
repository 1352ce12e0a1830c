"""Partners in the browser: introduced by one, confirmed by another, what they have, taking it back, who has answered."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beside import Two, beside
from shiprider.model.introduction import fingerprint

pytestmark = pytest.mark.browser
HERE = Path(__file__).parent
STATIC = HERE.parents[1] / "src/shiprider/api/static"
LOOKS = [
    (theme, language, *size)
    for size in ((1024, 768), (1280, 720), (1920, 1080))
    for theme, language in (("dark", "en-GB"), ("light", "es-CO"))
]


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    if not (STATIC / "index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    folder = tmp_path_factory.mktemp("partners")
    (folder / "node").mkdir()
    (folder / "node" / "static").symlink_to(STATIC)
    with beside(folder / "node") as made:
        yield made


@pytest.fixture(scope="module")
def floor(two: Two) -> Any:
    return two.floor


def test_from_introduction_to_a_recall_that_is_answered(two: Two, sit: Any, tmp_path: Path) -> None:
    told = two.usa.introduction()
    file = tmp_path / "usa.json"
    file.write_bytes(msgspec.json.encode(told))
    admin = sit("admin", "/?panel=partners")
    admin.get_by_text("No partner was introduced yet.").wait_for()
    admin.get_by_role("button", name="Show it").click()
    shown = admin.get_by_test_id("own-fingerprint").inner_text()
    assert len(shown.replace(" ", "")) == 30
    with admin.expect_download() as saved:
        admin.get_by_test_id("own-file").click()
    mine = msgspec.json.decode(Path(saved.value.path()).read_bytes())
    form = admin.get_by_test_id("introduce")
    form.locator("input[type=file]").set_input_files(str(file))
    form.locator("input[name=place]").fill("127.0.0.1:4250")
    form.get_by_role("button", name="Introduce").click()
    card = admin.get_by_test_id("partner")
    card.get_by_text("introduced", exact=False).first.wait_for()
    assert fingerprint(told) in card.inner_text()
    assert admin.get_by_test_id("confirm-partner").count() == 0

    liaison = sit("liaison", "/?panel=desk&desk=partners")
    card = liaison.get_by_test_id("partner")
    card.get_by_test_id("confirm-partner").locator("summary").click()
    card.locator("input[name=fingerprint]").fill("1" * 30)
    card.locator("input[value=watch]").check()
    card.locator("select[name=clearance]").select_option("SECRET")
    card.get_by_role("button", name="Confirm").click()
    liaison.get_by_text("That is not its fingerprint", exact=False).wait_for()
    card.locator("input[name=fingerprint]").fill(fingerprint(told))
    card.get_by_role("button", name="Confirm").click()
    liaison.locator("[data-testid=partner][data-state=confirmed]").wait_for()

    # The partner does the same with the file that was saved; then what its label lets it have goes.
    from shiprider.adapters.keys.files import ed25519_signed
    from shiprider.flow.exchange.partners import read_introduction

    ours = read_introduction(msgspec.json.encode(mine), ed25519_signed)
    assert fingerprint(ours) == shown
    two.usa.partners.propose(ours, place="", who="Ana Ruiz")
    two.usa.partners.confirm("col", shown, who="Luz Paz", clearance="SECRET", purposes=("watch",))
    alert = two.labelled_alert()
    watch = sit("watch", f"/?alert={alert}")
    watch.get_by_test_id("partners-of").locator("summary").click()
    line = watch.get_by_test_id("partner-of")
    line.wait_for()
    assert (line.get_attribute("data-allowed"), line.get_attribute("data-sent")) == ("true", "false")
    assert watch.get_by_test_id("recall-form").count() == 0
    two.carry()

    liaison.goto(f"{two.floor.server.origin}/?panel=desk&desk=partners")
    card.get_by_test_id("sent").locator("summary").click()
    liaison.locator("[data-testid=shared][data-kind=alert]").wait_for()
    liaison.goto(f"{two.floor.server.origin}/?alert={alert}")
    liaison.get_by_test_id("partners-of").locator("summary").click()
    order = liaison.get_by_test_id("recall-form")
    order.locator("input[name=why]").fill("the radar was miscalibrated")
    order.locator("input[value=retracted]").check()
    order.get_by_role("button", name="Take it back").click()
    liaison.locator("[data-testid=recall-state][data-state=waiting]").wait_for()
    two.carry()
    assert two.usa.ledger.latest(alert).body is None
    liaison.goto(f"{two.floor.server.origin}/?panel=desk&desk=recalls")
    liaison.locator("[data-testid=recall-state][data-state=answered]").wait_for()
    assert "usa" in liaison.get_by_test_id("recall").inner_text()


@pytest.mark.parametrize(("theme", "locale", "width", "height"), LOOKS)
def test_it_can_be_read_at_every_size(
    two: Two, sit: Any, theme: str, locale: str, width: int, height: int
) -> None:
    from axe_core_python.sync_playwright import Axe

    page = sit("liaison", "/", locale, width, height)
    page.evaluate("theme => localStorage.setItem('shiprider.choices', JSON.stringify({ theme }))", theme)
    for part, wanted in (("partners", "[data-testid=partner]"), ("recalls", "[data-testid=recall]")):
        page.goto(f"{two.floor.server.origin}/?panel=desk&desk={part}")
        page.locator(wanted).first.wait_for()
        page.evaluate("document.querySelectorAll('article details').forEach((each) => { each.open = true })")
        # The desk lies over the map: what is under it is not looked at.
        page.evaluate(
            "for (const each of document.querySelector('.desk').parentElement.children)"
            " if (!each.classList.contains('desk')) each.style.visibility = 'hidden'"
        )
        if part == "partners":
            page.locator("[data-testid=shared]").first.wait_for()
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        if "SHIPRIDER_PICTURES" in os.environ:
            page.screenshot(path=Path(os.environ["SHIPRIDER_PICTURES"]) / f"desk-{part}-{theme}-{width}.png")
        assert page.evaluate((HERE / "clipped.js").read_text(encoding="utf-8")) == [], part
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), part
    found = Axe().run(page)["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
