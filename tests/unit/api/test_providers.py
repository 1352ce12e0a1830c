"""An organisation's people come in by OpenID Connect: the whole way with a real provider's process."""

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from shiprider.settings import ProviderSettings

PERSON = {
    "sub": "u-17", "name": "Marta Ríos", "preferred_username": "mrios", "groups": ["watch", "unknown"], "nation": "USA",
    "org": "JTF South", "clearance": "secret", "communities": ["south", 5], "cases": "op-17",
}  # fmt: skip
OTHERS = [
    {"sub": "u-18", "name": "Marta Ríos", "preferred_username": "mrios", "groups": ["watch"]},
    {"sub": "u-19", "name": "No Role", "groups": ["visitors"]},
    {"sub": "u-20", "name": "Both", "groups": ["watch", "admins"]},
    {"sub": "u-21", "name": "<b>\u0000", "groups": {"watch": 1}},
]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """A provider in a process of its own; ended by its id."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "oidc_provider_mock",
        "--port",
        str(port),
        "--require-nonce",
        "true",
    ]
    for each in (PERSON, *OTHERS):
        command += ["--user-claims", json.dumps(each)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    issuer = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(f"{issuer}/.well-known/openid-configuration")
                break
            except httpx.TransportError:
                time.sleep(0.1)
        yield issuer
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def floor(people: Any, provider: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    settings = ProviderSettings(
        name="jtf", title="JTF", issuer=provider, client_id="shiprider", client_secret_file="secret.txt", nation="COL",  # noqa: S106
        claims={"organisation": "org", "clearance": "clearance", "communities": "communities", "cases": "cases", "nation": "nation"},
        roles={"watch": ("watch_officer",), "admins": ("node_administrator",)},
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("node")
    (folder / "secret.txt").write_text("kept by the provider\n")
    with people.floor(folder, data=False, providers=(settings,)) as made:
        yield made


def out(floor: Any, client: httpx.Client) -> str:
    answer = client.get("/sign-in/with/jtf")
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"]
    assert "SameSite=Lax" in cookie and "HttpOnly" in cookie and "Max-Age=300" in cookie
    place: str = answer.headers["location"]
    return place


def agree(place: str, subject: str) -> str:
    """What the person does at the provider; the address he is sent back to."""
    answer = httpx.post(place, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


NAVIGATION = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


def come_in(floor: Any, subject: str) -> tuple[httpx.Client, httpx.Response]:
    client = floor.stranger()
    client.headers.pop("origin")
    answer = client.get(agree(out(floor, client), subject), headers=NAVIGATION)
    client.headers["origin"] = floor.server.origin
    return client, answer


def test_the_way_out_asks_with_pkce_state_and_nonce(floor: Any, provider: str) -> None:
    places = [urlsplit(out(floor, floor.stranger())) for _ in range(2)]
    queries = [parse_qs(place.query) for place in places]
    for place, query in zip(places, queries, strict=True):
        assert f"{place.scheme}://{place.netloc}" == provider
        assert query["response_type"] == ["code"] and query["code_challenge_method"] == ["S256"]
        assert query["redirect_uri"] == [f"{floor.server.origin}/sign-in/return"]
        assert len(query["code_challenge"][0]) == 43
    for name in ("state", "nonce", "code_challenge"):
        assert queries[0][name] != queries[1][name]
    assert floor.stranger().get("/sign-in/with/other").status_code == 404


def test_a_person_comes_in_with_what_the_provider_vouches_for(floor: Any) -> None:
    client, answer = come_in(floor, "u-17")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = client.get("/api/v1/me").json()
    assert me["name"] == "Marta Ríos (JTF)" and me["login"] == "mrios@jtf"
    assert me["roles"] == ["watch_officer"] and me["clearance"] == "secret" and me["cases"] == ["op-17"]
    assert me["organisation"] == "JTF South" and me["communities"] == ["south"]
    # This provider vouches for one nation, whatever its claims say.
    assert me["nation"] == "COL"
    assert client.get("/api/v1/alerts").json()["error"] == "no_purpose"
    assert client.put("/api/v1/me/purpose", json={"purpose": "watch"}).status_code == 200
    assert client.get("/api/v1/alerts").status_code == 200
    # Its secrets are kept there: no password here.
    assert client.post("/api/v1/me/authenticator", json={}).status_code == 403
    again, _ = come_in(floor, "u-17")
    assert again.get("/api/v1/me").json()["login"] == "mrios@jtf"
    assert len([a for a in floor.access.accounts.all() if a.subject == "u-17"]) == 1


def test_people_of_one_name_are_two(floor: Any) -> None:
    come_in(floor, "u-17")
    client, _ = come_in(floor, "u-18")
    assert client.get("/api/v1/me").json()["name"] == "Marta Ríos (JTF 2)"


@pytest.mark.parametrize("subject", ["u-19", "u-20", "u-21"])
def test_no_role_and_roles_that_do_not_go_together_are_no_way_in(floor: Any, subject: str) -> None:
    client, answer = come_in(floor, subject)
    assert answer.headers["location"] == "/?sign_in=refused" and "set-cookie" not in answer.headers
    assert client.get("/api/v1/session").status_code == 401


def test_who_is_disabled_here_stays_out_whatever_the_provider_says(floor: Any, people: Any) -> None:
    import msgspec

    come_in(floor, "u-18")
    account = floor.access.accounts.find(issuer=floor.access.settings.providers[0].issuer, subject="u-18")
    floor.access.accounts.change(msgspec.structs.replace(account, disabled=True))
    client, answer = come_in(floor, "u-18")
    assert answer.headers["location"] == "/?sign_in=refused"
    assert client.get("/api/v1/session").status_code == 401


def test_a_way_back_that_began_elsewhere_or_twice_is_none(floor: Any) -> None:
    """Login CSRF: an attacker's answer in a victim's browser; a code that is played again; a state that is none."""
    attacker, victim = floor.stranger(), floor.stranger()
    back = agree(out(floor, attacker), "u-17")
    out(floor, victim)
    answer = victim.get(back, headers=NAVIGATION)
    assert answer.headers["location"] == "/?sign_in=expired" and "set-cookie" not in answer.headers
    # It is used up now, for the attacker too.
    assert attacker.get(back, headers=NAVIGATION).headers["location"] == "/?sign_in=expired"
    client, _ = floor.stranger(), None
    back = agree(out(floor, client), "u-17")
    assert client.get(back).headers["location"] == "/"
    assert client.get(back).headers["location"] == "/?sign_in=expired"
    for odd in ("?code=x&state=y", "?state=y", "", "?code=x", "?error=access_denied&state=y"):
        assert floor.stranger().get(f"/sign-in/return{odd}").headers["location"] == "/?sign_in=expired"


def test_a_code_that_is_none_is_refused(floor: Any) -> None:
    client = floor.stranger()
    state = parse_qs(urlsplit(out(floor, client)).query)["state"][0]
    answer = client.get(f"/sign-in/return?code=forged&state={state}")
    assert answer.headers["location"] == "/?sign_in=refused"


def test_the_ways_in_name_the_provider(floor: Any, tmp_path: Path) -> None:
    ways = floor.stranger().get("/api/v1/sign-in").json()
    assert ways["providers"] == [{"name": "jtf", "title": "JTF"}]
    assert floor.server.token not in json.dumps(ways)
