"""The node's own TLS: what browsers check of a certificate, checked by OpenSSL; renewal; cookies under TLS."""

import datetime
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from shiprider.adapters.certificates.own import RENEW_DAYS, OwnCertificates
from shiprider.api.server import Server, bind
from shiprider.model.errors import StorageError, UsageError
from shiprider.settings import ApiSettings, Settings, parse

NOW = datetime.datetime(2026, 5, 1, tzinfo=datetime.UTC)


def made(folder: Path, *names: str, now: datetime.datetime = NOW) -> OwnCertificates:
    return OwnCertificates(folder, node="caribe", names=names, clock=lambda: now)


def test_openssl_believes_it_for_its_names_and_no_others(tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    one = made(tmp_path, "watch.example.org", "192.0.2.7", now=datetime.datetime.now(datetime.UTC))
    verify = [
        "openssl",
        "verify",
        "-x509_strict",
        "-purpose",
        "sslserver",
        "-CAfile",
        str(one.authority_file),
    ]
    for option, name, good in (
        ("-verify_hostname", "watch.example.org", True),
        ("-verify_hostname", "localhost", True),
        ("-verify_ip", "192.0.2.7", True),
        ("-verify_hostname", "evil.example.org", False),
        ("-verify_ip", "192.0.2.8", False),
    ):
        done = subprocess.run([*verify, option, name, str(tmp_path / "server.pem")], capture_output=True)
        assert (done.returncode == 0) is good, (name, done.stderr)
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", str(one.authority_file)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout.strip().split("=")[1] == one.fingerprint


def test_keys_are_their_owners_alone(tmp_path: Path) -> None:
    made(tmp_path / "tls")
    assert (tmp_path / "tls").stat().st_mode & 0o077 == 0
    for key in (tmp_path / "tls").iterdir():
        assert key.stat().st_mode & 0o077 == 0, key


def test_it_is_made_anew_in_time_and_for_other_names_under_the_same_authority(tmp_path: Path) -> None:
    first = made(tmp_path)
    print_, ends = first.fingerprint, first.ends
    server = (tmp_path / "server.pem").read_bytes()
    assert ends - NOW == datetime.timedelta(days=397)
    made(tmp_path)
    assert (tmp_path / "server.pem").read_bytes() == server
    made(tmp_path, now=ends - datetime.timedelta(days=RENEW_DAYS, hours=-1))
    renewed = (tmp_path / "server.pem").read_bytes()
    assert renewed != server
    again = made(tmp_path, "other.example.org", now=ends - datetime.timedelta(days=RENEW_DAYS))
    assert (tmp_path / "server.pem").read_bytes() != renewed
    assert again.fingerprint == print_
    with pytest.raises(StorageError, match="ends"):
        made(tmp_path, now=NOW + datetime.timedelta(days=3640))


def test_a_crash_between_key_and_certificate_is_mended_at_the_next_start(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "server.pem").unlink()
    made(tmp_path).context()


@pytest.mark.parametrize("name", ["a b", "http://x", "x/y", "*.example.org", "", "ñ.example"])
def test_a_name_that_is_none_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="names"):
        made(tmp_path, name)


def test_beyond_the_loopback_only_with_tls(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="loopback only"):
        bind("0.0.0.0", 0)  # noqa: S104
    bind("0.0.0.0", 0, tls=True).close()  # noqa: S104
    from shiprider.bootstrap.certificates import own_certificates

    assert own_certificates(tmp_path, Settings()) is None
    for api in (ApiSettings(listen="0.0.0.0:8443"), ApiSettings(host="192.0.2.7"), ApiSettings(tls=True)):
        assert own_certificates(tmp_path, Settings(api=api)) is not None


