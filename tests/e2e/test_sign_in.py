"""Signing in, in the browser, against a running node with accounts: from the first code to the last session."""

import base64
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a sentence for the watch floor"  # noqa: S105


@dataclass
class Node:
    """A running node, and the code of its first administrator."""

    origin: str
    code: str


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    if not (ROOT / "src/shiprider/api/static/index.html").is_file():
        pytest.skip("the page is not built: run `make web`")
    folder = tmp_path_factory.mktemp("people") / "node"
    command = [sys.executable, "-m", "shiprider"]
    made = subprocess.run(
        [*command, "init", str(folder), "--json"], check=True, capture_output=True, text=True, timeout=100
    )
    first = json.loads(made.stdout)["administrator"]
    assert first["login"] == "administrator"
    process = subprocess.Popen(
        [*command, "run", str(folder), "--port", "0", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        assert "token" not in told["url"] and "administrator" not in told
        # By a name: a passkey belongs to one (WebAuthn 5.1.2).
        yield Node(told["url"].replace("127.0.0.1", "localhost").rstrip("/"), first["code"])
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


class Person:
    """A browser of one's own, with what it complained of."""

    def __init__(self, browser: Any, node: Node, locale: str = "en-GB") -> None:
        self.context = browser.new_context(
            viewport={"width": 1280, "height": 720}, locale=locale, reduced_motion="reduce"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.node = node
        self.page.goto(node.origin)

    def device(self) -> None:
        """A device that knows its person: the browser's virtual authenticator (CTAP 2)."""
        session = self.context.new_cdp_session(self.page)
        session.send("WebAuthn.enable")
        session.send(
            "WebAuthn.addVirtualAuthenticator",
            {
                "options": {
                    "protocol": "ctap2",
                    "transport": "internal",
                    "hasResidentKey": True,
                    "hasUserVerification": True,
                    "isUserVerified": True,
                    "automaticPresenceSimulation": True,
                }
            },
        )

    def first_time(self, login: str, code: str) -> None:
        page = self.page
        page.get_by_role("button", name="I have a one-time code").click()
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=code]").fill(code)
        page.get_by_role("button", name="Go on").click()
        page.get_by_role("heading", name="Make your way in").wait_for()

    def set_password(self, people: Any) -> bytes:
        """Returns the authenticator's seed."""
        page = self.page
        page.get_by_test_id("begin-authenticator").click()
        shown = page.get_by_test_id("seed").inner_text().replace(" ", "")
        picture = page.get_by_role("img", name="QR code of the key, for the authenticator")
        box = picture.bounding_box()
        assert box["width"] == box["height"] >= 180
        seed = base64.b32decode(shown + "=" * (-len(shown) % 8))
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=code]").fill(people.authenticator(seed, time.time()))
        page.get_by_role("button", name="Save").click()
        return seed

    def sign_in(self, login: str, code: str, button: str = "Sign in") -> None:
        page = self.page
        page.locator("input[name=login]").fill(login)
        page.locator("input[name=password]").fill(PASSWORD)
        page.locator("input[name=code]").fill(code)
        page.get_by_role("button", name=button, exact=True).click()


@pytest.fixture(scope="module")
def administrator(chromium: Any, node: Node) -> Iterator[Person]:
    """Signed in with the code that `shiprider init` showed, and a passkey made with it."""
    person = Person(chromium, node)
    person.device()
    person.first_time("administrator", node.code)
    person.page.get_by_test_id("make-passkey").click()
    person.page.get_by_role("heading", name="Accounts").wait_for()
    yield person
    assert person.complaints == []
    person.context.close()


def make(administrator: Person, login: str, name: str, role: str) -> str:
    """A new account, made with the form; its one-time code."""
    page = administrator.page
    page.goto(administrator.node.origin)
    page.get_by_test_id("new-account").click()
    form = page.get_by_test_id("account-form")
    form.locator("input[name=login]").fill(login)
    form.locator("input[name=name]").fill(name)
    form.locator(f"input[value={role}]").check()
    form.locator("input[name=nation]").fill("COL")
    form.get_by_role("button", name="Make the account").click()
    code: str = page.get_by_test_id("one-time-code").inner_text()
    page.locator(f"tr[data-login={login}]").wait_for()
    return code


def test_the_administrator_sees_accounts_and_no_content(administrator: Person) -> None:
    page = administrator.page
    page.goto(administrator.node.origin)
    page.get_by_text("Your role sees no alerts, vessels or notes.").wait_for()
    assert page.locator(".map").count() == 0
    assert page.evaluate("fetch('/api/v1/alerts').then(answer => answer.status)") == 403
    page.get_by_role("button", name="My access").click()
    page.get_by_text("run accounts").wait_for()
    assert page.get_by_test_id("my-roles").inner_text() == "node administrator"


def test_a_passkey_lets_in_again(administrator: Person) -> None:
    page = administrator.page
    page.goto(administrator.node.origin)
    page.get_by_test_id("sign-out-office").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.get_by_test_id("passkey").click()
    page.get_by_role("heading", name="Accounts").wait_for()


def test_from_the_first_code_to_the_watch_floor_and_out(
    administrator: Person, chromium: Any, node: Node, people: Any
) -> None:
    code = make(administrator, "reyes", "Ana Reyes", "watch_officer")
    officer = Person(chromium, node)
    page = officer.page
    officer.first_time("reyes", code)
    seed = officer.set_password(people)
    # In, and asked what for.
    page.get_by_role("heading", name="What do you read for?").wait_for()
    page.get_by_label("Watch", exact=True).check()
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector(".map[data-ready=true]", timeout=40_000)
    assert "Ana Reyes" in page.get_by_test_id("who").inner_text()
    page.get_by_test_id("who").click()
    page.get_by_text("decide on alerts").wait_for()

    # The code that was used is used up; wrong ones are one sentence; the next one opens.
    page.get_by_test_id("sign-out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    officer.sign_in("reyes", "000000")
    page.get_by_role("alert").wait_for()
    assert page.locator("input[name=password]").input_value() == ""
    while int(time.time()) % 30 > 26:
        time.sleep(0.5)
    officer.sign_in("reyes", people.authenticator(seed, time.time() + 30))
    page.wait_for_selector(".map[data-ready=true]", timeout=40_000)

    # The administrator ends it: the page is the sign-in page within a second, by itself.
    table = administrator.page
    table.goto(node.origin)
    table.locator("tr[data-login=reyes]").get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for(timeout=8000)
    assert officer.complaints == []
    officer.context.close()


def test_a_token_for_a_program_is_made_used_and_revoked_in_the_page(
    administrator: Person, chromium: Any, node: Node, people: Any
) -> None:
    import httpx

    code = make(administrator, "ortiz", "Eva Ortiz", "intelligence_analyst")
    analyst = Person(chromium, node)
    page = analyst.page
    analyst.first_time("ortiz", code)
    analyst.set_password(people)
    page.get_by_label("Watch", exact=True).check()
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector(".map[data-ready=true]", timeout=40_000)
    page.get_by_test_id("who").click()
    page.get_by_text("New token").click()
    page.locator("input[name=token-name]").fill("their OpenCTI")
    page.locator("input[name=token-days]").fill("7")
    page.get_by_test_id("make-token").click()
    secret = page.get_by_test_id("secret").inner_text()
    headers = {"authorization": f"Bearer {secret}"}
    assert httpx.get(f"{node.origin}/taxii2/", headers=headers).status_code == 200
    line = page.get_by_test_id("token")
    assert "their OpenCTI" in line.inner_text()
    line.get_by_role("button", name="Revoke").click()
    line.wait_for(state="detached")
    assert page.get_by_test_id("secret").count() == 0
    assert httpx.get(f"{node.origin}/taxii2/", headers=headers).status_code == 401
    assert analyst.complaints == []
    analyst.context.close()


def test_in_spanish(chromium: Any, node: Node) -> None:
    person = Person(chromium, node, "es-CO")
    person.page.get_by_role("heading", name="Iniciar sesión").wait_for()
    person.page.get_by_text("Tengo un código de un solo uso").click()
    person.page.get_by_role("heading", name="Primer inicio de sesión").wait_for()
    person.context.close()


def test_the_pages_have_no_serious_accessibility_fault(
    administrator: Person, chromium: Any, node: Node
) -> None:
    from axe_core_python.sync_playwright import Axe

    stranger = Person(chromium, node)
    stranger.page.get_by_role("heading", name="Sign in").wait_for()
    administrator.page.goto(node.origin)
    administrator.page.get_by_test_id("new-account").click()
    for page in (stranger.page, administrator.page):
        found = Axe().run(page)["violations"]
        serious = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
        assert serious == []
    stranger.context.close()
