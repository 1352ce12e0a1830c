"""Fetching from a provider: only hosts that the operator named, only addresses that he allowed.

Always true: an address is resolved once, checked, and then connected to, so that a name cannot point
elsewhere in between; redirects are not followed; an answer is small and comes in time.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

import httpcore
import httpx

from shiprider.adapters.checked_network import CheckedNetwork
from shiprider.model.errors import Forbidden

#: A discovery document or a set of keys is a few kilobytes.
MOST_BYTES: Final = 512 * 1024
_TIMEOUT_S: Final = 10.0


class Fetcher:
    """GET and POST to the hosts of one provider. Raises Forbidden."""

    def __init__(self, name: str, origins: Sequence[str], private_addresses: Sequence[str]) -> None:
        self._name = name
        self._origins = frozenset(origins)
        networks = [ipaddress.ip_network(each, strict=False) for each in private_addresses]
        # An issuer that is written as an address was named by the operator himself.
        for origin in origins:
            try:
                networks.append(ipaddress.ip_network((urlsplit(origin).hostname or "").strip("[]")))
            except ValueError:
                continue
        transport = httpx.HTTPTransport(retries=0)
        transport._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(), network_backend=CheckedNetwork(networks)
        )
        self._client = httpx.Client(
            transport=transport, follow_redirects=False, timeout=_TIMEOUT_S, trust_env=False
        )

    def check(self, url: object) -> str:
        """An address that may be asked. Raises Forbidden."""
        if isinstance(url, str) and origin_of(url) in self._origins and "@" not in urlsplit(url).netloc:
            return url
        raise Forbidden(
            f"The provider {self._name} names an address that the settings do not: list its host under `hosts`."
        )

    def get(self, url: object) -> Mapping[str, Any]:
        """A JSON object."""
        return self._ask("GET", self.check(url))

    def post(self, url: object, form: Mapping[str, str], auth: tuple[str, str] | None) -> Mapping[str, Any]:
        """A JSON object for a form."""
        return self._ask("POST", self.check(url), data=dict(form), auth=auth)

    def _ask(self, method: str, url: str, **more: Any) -> Mapping[str, Any]:
        try:
            with self._client.stream(method, url, headers={"accept": "application/json"}, **more) as answer:
                if answer.status_code != 200:
                    raise self._failed(f"answered {answer.status_code}")
                content = b""
                for block in answer.iter_bytes():
                    content += block
                    if len(content) > MOST_BYTES:
                        raise self._failed("answered too much")
            found = httpx.Response(200, content=content).json()
        except (httpx.HTTPError, httpcore.ConnectError, ValueError, RecursionError) as error:
            raise self._failed("does not answer as it should") from error
        if not isinstance(found, dict):
            raise self._failed("answered no object")
        return found

    def _failed(self, how: str) -> Forbidden:
        return Forbidden(f"The provider {self._name} {how}: try again, or sign in another way.")


def origin_of(url: str) -> str:
    """Scheme, host and port."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
