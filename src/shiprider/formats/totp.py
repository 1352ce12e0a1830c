"""Time-based one-time passwords (RFC 6238 over RFC 4226), SHA-1, six digits, steps of 30 s: what authenticators speak.

Always true: codes are compared in constant time, and all steps of the window are compared.
"""

import base64
import hashlib
import hmac
from typing import Final
from urllib.parse import quote, urlencode

STEP_S: Final = 30
DIGITS: Final = 6

#: Steps before and after now that are taken: clocks of telephones differ (RFC 6238, 5.2).
WINDOW: Final = 1

#: RFC 4226, 4, R6: 160 bits.
SEED_BYTES: Final = 20


def code_at(seed: bytes, step: int, *, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """The code of one step (RFC 4226, 5.3)."""
    digest = hmac.new(seed, step.to_bytes(8, "big"), getattr(hashlib, algorithm)).digest()
    at = digest[-1] & 0x0F
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFF_FFFF
    return str(number % 10**digits).zfill(digits)


def step_of(seed: bytes, code: str, now_us: int) -> int | None:
    """The step whose code it is, within the window; None where it is none."""
    given = "".join(code.split()).encode("utf-8", "replace")
    now = now_us // (STEP_S * 1_000_000)
    found = None
    for step in range(now - WINDOW, now + WINDOW + 1):
        if hmac.compare_digest(code_at(seed, step).encode(), given):
            found = step
    return found


def base32(seed: bytes) -> str:
    """As people type it into an authenticator."""
    return base64.b32encode(seed).decode().rstrip("=")


def address(seed: bytes, login: str, node: str) -> str:
    """The `otpauth://` address that an authenticator takes."""
    label = quote(f"Shiprider {node}:{login}", safe="")
    return f"otpauth://totp/{label}?{urlencode({'secret': base32(seed), 'issuer': f'Shiprider {node}'})}"
