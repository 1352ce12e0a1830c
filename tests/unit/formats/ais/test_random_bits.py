"""Messages of our own making, bit by bit and armoured here, against pyais: every type, whole and in parts."""

import random
from collections import Counter
from functools import reduce
from typing import Any

import pyais
import pytest

from shiprider.formats.ais.decoder import AisDecoder
from shiprider.formats.ais.fields import decode_fields
from shiprider.formats.decoded import DecodeContext

from .test_against_pyais import ONLY_THERE, PEER_DIFFERS, incomplete, same

#: Bits of each type, as ITU-R M.1371-5 gives them (annex 8); several where parts may be left out.
LENGTHS: dict[int, tuple[int, ...]] = {
    1: (168,), 2: (168,), 3: (168,), 4: (168,), 5: (424,), 6: (88 + 80, 88 + 160, 88 + 400),
    7: (72, 104, 136, 168), 8: (56 + 80, 56 + 160, 56 + 400), 9: (168,), 10: (72,), 11: (168,),
    12: (72 + 60, 72 + 600), 13: (72, 104, 136, 168), 14: (40 + 60, 40 + 600), 15: (88, 110, 160), 16: (96, 144),
    17: (80 + 120, 80 + 400), 18: (168,), 19: (312,), 20: (72, 104, 136, 160), 21: (272, 272 + 36), 22: (168,),
    23: (160,), 24: (160, 168), 25: (40 + 48, 40 + 96), 26: (60 + 48, 60 + 96), 27: (96,),
}  # fmt: skip
#: Identities of real form, so that nothing depends on how a strange one is read.
MMSI = 219_000_606


def bits_of(kind: int, length: int, chance: random.Random) -> str:
    bits = f"{kind:06b}{chance.randrange(4):02b}{MMSI:030b}"
    rest = "".join(chance.choice("01") for _ in range(length - len(bits)))
    if kind == 24:
        rest = f"{0 if length == 160 else 1:02b}" + rest[2:]
    if kind in (6, 8):
        # An application that nobody defines: its data must come out as they are.
        at = 32 + 2 + 14 if kind == 6 else 2 + 14 - 14
        rest = rest[:at] + f"{999:010b}{11:06b}" + rest[at + 16 :]
    if kind in (25, 26):
        # Neither addressed nor with an application identifier: only data follow.
        rest = "00" + rest[2:]
    return bits + rest


def armoured(bits: str) -> tuple[str, int]:
    fill = -len(bits) % 6
    bits += "0" * fill
    values = (int(bits[i : i + 6], 2) for i in range(0, len(bits), 6))
    return "".join(chr(v + 48 if v < 40 else v + 56) for v in values), fill


def sentence(body: str, *, lower: bool = False) -> bytes:
    checksum = f"{reduce(lambda a, b: a ^ b, body.encode(), 0):02X}"
    return f"!{body}*{checksum.lower() if lower else checksum}\r\n".encode()


