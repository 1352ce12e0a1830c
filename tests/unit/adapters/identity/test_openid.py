"""ID tokens that prove nothing, and addresses that are not asked: a provider of our own that misbehaves."""

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from shiprider.adapters.identity.fetching import MOST_BYTES, Fetcher
from shiprider.adapters.identity.openid import OpenIdProvider
from shiprider.model.errors import Forbidden
from shiprider.ports.identity import Asking
from shiprider.settings import ProviderSettings

KEY = RSAKey.generate_key(2048, {"kid": "a", "use": "sig", "alg": "RS256"})
OTHER = RSAKey.generate_key(2048, {"kid": "a", "use": "sig", "alg": "RS256"})
ASKING = Asking(provider="p", state="s", nonce="n", verifier="v")


class Provider:
    """Answers what a test puts there."""

    def __init__(self) -> None:
        self.answers: dict[str, Callable[[], tuple[int, dict[str, str], bytes]]] = {}
        self.asked: list[str] = []
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked.append(self.path)
                length = int(self.headers.get("content-length", 0))
                self.rfile.read(length)
                status, headers, body = provider.answers.get(self.path, lambda: (404, {}, b""))()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.describe()
        self.put("/jwks", {"keys": [KEY.as_dict(private=False)]})

    def put(self, path: str, content: Any, status: int = 200, **headers: str) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answers[path] = lambda: (status, headers, body)

    def describe(self, **changes: Any) -> None:
        described = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
        }
        self.put("/.well-known/openid-configuration", {**described, **changes})

    def claims(self, **changes: Any) -> dict[str, Any]:
        now = int(time.time())
        right = {"iss": self.issuer, "aud": "me", "sub": "u", "exp": now + 60, "iat": now, "nonce": "n"}
        return {name: value for name, value in {**right, **changes}.items() if value is not None}

    def token(self, claims: dict[str, Any], key: Any = KEY, **header: Any) -> None:
        signed = jwt.encode(
            {"alg": "RS256", "kid": "a", **header}, claims, key, algorithms=["RS256", "HS256"]
        )
        self.put("/token", {"id_token": signed})


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.server.shutdown()


def ask(provider: Provider, **more: Any) -> Any:
    settings = ProviderSettings(name="p", issuer=provider.issuer, client_id="me", **more)
    return OpenIdProvider(settings, "secret").claims(ASKING, "code", "http://127.0.0.1/back")


def test_the_right_token_is_believed(provider: Provider) -> None:
    provider.token(provider.claims())
    assert ask(provider)["sub"] == "u"
    provider.token(provider.claims(aud=["me", "other"], azp="me"))
    assert ask(provider)["sub"] == "u"


@pytest.mark.parametrize(
    "changes",
    [{"iss": "https://evil.example"}, {"aud": "other"}, {"aud": []}, {"aud": ["me", "other"]}, {"azp": "other"},
     {"nonce": "m"}, {"nonce": None}, {"exp": 1}, {"exp": None}, {"exp": "9999999999"}, {"exp": True}, {"iat": 9_999_999_999},
     {"iat": None}, {"iss": None}, {"aud": None}, {"nbf": 9_999_999_999}, {"aud": ["me", "other"], "azp": "other"}],
)  # fmt: skip
def test_a_token_for_another_time_party_or_sign_in_is_not_believed(
    provider: Provider, changes: dict[str, Any]
) -> None:
    provider.token(provider.claims(**changes))
    with pytest.raises(Forbidden):
        ask(provider)


def test_a_token_that_others_signed_is_not_believed(provider: Provider) -> None:
    provider.token(provider.claims(), OTHER)
    with pytest.raises(Forbidden):
        ask(provider)
    # The public key taken for a shared secret.

    def part(content: Any) -> str:
        plain = content if isinstance(content, bytes) else json.dumps(content).encode()
        return base64.urlsafe_b64encode(plain).rstrip(b"=").decode()

    said = f"{part({'alg': 'HS256', 'kid': 'a'})}.{part(provider.claims())}"
    forged = hmac.new(KEY.as_pem(private=False), said.encode(), "sha256").digest()
    provider.put("/token", {"id_token": f"{said}.{part(forged)}"})
    with pytest.raises(Forbidden):
        ask(provider)

    for odd in (f"{part({'alg': 'none'})}.{part(provider.claims())}.", "a.b.c", "", 5, None, "x" * 70_000):
        provider.put("/token", {"id_token": odd})
        with pytest.raises(Forbidden):
            ask(provider)