@pytest.mark.parametrize(
    "text",
    ['[access]\ndemo = true\n[api]\nlisten = "0.0.0.0:8443"', '[access]\ndemo = true\n[api]\nhost = "192.0.2.7"',
     '[api]\nlisten = "8443"', '[api]\nlisten = "0.0.0.0:99999"', "[access]\npurposes = []", "[access]\nidle_min = 0",
     '[[access.providers]]\nname = "a"\nissuer = "ftp://x"\nclient_id = "c"',
     '[[access.providers]]\nname = "a"\nissuer = "http://idp.example"\nclient_id = "c"',
     '[[access.providers]]\nname = "a b"\nissuer = "https://x"\nclient_id = "c"',
     '[[access.providers]]\nname = "a"\nissuer = "https://x"\nclient_id = ""',
     '[[access.providers]]\nname = "a"\nissuer = "https://x"\nclient_id = "c"\nroles = {g = ["king"]}'],
)  # fmt: skip
def test_settings_that_cannot_be_meant_are_one_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="settings"):
        parse(text, "settings")


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, OwnCertificates]]:
    folder = tmp_path_factory.mktemp("node")
    with people.floor(folder, data=False) as one:
        one.add("ana", "watch_officer")
        one.give_password("ana")
        certificates = OwnCertificates(folder / "tls", node="n", names=("watch.example.org",))
        server = Server(
            one.site, host="127.0.0.1", port=0, names=certificates.names, tls=certificates.context
        )
        server.start()
        one.server.stop()
        one.server = server
        yield one, certificates


def test_a_person_signs_in_over_tls_with_a_cookie_of_this_host_alone(floor: Any, people: Any) -> None:
    import time

    one, certificates = floor
    trusted = ssl.create_default_context(cafile=str(certificates.authority_file))
    origin = f"https://localhost:{one.server.port}"
    with httpx.Client(base_url=origin, verify=trusted, headers={"origin": origin}) as client:
        body = {"login": "ana", "password": people.PASSWORD, "purpose": "watch"}
        code = people.authenticator(people.SEED, time.time())
        answer = client.post("/api/v1/sign-in/password", json={**body, "code": code})
        assert answer.status_code == 200, answer.text
        cookie = answer.headers["set-cookie"]
        assert (
            cookie.startswith("__Host-shiprider_session=") and "; Secure" in cookie and "Domain" not in cookie
        )
        assert client.get("/api/v1/alerts").status_code == 200
        assert f"wss://localhost:{one.server.port}" in answer.headers["content-security-policy"]
        # The unprefixed name of the loopback is none here.
        value = cookie.split("=", 1)[1].split(";", 1)[0]
        headers = {"cookie": f"shiprider_session={value}"}
        assert httpx.get(f"{origin}/api/v1/session", verify=trusted, headers=headers).status_code == 401
        named = {"host": f"watch.example.org:{one.server.port}"}
        assert (
            client.get(
                "/api/v1/alerts", headers={**named, "origin": f"https://watch.example.org:{one.server.port}"}
            ).status_code
            == 200
        )
        assert (
            client.get("/api/v1/alerts", headers={"host": f"evil.example:{one.server.port}"}).status_code
            == 421
        )
        assert (
            client.get("/api/v1/alerts", headers={"origin": origin.replace("https", "http")}).status_code
            == 403
        )
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{origin}/")
    with pytest.raises(httpx.TransportError):
        httpx.get(origin.replace("https", "http"), timeout=5)


def test_a_renewed_certificate_is_given_to_the_next_who_comes(floor: Any) -> None:
    one, certificates = floor

    def serial() -> Any:
        trusted = ssl.create_default_context(cafile=str(certificates.authority_file))
        with (
            socket.create_connection(("127.0.0.1", one.server.port), timeout=10) as line,
            trusted.wrap_socket(line, server_hostname="localhost") as secure,
        ):
            return secure.getpeercert()["serialNumber"]  # type: ignore[index]

    before = serial()
    assert certificates.renew() is False
    (certificates._folder / "server.pem").unlink()
    assert certificates.renew() is True
    assert serial() != before


def test_the_token_opens_from_this_machine_alone(floor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    one, certificates = floor
    from shiprider.api import gate

    trusted = ssl.create_default_context(cafile=str(certificates.authority_file))
    ask = {"authorization": f"Bearer {one.server.token}"}
    place = f"https://127.0.0.1:{one.server.port}/api/v1/status"
    assert httpx.get(place, verify=trusted, headers=ask).status_code == 200
    monkeypatch.setattr(gate, "_address", lambda scope: "192.0.2.9")
    assert httpx.get(place, verify=trusted, headers=ask).status_code == 401
