"""Ed25519 keys in the node's folder: `public.json`, and one private key file, readable by its owner only.

Always true: a private key is on the disk before its public half is named; the list is replaced as a
whole, so after a crash either the old or the new state is there; the private half of a retired key is
removed; with a passphrase no private key lies in the clear.
"""

import errno
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec.structs import replace

from shiprider.model.errors import Conflict, CorruptStore, DiskFull, StorageError, UsageError
from shiprider.model.signing_key import SigningKey, endorsement_bytes, key_id_of

_LIST: Final = "public.json"


class _Signer:
    """The active key, held."""

    def __init__(self, key: SigningKey, private: Ed25519PrivateKey) -> None:
        self.key_id = key.key_id
        self.from_us = key.from_us
        self.last_us = key.from_us
        self._private = private

    def sign(self, message: bytes, at_us: int) -> bytes:
        """See `ports.keys.Signer.sign`."""
        if at_us < self.from_us:
            raise Conflict(f"The key {self.key_id} signs only since {self.from_us}: record it later.")
        self.last_us = max(self.last_us, at_us)
        return self._private.sign(message)


class FileKeys:
    """`ports.keys.Keys` in a folder; the first opening makes the first key.

    `passphrase` encrypts private keys (PKCS 8, as the installed OpenSSL does best). Raises UsageError where
    the passphrase is missing or wrong, CorruptStore where the keys contradict each other, StorageError.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], int], passphrase: bytes | None = None) -> None:
        self._folder = folder
        self._passphrase = passphrase or None
        self._lock = threading.RLock()
        self._signer: _Signer | None = None
        with self._storage_errors():
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o700)
            _sync_folder(folder.parent)
            self._keys = self._read()
            if not self._keys:
                private, key = self._new(from_us=clock())
                self._write(private, [replace(key, state="active")])
            self._tidy()
        self._checkers = {each.key_id: _checker(each) for each in self._keys}
        self._check_list()
        with suppress(FileNotFoundError):
            self._signer = _Signer(self._active(), self._load(self._active().key_id))

    # -- using ----------------------------------------------------------------------------------------

    @contextmanager
    def signing(self) -> Iterator[_Signer]:
        """See `ports.keys.Keys.signing`."""
        with self._lock:
            if self._signer is None:
                raise StorageError(
                    f"The signing key {self._active().key_id} is not in {self._folder}: restore it from a back-up, "
                    "or write it off as lost."
                )
            yield self._signer

    def public(self) -> Sequence[SigningKey]:
        """See `ports.keys.Keys.public`."""
        with self._lock:
            return tuple(self._keys)

    def check(self, key_id: str, message: bytes, signature: bytes, at_us: int | None = None) -> bool:
        """See `ports.keys.Keys.check`."""
        with self._lock:
            key = next((each for each in self._keys if each.key_id == key_id), None)
            checker = self._checkers.get(key_id)
        if key is None or checker is None or (at_us is not None and not key.valid_at(at_us)):
            return False
        return _signed(checker, message, signature)

    # -- changing -------------------------------------------------------------------------------------

    def prepare(self) -> SigningKey:
        """See `ports.keys.Keys.prepare`. One that was prepared before is given again."""
        with self.signing() as signer, self._storage_errors():
            ready = next((each for each in self._keys if each.state == "prepared"), None)
            if ready is not None:
                return ready
            private, key = self._new(from_us=signer.last_us)
            public = bytes.fromhex(key.public)
            endorsement = signer.sign(endorsement_bytes(signer.key_id, public), signer.last_us)
            key = replace(key, predecessor=signer.key_id, endorsement=endorsement.hex())
            self._write(private, [*self._keys, key])
            return key

    def activate(self, at_us: int) -> SigningKey:
        """See `ports.keys.Keys.activate`."""
        with self.signing() as signer, self._storage_errors():
            ready = next((each for each in self._keys if each.state == "prepared"), None)
            if ready is None:
                raise Conflict("No next key was prepared: prepare it first.")
            at_us = max(at_us, signer.last_us)
            private = self._load(ready.key_id)
            changed = {
                signer.key_id: replace(self._active(), state="retired", to_us=at_us),
                ready.key_id: replace(ready, state="active", from_us=at_us),
            }
            self._write(private, [changed.get(each.key_id, each) for each in self._keys])
            self._tidy()
            return self._active()

    def lost(self, at_us: int, reason: str) -> SigningKey:
        """See `ports.keys.Keys.lost`."""
        if not reason.strip():
            raise UsageError("A lost key needs its reason: say what happened.")
        with self._lock, self._storage_errors():
            gone = self._active()
            at_us = max(at_us, gone.from_us, self._signer.last_us if self._signer else 0)
            private, key = self._new(from_us=at_us)
            key = replace(key, state="active", predecessor=gone.key_id)
            # One that the lost key endorsed and nobody used is no longer to be trusted either.
            kept = [each for each in self._keys if each.state != "prepared"]
            written_off = replace(gone, state="lost", to_us=at_us, reason=reason)
            self._write(private, [written_off if each is gone else each for each in kept] + [key])
            self._tidy()
            return self._active()

    # -- files ----------------------------------------------------------------------------------------

    def _active(self) -> SigningKey:
        return next(each for each in self._keys if each.state == "active")

    def _new(self, from_us: int) -> tuple[Ed25519PrivateKey, SigningKey]:
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes_raw()
        return private, SigningKey(
            key_id=key_id_of(public), public=public.hex(), state="prepared", from_us=from_us
        )

    def _read(self) -> list[SigningKey]:
        path = self._folder / _LIST
        try:
            found = msgspec.json.decode(path.read_bytes(), type=list[SigningKey])
        except FileNotFoundError:
            return []
        except msgspec.DecodeError as error:
            raise CorruptStore(f"{path} is damaged ({error}): restore it from a back-up.") from error
        if (
            sum(each.state == "active" for each in found) != 1
            or sum(e.state == "prepared" for e in found) > 1
        ):
            raise CorruptStore(f"{path} does not name exactly one active key: restore it from a back-up.")
        return found

    def _check_list(self) -> None:
        """Every key is under its own id, and was endorsed unless it is the first or follows a lost one."""
        before: dict[str, SigningKey] = {}
        for number, key in enumerate(self._keys):
            old = before.get(key.predecessor)
            public = bytes.fromhex(key.public)
            if key.endorsement and old is not None:
                message = endorsement_bytes(old.key_id, public)
                good = _signed(self._checkers[old.key_id], message, bytes.fromhex(key.endorsement))
            else:
                good = number == 0 or (old is not None and old.state == "lost")
            if not good or key.key_id != key_id_of(public):
                raise CorruptStore(
                    f"{self._folder / _LIST} names the key {key.key_id}, which nothing before it endorsed: restore "
                    "it from a back-up."
                )
            before[key.key_id] = key

    def _load(self, key_id: str) -> Ed25519PrivateKey:
        path = self._folder / f"{key_id}.pem"
        data = path.read_bytes()
        path.chmod(0o600)
        clear = b"BEGIN PRIVATE KEY" in data
        if not clear and self._passphrase is None:
            raise UsageError(f"{path} is encrypted: give its passphrase (settings: [keys] passphrase_file).")
        try:
            private = serialization.load_pem_private_key(data, None if clear else self._passphrase)
        except ValueError as error:
            if clear:
                raise CorruptStore(f"{path} is damaged: restore it from a back-up.") from error
            raise UsageError(f"The passphrase does not open {path}: check it.") from error
        except (TypeError, UnsupportedAlgorithm) as error:
            raise CorruptStore(f"{path} is no private key: restore it from a back-up.") from error
        if (
            not isinstance(private, Ed25519PrivateKey)
            or key_id_of(private.public_key().public_bytes_raw()) != key_id
        ):
            raise CorruptStore(f"{path} is not the private key {key_id}: restore it from a back-up.")
        if clear and self._passphrase is not None:  # a passphrase was set since: no key stays in the clear
            self._write_private(private, key_id)
        return private

    def _write(self, private: Ed25519PrivateKey, keys: Sequence[SigningKey]) -> None:
        """The private half, then the list that names it; both synced."""
        self._write_private(private, key_id_of(private.public_key().public_bytes_raw()))
        self._replace(self._folder / _LIST, msgspec.json.format(msgspec.json.encode(list(keys))))
        self._keys = list(keys)
        self._checkers = {each.key_id: _checker(each) for each in self._keys}
        active = self._active()
        if active.public == private.public_key().public_bytes_raw().hex():
            self._signer = _Signer(active, private)

    def _write_private(self, private: Ed25519PrivateKey, key_id: str) -> None:
        data = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(self._passphrase)
            if self._passphrase
            else serialization.NoEncryption(),
        )
        self._replace(self._folder / f"{key_id}.pem", data)

    def _replace(self, path: Path, data: bytes) -> None:
        beside = path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(handle, data)
            os.fsync(handle)
        finally:
            os.close(handle)
        beside.replace(path)
        _sync_folder(self._folder)

    def _tidy(self) -> None:
        """Private halves that sign no more, and what a crash left half done."""
        kept = {f"{each.key_id}.pem" for each in self._keys if each.state in ("active", "prepared")}
        for path in self._folder.iterdir():
            if (path.suffix == ".pem" and path.name not in kept) or path.suffix == ".new":
                path.unlink(missing_ok=True)

    @contextmanager
    def _storage_errors(self) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            raise
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise DiskFull(f"The disk of {self._folder} is full: free space and try again.") from error
            raise StorageError(
                f"{self._folder} cannot be used for keys ({error.strerror or error}): check the disk and its rights."
            ) from error


def _sync_folder(folder: Path) -> None:
    directory = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def ed25519_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the key of these 32 public bytes signed the message; False where they are no key."""
    try:
        return _signed(Ed25519PublicKey.from_public_bytes(public), message, signature)
    except ValueError:
        return False


def _checker(key: SigningKey) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public))
    except ValueError as error:
        raise CorruptStore(
            f"The public key {key.key_id} is damaged: restore the keys from a back-up."
        ) from error


def _signed(checker: Ed25519PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        checker.verify(signature, message)
    except InvalidSignature:
        return False
    return True