def test_keys_that_were_changed_are_asked_anew_once(provider: Provider) -> None:
    settings = ProviderSettings(name="p", issuer=provider.issuer, client_id="me")
    made = OpenIdProvider(settings, "")
    provider.token(provider.claims())
    assert made.claims(ASKING, "c", "r")["sub"] == "u"
    provider.put("/jwks", {"keys": [OTHER.as_dict(private=False)]})
    provider.token(provider.claims(), OTHER)
    assert made.claims(ASKING, "c", "r")["sub"] == "u"
    assert provider.asked.count("/jwks") == 2


@pytest.mark.parametrize("name", ["token_endpoint", "jwks_uri"])
@pytest.mark.parametrize(
    "place",
    ["http://169.254.169.254/latest", "http://127.0.0.1:1/x", "file:///etc/passwd", "http://localhost/x", None, 5,
     "http://evil.example@{netloc}/token", "//evil.example/x", "http://{netloc}@evil.example/x"],
)  # fmt: skip
def test_an_endpoint_that_the_operator_did_not_name_is_not_asked(
    provider: Provider, name: str, place: object
) -> None:
    netloc = provider.issuer.removeprefix("http://")
    provider.describe(**{name: place.format(netloc=netloc) if isinstance(place, str) else place})
    provider.token(provider.claims())
    with pytest.raises(Forbidden):
        ask(provider)


def test_a_description_of_another_issuer_is_not_believed(provider: Provider) -> None:
    provider.describe(issuer="https://evil.example")
    provider.token(provider.claims())
    with pytest.raises(Forbidden):
        ask(provider)


def test_redirects_are_not_followed(provider: Provider) -> None:
    provider.put("/elsewhere", {"keys": [KEY.as_dict(private=False)]})
    provider.put("/jwks", b"", 302, location=f"{provider.issuer}/elsewhere")
    provider.token(provider.claims())
    with pytest.raises(Forbidden):
        ask(provider)
    assert "/elsewhere" not in provider.asked


@pytest.mark.parametrize("content", [b"[" * 200_000, b" " * (MOST_BYTES + 1), b"[]", b"\xff", b"null", b"5"])
def test_an_answer_that_is_too_much_or_none_is_refused(provider: Provider, content: bytes) -> None:
    provider.put("/jwks", content)
    provider.token(provider.claims())
    with pytest.raises(Forbidden):
        ask(provider)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "[::1]", "10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "0.0.0.0", "224.0.0.1"]  # noqa: S104
)  # fmt: skip
def test_private_addresses_are_refused_unless_the_operator_named_them(provider: Provider, host: str) -> None:
    """By a name that points there: here one that is given as the origin, and resolves to what is not public."""
    port = provider.server.server_port
    fetcher = Fetcher("p", [f"http://named.example:{port}", f"http://{host}:{port}"], ())
    fetcher._client._transport._pool._network_backend._allowed = ()  # type: ignore[attr-defined]
    with pytest.raises(Forbidden):
        fetcher.get(f"http://{host}:{port}/jwks")
    assert provider.asked == []
    if host in ("localhost", "127.0.0.1"):
        named = Fetcher("p", [f"http://{host}:{port}"], ("127.0.0.0/8", "::1/128"))
        assert "keys" in named.get(f"http://{host}:{port}/jwks")


def test_a_provider_that_is_down_holds_nobody_up() -> None:
    """Its port takes connections and never answers: one waits, the others are told at once, and it is left in peace."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        made = OpenIdProvider(ProviderSettings(name="p", issuer=issuer, client_id="me"), "")
        made._fetcher._client.timeout = httpx.Timeout(3.0)
        begun = time.monotonic()

        def ask_once(_: int) -> float:
            with pytest.raises(Forbidden):
                made.address(ASKING, "r")
            return time.monotonic() - begun

        with ThreadPoolExecutor(30) as pool:
            waited = sorted(pool.map(ask_once, range(30)))
        assert waited[-2] < 2.5 and waited[-1] < 6
        begun = time.monotonic()
        assert ask_once(0) < 0.5
