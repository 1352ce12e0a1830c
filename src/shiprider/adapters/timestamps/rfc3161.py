"""A time-stamping authority over HTTP (RFC 3161, section 3.4).

Always true: only the address that the operator named is asked, no other it may send us to; an answer is
bounded in size and time, and refused where it is not over our digest with our nonce.
"""

import secrets
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from shiprider.formats import time_stamp
from shiprider.model.errors import StorageError, UsageError

#: A response with a certificate chain is some kilobytes.
_MOST_BYTES: Final = 64 << 10
_TIMEOUT_S: Final = 20.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


class Rfc3161:
    """See `ports.timestamps.TimeStamper`. Raises UsageError where the address is none."""

    def __init__(self, url: str, *, nonce: Callable[[], int] = lambda: secrets.randbits(63)) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(f"The time-stamping authority {url!r} is no http(s) address: correct it.")
        self._url = url
        self._nonce = nonce
        # No proxies of the environment: only who the operator named is asked.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def stamp(self, digest: bytes) -> bytes:
        """See `ports.timestamps.TimeStamper.stamp`."""
        nonce = self._nonce()
        request = urllib.request.Request(  # noqa: S310 (the scheme is checked above)
            self._url,
            data=time_stamp.request(digest, nonce),
            headers={"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"},
        )
        try:
            with self._opener.open(request, timeout=_TIMEOUT_S) as answer:
                response: bytes = answer.read(_MOST_BYTES + 1)
        except (OSError, urllib.error.HTTPError) as error:
            reason = getattr(error, "reason", None) or error
            raise StorageError(
                f"The time-stamping authority {self._url} gave no answer ({reason})."
            ) from error
        try:
            if len(response) > _MOST_BYTES:
                raise ValueError("the answer is too long")
            stamp = time_stamp.read(response)
        except (ValueError, IndexError, StopIteration) as error:
            raise StorageError(
                f"The time-stamping authority {self._url} answered wrongly ({error})."
            ) from error
        if stamp.digest != digest or stamp.nonce != nonce:
            raise StorageError(
                f"The time-stamping authority {self._url} answered for something else: use another one."
            )
        return response
