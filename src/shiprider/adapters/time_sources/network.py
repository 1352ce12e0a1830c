"""How far the node's clock is off, by a time source that the operator names: NTP or an HTTP server.

Always true: nothing is asked that was not named; an answer that cannot be one is an error, not an offset.
"""

import email.utils
import http.client
import socket
import struct
import time
from typing import Final
from urllib.parse import urlsplit

from shiprider.model.errors import StorageError, UsageError

_TIMEOUT_S: Final = 5.0

#: Seconds from 1900 to 1970 (RFC 5905, figure 4).
_ERA_S: Final = 2_208_988_800

#: Version 4, client (RFC 5905, section 7.3).
_CLIENT: Final = b"\x23"


def offset_s(source: str) -> float:
    """Seconds that the source is ahead of this machine's clock: `ntp://host`, `http://host` or `https://host`.

    HTTP tells whole seconds. Raises UsageError, StorageError.
    """
    parts = urlsplit(source)
    if parts.scheme not in ("ntp", "http", "https") or not parts.hostname:
        raise UsageError(f"The time source {source!r} is none: write ntp://host or https://host.")
    try:
        if parts.scheme == "ntp":
            return _ntp(parts.hostname, parts.port or 123)
        return _http(parts.scheme, parts.hostname, parts.port)
    except (OSError, http.client.HTTPException, ValueError, struct.error) as error:
        raise StorageError(f"The time source {source} gave no time ({error}): try another.") from error


def _ntp(host: str, port: int) -> float:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(_TIMEOUT_S)
        asking.connect((host, port))
        sent = time.time()
        asking.send(_CLIENT + bytes(39) + _stamp(sent))
        answer = asking.recv(512)
        came = time.time()
    if len(answer) < 48 or answer[0] & 7 != 4 or not 1 <= answer[1] <= 15 or answer[24:32] != _stamp(sent):
        raise ValueError("it is no answer of a synchronised NTP server")
    received, transmitted = (_seconds(answer[at : at + 8]) for at in (32, 40))
    # RFC 5905, section 8.
    return ((received - sent) + (transmitted - came)) / 2.0


def _stamp(seconds: float) -> bytes:
    whole = int(seconds)
    return struct.pack(">II", (whole + _ERA_S) & 0xFFFFFFFF, int((seconds - whole) * 2**32))


def _seconds(stamp: bytes) -> float:
    whole, part = struct.unpack(">II", stamp)
    return float(whole - _ERA_S) + part / 2**32


def _http(scheme: str, host: str, port: int | None) -> float:
    kind = http.client.HTTPSConnection if scheme == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=_TIMEOUT_S)
    try:
        sent = time.time()
        connection.request("HEAD", "/")
        told = connection.getresponse().getheader("Date")
        came = time.time()
    finally:
        connection.close()
    if not told:
        raise ValueError("it tells no date")
    moment = email.utils.parsedate_to_datetime(told).timestamp()
    # The date is cut to the second: its middle is the best guess.
    return moment + 0.5 - (sent + came) / 2.0
