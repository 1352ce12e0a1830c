"""Themes, languages, sizes, and what a screen reader finds. With SHIPRIDER_PICTURES set, pictures are kept there."""

import os
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LOOKS = [
    ("dark", "en", 1280, 720),
    ("light", "es", 1280, 720),
    ("red", "en", 1280, 720),
    ("dark", "es", 1920, 1080),
    ("light", "en", 1920, 1080),
    ("dark", "en", 1024, 768),
]


def _dressed(desk: Any, theme: str, language: str) -> None:
    page = desk.page
    page.get_by_role("button", name=language.upper(), exact=True).click()
    for _ in range(3):
        if page.evaluate("document.documentElement.dataset.theme") == theme:
            break
        page.get_by_test_id("theme").click()
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.wait_for_function(f"() => document.documentElement.lang === '{language}'")


@pytest.mark.parametrize(("theme", "language", "width", "height"), LOOKS)
def test_looks(desk_at: Any, tmp_path: Path, theme: str, language: str, width: int, height: int) -> None:
    desk = desk_at(width, height)
    page = desk.page
    _dressed(desk, theme, language)
    page.wait_for_selector("li[data-alert]")
    title = page.locator("#column h2").first.inner_text()
    assert title.startswith("Alertas" if language == "es" else "Alerts")
    # Nothing sticks out of the page, and the status line is on it.
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.evaluate(
        "document.querySelector('footer').getBoundingClientRect().bottom <= innerHeight + 0.5"
    )
    folder = Path(os.environ.get("SHIPRIDER_PICTURES", str(tmp_path)))
    page.wait_for_timeout(1500)
    page.screenshot(path=folder / f"queue-{theme}-{language}-{width}.png")
    page.locator("li[data-alert] button").nth(2).click()
    page.wait_for_selector("#alert-reason")
    page.wait_for_timeout(2000)
    page.screenshot(path=folder / f"alert-{theme}-{language}-{width}.png")
    # The map is drawn: its canvas has more than one colour.
    colours = page.locator(".map canvas").screenshot()
    assert len(set(colours)) > 100
    page.context.close()
    assert desk.complaints == []


@pytest.mark.parametrize("theme", ["dark", "light", "red"])
def test_axe_finds_nothing_serious(desk_at: Any, theme: str) -> None:
    desk = desk_at()
    page = desk.page
    _dressed(desk, theme, "en")
    page.wait_for_selector("li[data-alert]")
    found = []
    for key in ("", "f", "j", "2", "3", "4", "?"):
        if key:
            page.keyboard.press(key)
            page.wait_for_timeout(250)
        if theme != "dark" and key not in ("", "j"):
            continue
        # The page's own policy forbids scripts from elsewhere: axe comes in through the debugger.
        page.evaluate(_axe().read_text(encoding="utf-8"))
        result = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        found += [
            (key, each["id"], each["nodes"][0]["target"], each["nodes"][0]["failureSummary"])
            for each in result["violations"]
            if each["impact"] in ("serious", "critical")
        ]
        if key == "?":
            page.keyboard.press("Escape")
    page.context.close()
    assert found == []


def _axe() -> Path:
    import axe_core_python

    return next(Path(axe_core_python.__path__[0]).rglob("axe*.js"))
