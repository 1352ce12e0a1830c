"""Keys in files: made once, readable by their owner, encrypted on wish, replaced and lost without a gap."""

import stat
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shiprider.adapters.keys.files import FileKeys
from shiprider.model.errors import Conflict, CorruptStore, StorageError, UsageError
from shiprider.model.signing_key import SigningKey


def opened(folder: Path, passphrase: bytes | None = None, now: int = 100) -> FileKeys:
    return FileKeys(folder, clock=lambda: now, passphrase=passphrase)


def sign(keys: FileKeys, message: bytes, at_us: int = 200) -> tuple[str, bytes]:
    with keys.signing() as signer:
        return signer.key_id, signer.sign(message, at_us)


def test_the_first_opening_makes_a_key_and_the_next_finds_it(tmp_path: Path) -> None:
    keys = opened(tmp_path / "keys")
    (key,) = keys.public()
    assert (key.state, key.from_us, key.to_us) == ("active", 100, None)
    key_id, signature = sign(keys, b"words")
    # The signature is Ed25519's own, to anybody who has the public bytes.
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(key.public)).verify(signature, b"words")
    again = opened(tmp_path / "keys", now=999)
    assert list(again.public()) == [key]
    assert again.check(key_id, b"words", signature)
    assert not again.check(key_id, b"other words", signature)
    assert not again.check("0" * 32, b"words", signature)
    assert not again.check(key_id, b"words", signature[:-1])
    assert not again.check(key_id, b"words", signature, at_us=99)


def test_only_the_owner_can_read_a_private_key(tmp_path: Path) -> None:
    opened(tmp_path / "keys")
    private = next((tmp_path / "keys").glob("*.pem"))
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    private.chmod(0o644)  # as a restored copy may have it
    opened(tmp_path / "keys")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_with_a_passphrase_no_key_lies_in_the_clear(tmp_path: Path) -> None:
    keys = opened(tmp_path / "keys")
    key_id, signature = sign(keys, b"words")
    assert b"BEGIN PRIVATE KEY" in (tmp_path / "keys" / f"{key_id}.pem").read_bytes()
    opened(tmp_path / "keys", b"a long passphrase")  # set later: the key is encrypted at once
    assert b"BEGIN ENCRYPTED PRIVATE KEY" in (tmp_path / "keys" / f"{key_id}.pem").read_bytes()
    assert sign(opened(tmp_path / "keys", b"a long passphrase"), b"words") == (key_id, signature)
    with pytest.raises(UsageError, match="is encrypted: give its passphrase"):
        opened(tmp_path / "keys")
    with pytest.raises(UsageError, match="passphrase does not open"):
        opened(tmp_path / "keys", b"another")


def test_a_key_is_replaced_and_the_old_one_still_checks(tmp_path: Path) -> None:
    keys = opened(tmp_path / "keys")
    old, before = sign(keys, b"before", 500)
    ready = keys.prepare()
    assert keys.prepare() == ready
    assert sign(keys, b"still the old one")[0] == old
    assert not keys.check(ready.key_id, b"x", b"0" * 64, at_us=500)
    made = keys.activate(400)  # a clock that went back: the old key has signed until 500
    assert (made.key_id, made.state, made.from_us, made.predecessor) == (ready.key_id, "active", 500, old)
    retired, active = keys.public()
    assert (retired.state, retired.to_us) == ("retired", 500)
    # Named by the one before: anybody can follow the line of keys.
    message = b"shiprider-successor-1," + bytes.fromhex(old) + bytes.fromhex(active.public)
    Ed25519PublicKey.from_public_bytes(bytes.fromhex(retired.public)).verify(
        bytes.fromhex(active.endorsement), message
    )
    new, after = sign(keys, b"after", 600)
    assert new == active.key_id
    again = opened(tmp_path / "keys")
    assert again.check(old, b"before", before, at_us=500) and again.check(new, b"after", after, at_us=600)
    assert not again.check(old, b"before", before, at_us=501)
    assert not (tmp_path / "keys" / f"{old}.pem").exists()
    with again.signing() as signer, pytest.raises(Conflict):
        signer.sign(b"earlier than it began", 499)
    with pytest.raises(Conflict, match="prepare it first"):
        again.activate(700)


def test_a_lost_key_is_written_off_and_another_signs(tmp_path: Path) -> None:
    keys = opened(tmp_path / "keys")
    old, before = sign(keys, b"before", 300)
    (tmp_path / "keys" / f"{old}.pem").unlink()
    keys = opened(tmp_path / "keys")
    with pytest.raises(StorageError, match="restore it from a back-up, or write it off"), keys.signing():
        pass
    with pytest.raises(UsageError, match="reason"):
        keys.lost(400, " ")
    made = keys.lost(400, "the disk of the ship burnt")
    keys = opened(tmp_path / "keys")
    gone, active = keys.public()
    assert (gone.state, gone.to_us, gone.reason) == ("lost", 400, "the disk of the ship burnt")
    assert (active.key_id, active.predecessor, active.endorsement) == (made.key_id, old, "")
    assert keys.check(old, b"before", before, at_us=300)
    assert not keys.check(old, b"before", before, at_us=401)
    assert sign(keys, b"after", 500)[0] == active.key_id


def test_a_key_slipped_into_the_list_is_refused(tmp_path: Path) -> None:
    opened(tmp_path / "keys")
    foreign = opened(tmp_path / "foreign").public()[0]
    place = tmp_path / "keys" / "public.json"
    mine = msgspec.json.decode(place.read_bytes(), type=list[SigningKey])
    slipped = msgspec.structs.replace(foreign, state="retired", to_us=10**15)
    for added in (slipped, msgspec.structs.replace(slipped, predecessor=mine[0].key_id)):
        place.write_bytes(msgspec.json.encode([*mine, added]))
        with pytest.raises(CorruptStore, match="which nothing before it endorsed"):
            opened(tmp_path / "keys")
    place.write_bytes(msgspec.json.encode([msgspec.structs.replace(mine[0], key_id="0" * 32)]))
    with pytest.raises((CorruptStore, StorageError)):
        opened(tmp_path / "keys")
    place.write_bytes(b"{")
    with pytest.raises(CorruptStore, match="is damaged"):
        opened(tmp_path / "keys")


def test_what_a_crash_left_half_done_is_put_right(tmp_path: Path) -> None:
    keys = opened(tmp_path / "keys")
    folder = tmp_path / "keys"
    listed = (folder / "public.json").read_bytes()
    keys.prepare()
    (folder / "public.json").write_bytes(listed)  # the private half was written, the list was not
    (folder / "public.new").write_bytes(b"torn")
    again = opened(folder)
    assert [each.state for each in again.public()] == ["active"]
    assert len(list(folder.glob("*.pem"))) == 1 and not list(folder.glob("*.new"))
