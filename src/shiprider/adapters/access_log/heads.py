"""Signed heads of the access log: the newest beside every acknowledgement, and a history of them.

Always true: `head` is written and synced after the lines and before they are acknowledged; one of its two
slots is whole whatever happens; `heads.log` only grows; a slot or line that does not parse where nothing
newer is whole means that the log is in doubt, never that it is empty.
"""

import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from shiprider.adapters.access_log.disk import open_file, write_all
from shiprider.model.access_chain import head_bytes
from shiprider.model.errors import CorruptStore
from shiprider.ports.access_log import SignedHead
from shiprider.ports.ledger import Head
from shiprider.ports.signing import Checker, Signer

_SLOT: Final = 4096
_DECODE: Final = msgspec.json.Decoder(SignedHead).decode


def signed(origin: str, head: Head, at_us: int, signer: Signer | None) -> SignedHead:
    """A head with its signature, where there is a key."""
    made = SignedHead(origin=origin, sequence=head.sequence, hash=head.hash, at_us=at_us)
    if signer is None:
        return made
    message = head_bytes(origin, head.sequence, head.hash, at_us)
    key, signature = signer.sign(message)
    return msgspec.structs.replace(made, key=key, signature=signature.hex())


def trusted(head: SignedHead, origin: str, check: Checker | None) -> bool:
    """Whether a head is this node's and signed by one of its keys; without `check` only the first is asked."""
    if head.origin != origin:
        return False
    if check is None:
        return True
    try:
        signature = bytes.fromhex(head.signature)
    except ValueError:
        return False
    return check(head.key, head_bytes(head.origin, head.sequence, head.hash, head.at_us), signature)


def read_history(path: Path) -> tuple[list[SignedHead], int]:
    """Whole lines of `heads.log` and how many bytes they are. Raises CorruptStore, OSError."""
    found: list[SignedHead] = []
    data = path.read_bytes() if path.exists() else b""
    at = 0
    while (stop := data.find(b"\n", at)) >= 0:
        line = data[at:stop]
        try:
            found.append(_DECODE(line))
        except (msgspec.DecodeError, UnicodeDecodeError):
            line = b""
        # Only the one way of writing it counts: another is somebody else's.
        if (
            not line
            or msgspec.json.encode(found[-1]) != line
            or found[-1].signature.lower() != found[-1].signature
        ):
            raise CorruptStore(f"{path} is damaged at line {len(found)}: restore it from a back-up.")
        at = stop + 1
    return found, at


def read_slots(data: bytes) -> tuple[SignedHead | None, int]:
    """The newest whole slot of `head`, and which it is (-1: none)."""
    found: list[tuple[int, int, SignedHead]] = []
    for slot in (0, 1):
        raw = data[slot * _SLOT : (slot + 1) * _SLOT].rstrip(b"\0")
        body, _, crc = raw.rpartition(b" ")
        if body and crc == b"%08x" % zlib.crc32(body):
            head = _DECODE(body)
            found.append((head.sequence, slot, head))
    if not found:
        return None, -1
    _, slot, head = max(found, key=lambda each: each[:2])
    return head, slot


class Heads:
    """Both files of one log. `sign` gives a head its signature."""

    def __init__(self, folder: Path, sign: Callable[[Head], SignedHead]) -> None:
        self._sign = sign
        self._slot_path, self._history_path = folder / "head", folder / "heads.log"
        self.history, self._end = read_history(self._history_path)
        self._slots = open_file(self._slot_path)
        self._log = open_file(self._history_path)
        os.ftruncate(self._log, self._end)
        if os.fstat(self._slots).st_size < 2 * _SLOT:
            # The room is taken now, so that a full disk is met by a line, never between a line and its head.
            write_all(self._slots, b"\0" * 2 * _SLOT, 0)
            os.fsync(self._slots)
        data = os.pread(self._slots, 2 * _SLOT, 0)
        self.newest, slot = read_slots(data)
        if self.newest is None and (any(data) or self.history):
            raise CorruptStore(f"{self._slot_path} holds no readable head: restore the log from a back-up.")
        self._next = 1 - slot if slot >= 0 else 0

    def acknowledge(self, head: Head) -> None:
        """Keep the newest head; durable on return. Raises OSError."""
        made = self._sign(head)
        body = msgspec.json.encode(made)
        data = (body + b" %08x" % zlib.crc32(body)).ljust(_SLOT, b"\0")
        try:
            write_all(self._slots, data, self._next * _SLOT)
            os.fdatasync(self._slots)
        except OSError:
            # What is not acknowledged must not be claimed: the other slot holds.
            os.pwrite(self._slots, b"\0" * _SLOT, self._next * _SLOT)
            raise
        self._next = 1 - self._next
        self.newest = made

    def keep(self) -> None:
        """The newest head into the history, durable on return. Raises OSError; then nothing was added."""
        if self.newest is None or (self.history and self.history[-1].sequence == self.newest.sequence):
            return
        line = msgspec.json.encode(self.newest) + b"\n"
        try:
            write_all(self._log, line, self._end)
            os.fsync(self._log)
        except OSError:
            os.ftruncate(self._log, self._end)
            raise
        self._end += len(line)
        self.history.append(self.newest)

    def close(self) -> None:
        """Let go."""
        os.close(self._slots)
        os.close(self._log)
