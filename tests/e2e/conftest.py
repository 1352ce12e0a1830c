"""A real node with a real (simulated) recording, and Debian's Chromium in front of it."""

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = Path("/usr/bin/chromium")
PAGE = ROOT / "src/shiprider/api/static/index.html"
#: No GPU: SwiftShader draws, as on the machine of a small watch floor.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]
HOURS = "6"


@dataclass(frozen=True)
class WatchFloor:
    """A running node: the start-up URL and the token in it."""

    url: str

    @property
    def origin(self) -> str:
        return self.url.split("/?")[0]

    @property
    def token(self) -> str:
        return self.url.split("token=")[1]


def _shiprider(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "shiprider", *arguments]


@pytest.fixture(scope="session")
def watch_floor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchFloor]:
    """Simulate, take in, run; ended by its own id."""
    if not PAGE.is_file():
        pytest.skip("the page is not built: run `make web`")
    folder = tmp_path_factory.mktemp("floor")
    recording, node = folder / "sim.nmea", folder / "node"
    for arguments in (
        ("simulate", "demo", "--seed", "11", "--hours", HOURS, "--out", str(recording)),
        ("init", str(node), "--name", "e2e"),
        ("ingest", str(recording), "--node", str(node)),
    ):
        subprocess.run(_shiprider(*arguments), check=True, timeout=200, capture_output=True)
    # The people of these tests only say who they are; those who prove it are in test_sign_in.py.
    with (node / "shiprider.toml").open("a") as settings:
        settings.write("\n[access]\ndemo = true\n")
    process = subprocess.Popen(
        _shiprider("run", str(node), "--port", "0", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield WatchFloor(json.loads(process.stdout.readline())["url"])
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    if not CHROMIUM.is_file():
        pytest.skip("Debian's Chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@dataclass
class Desk:
    """One person's browser: the page, what it complained of, and what it asked for."""

    page: Any
    origin: str
    complaints: list[str]
    requests: list[str]

    def open(self, url: str) -> None:
        """Go there and wait until the map is drawn."""
        self.page.goto(url)
        self.page.wait_for_selector(".map[data-ready=true]", timeout=40_000)

    def dress(self, theme: str, language: str) -> None:
        """Choose a theme and a language, and wait until the queue speaks it."""
        page = self.page
        page.get_by_role("button", name=language.upper(), exact=True).click()
        for _ in range(3):
            if page.evaluate("document.documentElement.dataset.theme") == theme:
                break
            page.get_by_test_id("theme").click()
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        page.wait_for_function(f"() => document.documentElement.lang === '{language}'")
        page.wait_for_selector("li[data-alert]")

    def until(self, true: Callable[[], bool], tries: int = 40) -> None:
        """Ask again until it is so, a quarter of a second apart."""
        for _ in range(tries):
            if true():
                return
            self.page.wait_for_timeout(250)
        raise AssertionError("it never came to be so")

    def begin_watch(self, name: str) -> None:
        """Say who sits here, where the page asks."""
        self.page.get_by_role("dialog").get_by_role("textbox").fill(name)
        self.page.get_by_role("dialog").locator("button.primary").click()
        self.page.get_by_role("dialog").wait_for(state="hidden")


def new_desk(browser: Any, floor: WatchFloor, width: int = 1280, height: int = 720, **context: Any) -> Desk:
    """A desk at its own, new session, with the page open."""
    made = browser.new_context(
        viewport={"width": width, "height": height},
        **{"locale": "en-GB", "reduced_motion": "reduce", **context},
    )
    page = made.new_page()
    page.set_default_timeout(15_000)
    desk = Desk(page, floor.origin, [], [])
    page.on("pageerror", lambda error: desk.complaints.append(str(error)))
    page.on(
        "console", lambda message: desk.complaints.append(message.text) if message.type == "error" else None
    )
    page.on("request", lambda request: desk.requests.append(request.url))
    desk.open(floor.url)
    return desk


@pytest.fixture
def desk_at(chromium: Any, watch_floor: WatchFloor) -> Any:
    """Makes desks of other sizes: `desk_at(width, height)`."""
    return lambda width=1280, height=720, **context: new_desk(chromium, watch_floor, width, height, **context)


@pytest.fixture
def desk(chromium: Any, watch_floor: WatchFloor) -> Iterator[Desk]:
    """A desk at 1280 x 720; whatever the page complained of fails the test."""
    made = new_desk(chromium, watch_floor)
    yield made
    made.page.context.close()
    assert made.complaints == []


@pytest.fixture
def sit(chromium: Any, floor: Any) -> Iterator[Any]:
    """Sit somebody of a test's `floor` (`people.floor`) down at a browser of his own.

    Whatever a page complained of fails the test.
    """
    contexts: list[Any] = []
    complaints: list[str] = []

    def seated(
        login: str, place: str = "/", locale: str = "en-GB", width: int = 1280, height: int = 720
    ) -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=locale, reduced_motion="reduce"
        )
        contexts.append(context)
        cookie = floor.sessions().begin_for(floor.people[login], purpose="watch", address="127.0.0.1")
        context.add_cookies(
            [{"name": "shiprider_session", "value": cookie, "url": floor.server.origin, "httpOnly": True}]
        )
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(floor.server.origin + place)
        return page

    yield seated
    for context in contexts:
        context.close()
    assert complaints == []
