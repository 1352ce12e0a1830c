"""Bytes sealed by a passphrase: scrypt (RFC 7914) makes the key, AES-256-GCM (NIST SP 800-38D) seals.

Always true: salt and nonce are new each time; a wrong passphrase or a changed byte is told, never guessed.
"""

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from shiprider.model.errors import CorruptStore, UsageError

_MAGIC: Final = b"shiprider-sealed-1\n"

#: About 64 MiB and a tenth of a second; OWASP's password storage page asks for at least this.
_COST: Final = {"n": 1 << 16, "r": 8, "p": 1}

#: A passphrase shorter than this can be guessed from a stolen back-up.
LEAST_CHARACTERS: Final = 12


def seal(data: bytes, passphrase: bytes, *, least: int = LEAST_CHARACTERS) -> bytes:
    """The sealed bytes. Raises UsageError where the passphrase is too short."""
    if len(passphrase) < least:
        raise UsageError(f"The passphrase is too short: use at least {least} characters.")
    salt, nonce = os.urandom(16), os.urandom(12)
    return _MAGIC + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, data, _MAGIC)


def is_sealed(data: bytes) -> bool:
    """Whether these bytes say that they are sealed."""
    return data.startswith(_MAGIC)


def unseal(sealed: bytes, passphrase: bytes) -> bytes:
    """The bytes. Raises CorruptStore, UsageError where the passphrase is not the one."""
    start = len(_MAGIC)
    if sealed[:start] != _MAGIC or len(sealed) < start + 44:
        raise CorruptStore("The sealed keys are damaged: use another back-up.")
    salt, nonce = sealed[start : start + 16], sealed[start + 16 : start + 28]
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(nonce, sealed[start + 28 :], _MAGIC)
    except InvalidTag:
        raise UsageError(
            "The keys cannot be opened: the passphrase is not the one they were sealed with, or they were changed."
        ) from None


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, **_COST).derive(passphrase)
