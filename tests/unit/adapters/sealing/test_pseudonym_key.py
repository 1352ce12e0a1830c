"""The secret of the pseudonyms: made once, sealed as soon as there is a passphrase, never replaced by another."""

from pathlib import Path

import pytest

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.sealing.pseudonyms import FILE, pseudonym_key, seal_existing
from shiprider.bootstrap.keys import open_keys
from shiprider.flow.secrets import in_the_clear
from shiprider.model.errors import CorruptStore, UsageError
from shiprider.settings import KeySettings, Settings

WORDS = b"one two three"
MADE = bytes(range(32))


def given(count: int) -> bytes:
    return MADE[:count]


def refused(_: int) -> bytes:
    raise AssertionError("another one is made")


def test_it_is_made_once(tmp_path: Path) -> None:
    assert pseudonym_key(tmp_path, None, given) == MADE
    assert pseudonym_key(tmp_path, None, refused) == MADE
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_with_a_passphrase_it_never_lies_in_the_clear(tmp_path: Path) -> None:
    assert pseudonym_key(tmp_path, WORDS, given) == MADE
    assert MADE not in (tmp_path / FILE).read_bytes() and not in_the_clear(tmp_path / FILE)
    assert pseudonym_key(tmp_path, WORDS, refused) == MADE
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize(
    ("passphrase", "told"), [(None, "is encrypted"), (b"another one!", "cannot be opened")]
)
def test_a_sealed_one_is_not_replaced_by_who_cannot_open_it(
    tmp_path: Path, passphrase: bytes | None, told: str
) -> None:
    pseudonym_key(tmp_path, WORDS, given)
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(UsageError, match=told):
        pseudonym_key(tmp_path, passphrase, refused)
    assert not seal_existing(tmp_path, passphrase)
    assert (tmp_path / FILE).read_bytes() == before


def test_one_from_before_there_was_a_passphrase_is_sealed_on_start(tmp_path: Path) -> None:
    """By whatever opens the node's keys, together with the signing keys."""
    keys = tmp_path / "keys"
    FileKeys(keys, clock=lambda: 1)
    assert pseudonym_key(keys, None, given) == MADE and in_the_clear(keys / FILE)
    (tmp_path / "passphrase").write_bytes(WORDS + b"\n")
    (tmp_path / "passphrase").chmod(0o600)
    open_keys(tmp_path, Settings())
    assert in_the_clear(keys / FILE), "without a passphrase nothing is sealed"
    open_keys(tmp_path, Settings(keys=KeySettings(passphrase_file="passphrase")))  # noqa: S106 (a file)
    assert not [path for path in keys.iterdir() if in_the_clear(path)]
    assert MADE not in (keys / FILE).read_bytes()
    assert (keys / FILE).stat().st_mode & 0o777 == 0o600
    assert pseudonym_key(keys, WORDS, refused) == MADE, "the recipients' names are the same as before"


def test_a_short_passphrase_of_the_signing_keys_seals_it_too(tmp_path: Path) -> None:
    assert pseudonym_key(tmp_path, b"x", given) == pseudonym_key(tmp_path, b"x", refused) == MADE


def test_damage_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(MADE[:31])
    with pytest.raises(CorruptStore, match="31 bytes"):
        pseudonym_key(tmp_path, None, refused)
    with pytest.raises(CorruptStore, match="31 bytes"):
        seal_existing(tmp_path, WORDS)
    (tmp_path / FILE).unlink()
    pseudonym_key(tmp_path, WORDS, given)
    data = bytearray((tmp_path / FILE).read_bytes())
    data[-1] ^= 1
    (tmp_path / FILE).write_bytes(bytes(data))
    with pytest.raises(UsageError):
        pseudonym_key(tmp_path, WORDS, refused)
