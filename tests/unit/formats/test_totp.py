"""TOTP against the vectors of RFC 6238 (appendix B) and RFC 4226 (appendix D)."""

import pytest

from shiprider.formats import totp

#: RFC 6238, appendix B: time, and the codes for SHA-1, SHA-256, SHA-512.
VECTORS = [
    (59, "94287082", "46119246", "90693936"),
    (1111111109, "07081804", "68084774", "25091201"),
    (1111111111, "14050471", "67062674", "99943326"),
    (1234567890, "89005924", "91819424", "93441116"),
    (2000000000, "69279037", "90698825", "38618901"),
    (20000000000, "65353130", "77737706", "47863826"),
]
#: RFC 4226, appendix D.
HOTP = ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"]
SEED = b"12345678901234567890"


def seed(length: int) -> bytes:
    return (b"1234567890" * 7)[:length]


@pytest.mark.parametrize(("at_s", "sha1", "sha256", "sha512"), VECTORS)
def test_the_vectors_of_rfc_6238(at_s: int, sha1: str, sha256: str, sha512: str) -> None:
    for name, length, code in (("sha1", 20, sha1), ("sha256", 32, sha256), ("sha512", 64, sha512)):
        assert totp.code_at(seed(length), at_s // 30, digits=8, algorithm=name) == code


def test_the_vectors_of_rfc_4226() -> None:
    assert [totp.code_at(SEED, step) for step in range(10)] == HOTP


@pytest.mark.parametrize(
    ("code", "step"),
    [("287082", 1), ("287 082", 1), ("755224", 0), ("359152", 2), ("969429", None), ("", None), ("28708", None),
     ("0287082", None), ("٢٨٧٠٨٢", None), ("\ud800", None), ("2870820", None)],
)  # fmt: skip
def test_a_code_is_good_one_step_before_and_after(code: str, step: int | None) -> None:
    assert totp.step_of(SEED, code, 59_000_000) == step


def test_the_address_for_an_authenticator() -> None:
    assert totp.address(SEED, "ana", "caribe") == (
        "otpauth://totp/Shiprider%20caribe%3Aana?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Shiprider+caribe"
    )