def group(
    bits: str,
    *,
    parts: int = 1,
    sequence: int = 1,
    channel: str = "A",
    talker: str = "AIVDM",
    lower: bool = False,
) -> list[bytes]:
    payload, fill = armoured(bits)
    size = -(-len(payload) // parts)
    pieces = [payload[i : i + size] for i in range(0, len(payload), size)]
    assert len(pieces) == parts
    number = str(sequence) if parts > 1 else ""
    return [
        sentence(
            f"{talker},{parts},{part},{number},{channel},{piece},{fill if part == parts else 0}", lower=lower
        )
        for part, piece in enumerate(pieces, 1)
    ]


def messages(data: bytes) -> list[dict[str, Any]]:
    return list(decode_fields(data, context=DecodeContext(feed="", received_clock="wall")))


@pytest.mark.parametrize("kind", LENGTHS)
def test_random_bits_of_every_type_are_read_as_pyais_reads_them(kind: int) -> None:
    chance = random.Random(kind)
    different: Counter[str] = Counter()
    examples: dict[str, Any] = {}
    for number in range(300):
        length = LENGTHS[kind][number % len(LENGTHS[kind])]
        lines = group(bits_of(kind, length, chance), parts=1 if length < 350 else 2)
        (ours,) = messages(b"".join(lines))
        theirs = pyais.decode(*(line.strip() for line in lines)).asdict()
        assert ours["msg_type"] == kind
        for field, value in theirs.items():
            if field.startswith("spare") or (kind, field) in PEER_DIFFERS or field in ONLY_THERE:
                continue
            if field.startswith("empty_") or (field in ours and same(field, ours[field], value)):
                continue
            # pyais makes a number of the two bits that message 20 is padded with.
            if field not in ours or ours[field] is not None or not incomplete(ours, field):
                different[field] += 1
                examples.setdefault(field, (ours.get(field, "ABSENT"), value, lines))
    assert not different, (different, examples)


def as_pyais(lines: list[bytes]) -> tuple[int, str]:
    read = pyais.decode(*(line.strip() for line in lines)).asdict()
    return read["msg_type"], read["text"]


def five_parts(seed: int, **options: Any) -> list[bytes]:
    """A text of 900 bits: five sentences."""
    chance = random.Random(seed)
    letters = "".join(f"{chance.randrange(1, 27):06b}" for _ in range(143))
    return group(f"{14:06b}00{MMSI:030b}00{letters}", parts=5, **options)


@pytest.mark.parametrize("seed", range(20))
def test_five_parts_in_any_order_are_one_message(seed: int) -> None:
    lines = five_parts(seed)
    shuffled = lines.copy()
    random.Random(seed).shuffle(shuffled)
    (ours,) = messages(b"".join(shuffled))
    assert (ours["msg_type"], ours["text"]) == as_pyais(lines)


@pytest.mark.parametrize("seed", range(10))
def test_groups_interleaved_over_channels_talkers_and_sequences_stay_apart(seed: int) -> None:
    kinds = [
        ("AIVDM", "A", 1),
        ("AIVDM", "B", 1),
        ("BSVDM", "A", 1),
        ("ABVDM", "A", 1),
        ("AIVDO", "A", 1),
        ("AIVDM", "A", 2),
    ]
    groups = [
        five_parts(10 * seed + n, talker=talker, channel=channel, sequence=sequence, lower=n % 2 == 0)
        for n, (talker, channel, sequence) in enumerate(kinds)
    ]
    lines = [line for each in groups for line in each]
    random.Random(seed).shuffle(lines)
    found = {(m["talker"], m["channel"], m["text"]) for m in messages(b"".join(lines))}
    assert found == {(t, c, as_pyais(g)[1]) for (t, c, _), g in zip(kinds, groups, strict=True)}


def test_a_missing_and_a_repeated_part_are_refused_at_their_own_bytes() -> None:
    whole = five_parts(1)
    single = group(bits_of(1, 168, random.Random(1)))
    data = b"".join([*whole[:2], *single, *whole[3:], *single, whole[0], *whole])
    decoder = AisDecoder(DecodeContext(feed="f", received_clock="wall"))
    decoded = decoder.decode(data, 5000, 1_700_000_000_000_000, final=True)
    refused = [
        (data[row["raw"] - 5000 :][: row["raw_length"]], row["reason"]) for row in decoded.rejects.to_pylist()
    ]
    # Parts 1, 2, 4 and 5 wait for the third until part 1 comes anew; that one too is given up when it is repeated.
    expected = [line.strip() for line in (*whole[:2], *whole[3:], whole[0])]
    assert sorted(refused) == sorted((line, "missing part") for line in expected)
    places = [row["raw"] - 5000 for row in decoded.rejects.to_pylist()]
    assert sorted(places)[0] == 0
    assert decoded.observations.num_rows == 2
    assert [m["text"] for m in decoded.messages.to_pylist()] == [as_pyais(whole)[1]]


def test_fill_bits_between_parts_are_left_out() -> None:
    """The first part ends with two fill bits: what follows begins at its own first bit."""
    letters = "".join(f"{1 + n % 26:06b}" for n in range(60))
    bits = f"{14:06b}00{MMSI:030b}00{letters}"
    first, second = bits[:196], bits[196:]
    lines = []
    for part, piece in ((1, first), (2, second)):
        payload, fill = armoured(piece)
        lines.append(sentence(f"AIVDM,2,{part},3,A,{payload},{fill}"))
    (ours,) = messages(b"".join(lines))
    assert ours["text"] == ("ABCDEFGHIJKLMNOPQRSTUVWXYZ" * 3)[:60]
