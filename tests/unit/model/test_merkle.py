"""RFC 6962 against the vectors of Certificate Transparency's own tests, and against the RFC's recursive text."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiprider.model import merkle

#: The leaves and roots of the reference implementation's tests (certificate-transparency, merkle_tree_test).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
    )
]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def mth(entries: list[bytes]) -> bytes:
    """MTH of section 2.1, word for word."""
    if not entries:
        return hashlib.sha256(b"").digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def audit(m: int, entries: list[bytes]) -> list[bytes]:
    """PATH(m, D[n]) of section 2.1.1."""
    if len(entries) == 1:
        return []
    k = 1
    while k * 2 < len(entries):
        k *= 2
    if m < k:
        return [*audit(m, entries[:k]), mth(entries[k:])]
    return [*audit(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], whole: bool) -> list[bytes]:
    """SUBPROOF(m, D[n], b) of section 2.1.2."""
    n = len(entries)
    if m == n:
        return [] if whole else [mth(entries)]
    k = 1
    while k * 2 < n:
        k *= 2
    if m <= k:
        return [*subproof(m, entries[:k], whole), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


def test_the_published_roots() -> None:
    for size, expected in enumerate(ROOTS, 1):
        assert merkle.root([merkle.leaf_hash(each) for each in LEAVES[:size]]).hex() == expected
        assert mth(LEAVES[:size]).hex() == expected
    assert merkle.root([]) == mth([])


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 31, 64, 65])
def test_every_proof_of_a_tree_is_the_rfcs_and_is_accepted(size: int) -> None:
    entries = [b"%d" % each for each in range(size)]
    hashes = [merkle.leaf_hash(each) for each in entries]
    tree = merkle.levels(hashes)

    def root_of(start: int, end: int) -> bytes:
        return mth(entries[start:end])

    for index in range(size):
        expected = audit(index, entries)
        assert merkle.path(tree, index) == expected
        assert merkle.inclusion(index, size, root_of) == expected
        assert merkle.root_by_inclusion(hashes[index], index, size, expected) == mth(entries)
    for old in range(1, size + 1):
        proof = subproof(old, entries, True)
        assert merkle.consistency(old, size, root_of) == proof
        assert merkle.is_consistent(old, mth(entries[:old]), size, mth(entries), proof)


@given(st.integers(2, 70), st.data())
def test_a_wrong_place_size_or_hash_is_refused(size: int, data: st.DataObject) -> None:
    entries = [b"%d" % each for each in range(size)]
    root = mth(entries)
    index = data.draw(st.integers(0, size - 1))
    proof = audit(index, entries)
    leaf = merkle.leaf_hash(entries[index])
    other = data.draw(st.integers(0, size - 1).filter(lambda each: each != index))
    assert merkle.root_by_inclusion(leaf, other, size, proof) != root
    assert merkle.root_by_inclusion(leaf, index, size, proof[:-1]) != root
    assert merkle.root_by_inclusion(leaf, index, size, [*proof, b"\0" * 32]) != root
    assert merkle.root_by_inclusion(leaf, index + size, size, proof) is None
    place = data.draw(st.integers(0, len(proof) - 1))
    wrong = [*proof[:place], hashlib.sha256(proof[place]).digest(), *proof[place + 1 :]]
    assert merkle.root_by_inclusion(leaf, index, size, wrong) != root
    old = data.draw(st.integers(1, size - 1))
    steps = subproof(old, entries, True)
    before = mth(entries[:old])
    assert not merkle.is_consistent(old, hashlib.sha256(before).digest(), size, root, steps)
    assert not merkle.is_consistent(old, before, size, hashlib.sha256(root).digest(), steps)
    assert not merkle.is_consistent(old, before, size, root, steps[:-1])
    assert not merkle.is_consistent(old, before, size, root, [*steps, b"\0" * 32])


def test_the_sizes_where_a_tree_divides() -> None:
    assert [merkle.split(size) for size in (2, 3, 4, 5, 8, 9, 1000)] == [1, 2, 2, 4, 4, 8, 512]
    assert all(merkle.split(b) < b <= 2 * merkle.split(b) for _, b in pairwise(range(1, 300)))
