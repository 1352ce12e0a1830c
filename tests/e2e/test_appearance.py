"""Themes, languages, sizes: nothing cut off, covered or blank. With SHIPRIDER_PICTURES set, pictures are kept there."""

import base64
import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

HERE = Path(__file__).parent
LOOKS = [
    ("dark", "en", 1280, 720),
    ("light", "es", 1280, 720),
    ("red", "en", 1280, 720),
    ("dark", "es", 1920, 1080),
    ("light", "en", 1920, 1080),
    ("dark", "es", 1024, 768),
    ("light", "en", 1024, 768),
]


def _script(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


@pytest.fixture
def kept(tmp_path: Path) -> Any:
    """Keeps a picture of the page under a name, where pictures are wanted."""
    folder = Path(os.environ.get("SHIPRIDER_PICTURES", str(tmp_path)))

    def keep(page: Any, name: str) -> None:
        if "SHIPRIDER_PICTURES" in os.environ:
            page.wait_for_timeout(1500)
            page.screenshot(path=folder / f"{name}.png")

    return keep


def _unreadable(page: Any) -> list[str]:
    found: list[str] = page.evaluate(_script("clipped.js"))
    return found


def _map_colours(page: Any) -> dict[str, float]:
    """Shares of the map's pixels, near the theme's colours of land, sea (heard or not) and simulated vessels."""
    png = base64.b64encode(page.locator(".map canvas").screenshot()).decode()
    shares: dict[str, float] = page.evaluate(
        _script("pixels.js"), [png, ["land", "sea", "sea-unheard", "simulated"], 24]
    )
    return shares


def _is_map(shares: dict[str, float]) -> bool:
    """Land, water and vessels, in the shares of the Caribbean at the first view."""
    water = max(shares["sea"], shares["sea-unheard"])
    return shares["land"] > 0.08 and water > 0.2 and 0.0005 < shares["simulated"] < 0.2


@pytest.mark.parametrize(("theme", "language", "width", "height"), LOOKS)
def test_everything_can_be_read_and_reached(
    desk_at: Any, kept: Any, theme: str, language: str, width: int, height: int
) -> None:
    desk = desk_at(width, height)
    page = desk.page
    desk.dress(theme, language)
    look = f"{theme}-{language}-{width}"
    faults: dict[str, list[str]] = {}

    def looked(name: str) -> None:
        faults[name] = _unreadable(page)
        kept(page, f"{name}-{look}")

    looked("queue")
    title = page.locator("#column h2").first.inner_text()
    assert title.startswith("Alertas" if language == "es" else "Alerts")
    page.keyboard.press("f")
    page.locator("div.filters").wait_for()
    looked("filters")
    page.keyboard.press("f")
    page.locator("li[data-alert] button").nth(2).click()
    page.wait_for_selector("#alert-reason")
    looked("alert")
    page.locator("article ul button.link").first.click()
    page.wait_for_selector("article h2")
    looked("vessel")
    for key, name in (
        ("2", "log"),
        ("3", "handover"),
        ("4", "watchlists"),
        ("5", "areas"),
        ("6", "calibration"),
    ):
        page.keyboard.press(key)
        page.locator("#column h2").wait_for()
        looked(name)
    page.get_by_role("banner").locator("button.quiet").nth(-2).click()
    looked("settings")
    page.keyboard.press("r")
    looked("tool")
    page.keyboard.press("r")
    page.keyboard.press("?")
    page.get_by_role("dialog").wait_for()
    looked("help")
    page.keyboard.press("Escape")
    page.get_by_test_id("time").focus()
    page.keyboard.press("PageDown")
    page.locator(".note.past").wait_for()
    looked("then")
    assert {name: each for name, each in faults.items() if each} == {}
    # Nothing sticks out of the page, and the status line is on it.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "document.querySelector('footer').getBoundingClientRect().bottom <= innerHeight + 0.5"
    )
    page.context.close()
    assert desk.complaints == []


@pytest.mark.parametrize("theme", ["dark", "light", "red"])
def test_the_map_is_drawn(desk_at: Any, theme: str) -> None:
    desk = desk_at()
    page = desk.page
    desk.dress(theme, "en")
    desk.until(lambda: _is_map(_map_colours(page)))
    # The same question put to a map that shows nothing: the check can fail.
    page.evaluate("document.querySelector('.map canvas').style.filter = 'opacity(0)'")
    assert not _is_map(_map_colours(page))
    page.context.close()


def test_the_red_theme_gives_only_red_light(desk_at: Any) -> None:
    """Every pixel of the page, with the symbols of MIL-STD-2525 and with every kind of control on it."""
    desk = desk_at()
    page = desk.page
    desk.dress("red", "en")
    page.keyboard.press("f")
    page.get_by_role("button", name="Legend").click()
    for milstd in (False, True):
        if milstd:
            page.get_by_role("button", name="Settings").click()
            page.get_by_label("MIL-STD-2525").check()
            page.wait_for_timeout(500)
        png = base64.b64encode(page.screenshot()).decode()
        shares = page.evaluate(_script("pixels.js"), [png, ["panel"], 4])
        assert shares["panel"] > 0.1
        assert shares["notRed"] < 1e-5
    page.context.close()


AXE_LOOKS = [("dark", "en"), ("light", "es"), ("red", "es")]


@pytest.mark.parametrize(("theme", "language"), AXE_LOOKS)
def test_axe_finds_nothing_serious(desk_at: Any, theme: str, language: str) -> None:
    desk = desk_at()
    page = desk.page
    desk.dress(theme, language)
    # The page's own policy forbids scripts from elsewhere: axe comes in through the debugger.
    page.evaluate(_axe().read_text(encoding="utf-8"))
    found = []

    def examine(name: str) -> None:
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found.extend(
            (name, each["id"], each["nodes"][0]["target"], each["nodes"][0]["failureSummary"])
            for each in result["violations"]
            if each["impact"] in ("serious", "critical")
        )

    def press(key: str, ready: str) -> None:
        page.keyboard.press(key)
        page.locator(ready).first.wait_for()

    examine("queue")
    press("f", "div.filters")
    page.locator(".bar button").nth(3).click()
    page.locator("section.legend").wait_for()
    examine("filters and legend")
    page.locator(".bar button").nth(3).click()
    press("f", "li[data-alert]")
    press("j", "#alert-reason")
    examine("alert")
    press("d", "dialog[open]")
    examine("who is on watch")
    page.keyboard.type("Lt Axe")
    page.keyboard.press("Enter")
    page.locator("dialog fieldset").wait_for()
    examine("dismiss")
    page.keyboard.press("Escape")
    for key in ("m", "e"):
        press(key, "dialog[open]")
        examine(f"dialog {key}")
        page.keyboard.press("Escape")
    page.locator("article ul button.link").first.click()
    page.locator("article h2").wait_for()
    examine("vessel")
    page.locator("article button", has_text="entence" if language == "en" else "entencia").first.click()
    page.locator("pre").first.wait_for()
    examine("observation")
    for key in "23456":
        press(key, "#column h2")
        examine(f"panel {key}")
    page.get_by_role("banner").locator("button.quiet").nth(-2).click()
    page.locator("input[name=theme]").first.wait_for()
    examine("settings")
    press("r", "section.tool")
    press("?", "dialog[open]")
    examine("help over a tool")
    page.context.close()
    assert found == []


def _axe() -> Path:
    import axe_core_python

    return next(Path(axe_core_python.__path__[0]).rglob("axe*.js"))
