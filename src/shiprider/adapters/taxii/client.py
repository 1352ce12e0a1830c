"""A TAXII 2.1 server of others, read (OASIS, 2021-06-10).

Always true: only the host that the operator named is asked, at an address that is public or that he allowed; a redirect
is refused, and so is a server that sends elsewhere in its own words; an answer is bounded in size and time, and
so is how many there are.
"""

import ipaddress
import re
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from shiprider.adapters.checked_network import CheckedNetwork
from shiprider.model.errors import Forbidden, InputError, LinkDown, UsageError
from shiprider.ports.foreign_source import ForeignPage

MEDIA_TYPE: Final = "application/taxii+json;version=2.1"
#: Of one answer, bytes; of one reading, pages and collections: what another can make us hold and wait for.
MOST_BYTES: Final = 16 << 20
MOST_PAGES: Final = 10_000
MOST_COLLECTIONS: Final = 200
_TIMEOUT_S: Final = 20.0
#: From the first byte of an answer to its last: one that drips does not hold us.
_WHOLE_S: Final = 120.0
_ADDED_LAST: Final = "x-taxii-date-added-last"
_MOMENT: Final = re.compile(r"[0-9T:.Z+-]{10,40}")


class TaxiiClient:
    """See `ports.foreign_source.ForeignSource`. `url` is of a discovery, an API root or a collection.

    `login` and `secret` are sent as Basic, a secret alone as Bearer. `authority` is a file of certificates to trust
    instead of the usual ones. Raises UsageError.
    """

    def __init__(
        self,
        url: str,
        *,
        login: str = "",
        secret: str = "",
        private_addresses: Sequence[str] = (),
        authority: str = "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            parts = urlsplit(url)
        except ValueError:
            parts = urlsplit("")
        if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
            raise UsageError(
                f"{url[:200]!r} is no address of a TAXII server: write it as https://host/taxii2/, without name and password."
            )
        try:
            networks = [ipaddress.ip_network(each, strict=False) for each in private_addresses]
        except ValueError as error:
            raise UsageError(
                f"A private address cannot be meant ({error}): write 10.1.0.0/16 for example."
            ) from None
        loopback = parts.hostname in ("127.0.0.1", "::1", "localhost")
        if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
            raise UsageError(f"{url[:200]!r} is not encrypted, and a secret goes there: use https.")
        self._url = url if url.endswith("/") else f"{url}/"
        self._origin = _origin(url)
        self._clock = clock
        headers = {"accept": MEDIA_TYPE, "accept-encoding": "identity"}
        if secret and not login:
            headers["authorization"] = f"Bearer {secret}"
        try:
            trusted = (
                ssl.create_default_context(cafile=authority) if authority else httpx.create_ssl_context()
            )
        except (OSError, ssl.SSLError) as error:
            raise UsageError(
                f"{authority} holds no certificates to trust ({error}): check the file."
            ) from error
        transport = httpx.HTTPTransport(retries=0)
        transport._pool = httpcore.ConnectionPool(
            ssl_context=trusted, network_backend=CheckedNetwork(networks)
        )
        self._client = httpx.Client(
            transport=transport,
            follow_redirects=False,
            timeout=_TIMEOUT_S,
            trust_env=False,
            headers=headers,
            auth=(login, secret) if login else None,
        )

    def pages(self, since: str = "") -> Iterator[ForeignPage]:
        """See `ports.foreign_source.ForeignSource.pages`."""
        for collection in self._collections():
            yield from self._pages_of(collection, since)

    def close(self) -> None:
        """Let go."""
        self._client.close()

    # -- what is there --------------------------------------------------------------------------------

    def _collections(self) -> list[str]:
        """Addresses of the collections that may be read."""
        found = self._object(self._url)
        if "api_roots" in found:
            roots = [self._within(self._url, each) for each in _texts(found["api_roots"])]
            return [each for root in roots for each in self._of_root(root)]
        if "can_read" in found:
            return [self._url] if found["can_read"] is True else []
        return self._of_root(self._url)

    def _of_root(self, root: str) -> list[str]:
        listed = self._object(urljoin(root, "collections/")).get("collections", [])
        found = []
        for each in listed if isinstance(listed, list) else []:
            id_ = each.get("id") if isinstance(each, dict) else None
            if (
                isinstance(id_, str)
                and each.get("can_read") is True
                and re.fullmatch(r"[0-9a-zA-Z-]{1,80}", id_)
            ):
                found.append(urljoin(root, f"collections/{id_}/"))
        if len(found) > MOST_COLLECTIONS:
            raise InputError(
                f"{root} has {len(found)} collections, more than {MOST_COLLECTIONS}: name the address of one."
            )
        return found

    def _pages_of(self, collection: str, since: str) -> Iterator[ForeignPage]:
        after, cursor, given = since, "", set[tuple[str, str]]()
        for _ in range(MOST_PAGES):
            asked = {name: value for name, value in (("added_after", after), ("next", cursor)) if value}
            data, headers = self._ask(urljoin(collection, "objects/"), asked)
            last = headers.get(_ADDED_LAST, "")
            last = last if _MOMENT.fullmatch(last) else ""
            yield ForeignPage(collection, data, last)
            told = _read(data)
            if told is None or told.get("more") is not True:
                return
            following = told.get("next")
            # Where there is no cursor, one goes on after the last date (TAXII 2.1, 3.5).
            after, cursor = (after, following) if isinstance(following, str) and following else (last, "")
            if (after, cursor) in given or not (after or cursor):
                raise InputError(f"{collection} says that there is more and not where: ask who runs it.")
            given.add((after, cursor))
        raise InputError(
            f"{collection} has more than {MOST_PAGES:,} pages: read it from a later time (--since)."
        )

    # -- asking ---------------------------------------------------------------------------------------

    def _within(self, base: str, given: str) -> str:
        """An address that a server names, on the same host. Raises Forbidden."""
        try:
            url = urljoin(base, given)
            foreign = _origin(url) != self._origin or "@" in urlsplit(url).netloc
        except ValueError:
            foreign = True
        if foreign:
            raise Forbidden(
                f"{self._url} sends to another host ({given[:200]!r}): import from there by its own address, if you trust it."
            )
        return url if url.endswith("/") else f"{url}/"

    def _object(self, url: str) -> dict[str, Any]:
        found = _read(self._ask(url, {})[0])
        if found is None:
            raise InputError(f"{url} answered no object of TAXII: check the address.")
        return found

    def _ask(self, url: str, query: dict[str, str]) -> tuple[bytes, httpx.Headers]:
        begun = self._clock()
        try:
            with self._client.stream("GET", url, params=query) as answer:
                if answer.is_redirect:
                    raise Forbidden(
                        f"{url} sends elsewhere, and nothing is followed: name the address it is at."
                    )
                if answer.status_code != 200:
                    raise LinkDown(
                        f"{url} answered {answer.status_code}: check the address, the login and the token."
                    )
                kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
                if kind not in ("application/taxii+json", "application/json"):
                    raise InputError(f"{url} answered {kind[:80]!r}, which is not TAXII: check the address.")
                if answer.headers.get("content-encoding", "identity").lower() != "identity":
                    raise InputError(f"{url} answered packed, which was not asked for: ask who runs it.")
                parts, length = list[bytes](), 0
                for block in answer.iter_raw():
                    parts.append(block)
                    length += len(block)
                    if length > MOST_BYTES:
                        raise InputError(
                            f"{url} answered more than {MOST_BYTES:,} bytes at once: ask who runs it."
                        )
                    if self._clock() - begun > _WHOLE_S:
                        raise LinkDown(
                            f"{url} takes longer than {_WHOLE_S:.0f} s for an answer: try again later."
                        )
                return b"".join(parts), answer.headers
        except (httpx.HTTPError, httpx.InvalidURL, httpcore.ConnectError, OSError, UnicodeError) as error:
            raise LinkDown(
                f"{url} cannot be reached ({str(error)[:200]}): check the address and the way to it."
            ) from error


def _origin(url: str) -> tuple[str, str, int]:
    parts = urlsplit(url)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = 0
    return parts.scheme, (parts.hostname or "").lower(), port


def _texts(given: Any) -> list[str]:
    return (
        [each for each in given if isinstance(each, str)][:MOST_COLLECTIONS]
        if isinstance(given, list)
        else []
    )


def _read(data: bytes) -> dict[str, Any] | None:
    try:
        found = httpx.Response(200, content=data).json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
