"""Tear-lines: what a rule leaves, what a person looks at, and what the link tells whom."""

import base64
import hashlib
import hmac
import random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from shiprider.measure.clock import HOUR_US, SECOND_US, us_from_iso
from shiprider.model.alert import Alert
from shiprider.model.errors import Forbidden, UsageError
from shiprider.model.finding import Evidence, Finding
from shiprider.model.label import UNKNOWN, Label, combine, held_by, parse, written
from shiprider.model.note import Note
from shiprider.model.publication import Publication
from shiprider.model.tear_line import (
    CoarsenPosition,
    CoarsenTime,
    Delay,
    DropFields,
    DropSource,
    Pseudonyms,
    ReplaceText,
    SanitisingRule,
    TearLine,
)
from shiprider.share.tear_line import MEANINGS, Prepared, approve, commitment, opens, prepare, pseudonym

NOW = parse(written("policy=COALITION class=SECRET rel=nations:USA").text)
TO = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA")
KEY = b"k" * 32
START = us_from_iso("2026-03-04T05:17:42.5Z")
BODY = Publication(
    finding=Finding(
        behaviour="encounter",
        preset="gfw",
        participants=(366999712, 730123456),
        start_us=START,
        end_us=START + 3 * HOUR_US,
        latitude_deg=16.2371,
        longitude_deg=-74.5129,
        score=0.7,
        reason_key="gfw",
        facts={"duration_s": 10800.0, "start_us": START, "old_mmsi": 366999712, "name": "SANTA RITA", "latitude_deg": 16.2},
        evidence=(Evidence(track=1, claimed_id=366999712, start_us=START, end_us=START, raws=(99, 100)),),
        versions={"reception": "r1"},
    ),
    split_from="f" * 32,
)  # fmt: skip
ALL: tuple[SanitisingRule, ...] = (
    CoarsenPosition(step_deg=0.5),
    CoarsenTime(step_s=3600),
    DropSource(),
    DropFields(fields=("score", "facts.duration_s")),
    Delay(delay_s=86_400),
    Pseudonyms(recipient="bogota"),
)


def prepared(
    rules: tuple[SanitisingRule, ...] = ALL,
    *,
    kind: str = "finding",
    body: msgspec.Struct = BODY,
    **changes: Any,
) -> Prepared:
    given: dict[str, Any] = {
        "recipient": "bogota", "pseudonym_key": KEY, "now": NOW, "to": TO, "origin": "key-west", "node": "key-west",
        "prepared_by": "an analyst",
    }  # fmt: skip
    return prepare(kind, body, rules, **{**given, **changes})


def test_what_all_rules_together_leave() -> None:
    """By hand: 16.2371 lies in [16.0, 16.5), 74.5129 west in [-75.0, -74.5); 05:17 in the hour from 05:00."""
    made = prepared()
    names = sorted(pseudonym(KEY, "bogota", mmsi) for mmsi in (366999712, 730123456))
    assert made.content == {
        "behaviour": "encounter",
        "preset": "gfw",
        "subtype": "",
        "participants": names,
        "start_us": us_from_iso("2026-03-04T05:00:00Z"),
        "end_us": us_from_iso("2026-03-04T08:00:00Z"),
        "latitude_deg": 16.25,
        "longitude_deg": -74.75,
        "reason_key": "gfw",
        "facts": {
            "start_us": us_from_iso("2026-03-04T05:00:00Z"),
            "old_mmsi": pseudonym(KEY, "bogota", 366999712),
            "latitude_deg": 16.25,
        },
        "state": "closed",
        "simulated": False,
    }
    assert made.not_before_us == START + 3 * HOUR_US + 86_400 * SECOND_US
    assert made.label == TO


def test_nothing_of_the_original_is_left_in_the_bytes() -> None:
    body, _ = approve(
        prepared(), approved_by="a legal adviser", tear_line_id="t" * 32, original="o" * 32, revision=2,
        digest="d" * 64, salt=b"s" * 32,
    )  # fmt: skip
    told = msgspec.json.encode(body)
    for secret in (b"366999712", b"730123456", b"SANTA RITA", b"16.2371", b"74.5129", b"raws", b"reception"):
        assert secret not in told
    for secret in ("o" * 32, "f" * 32, "d" * 64, str(START)):
        assert secret.encode() not in told
    assert msgspec.json.decode(told, type=TearLine) == body


def test_each_rule_alone() -> None:
    plain = prepared((DropFields(fields=()),)).content
    assert plain["latitude_deg"] == 16.2371
    assert plain["participants"] == [366999712, 730123456]
    assert "evidence" in plain
    # Whatever the rules: links to records that the recipient may not have, and texts, are not there.
    assert "split_from" not in plain
    assert "name" not in plain["facts"]
    assert "evidence" not in prepared((DropSource(),)).content
    assert "score" not in prepared((DropFields(fields=("score",)),)).content
    assert prepared((CoarsenTime(step_s=60),)).content["start_us"] == us_from_iso("2026-03-04T05:17:00Z")
    assert prepared((CoarsenPosition(step_deg=1.0),)).content["longitude_deg"] == -74.5
    # Evidence would undo it: it holds the exact times, positions and identities.
    for rule in (CoarsenTime(step_s=60), CoarsenPosition(step_deg=1.0), Pseudonyms(recipient="bogota")):
        assert "evidence" not in prepared((rule,)).content


def test_the_order_in_which_rules_are_given_says_nothing() -> None:
    shuffled = list(ALL)
    random.Random(1).shuffle(shuffled)
    assert prepared(tuple(shuffled)) == prepared()


@pytest.mark.parametrize(
    ("latitude_deg", "expected"), [(90.0, 90.0), (-90.0, -67.5), (89.9, 67.5), (-0.1, -22.5)]
)
def test_cells_do_not_leave_the_earth(latitude_deg: float, expected: float) -> None:
    body = replace(BODY, finding=replace(BODY.finding, latitude_deg=latitude_deg))
    assert prepared((CoarsenPosition(step_deg=45.0),), body=body).content["latitude_deg"] == expected


def test_the_preview_shows_both_sides_and_the_rule() -> None:
    rows = {row.field: row for row in prepared().preview}
    assert (rows["latitude_deg"].original, rows["latitude_deg"].released) == (16.2371, 16.25)
    assert rows["latitude_deg"].why == "coarsen_position"
    assert rows["score"].released is None
    assert rows["score"].why == "drop_fields"
    assert rows["split_from"].why == "link"
    assert rows["facts.name"].why == "not_known"
    assert rows["behaviour"].why == ""
    assert rows["evidence"].released is None


def test_pseudonyms_hold_for_one_recipient_and_mean_nothing_to_another() -> None:
    one = {pseudonym(KEY, "bogota", mmsi) for mmsi in range(1000)}
    other = {pseudonym(KEY, "willemstad", mmsi) for mmsi in range(1000)}
    assert len(one) == len(other) == 1000
    assert not one & other
    assert pseudonym(KEY, "bogota", 7) == pseudonym(KEY, "bogota", 7)
    assert pseudonym(b"x" * 32, "bogota", 7) != pseudonym(KEY, "bogota", 7)
    # RFC 2104, the recipient's key from the node's, the first 80 bits in base32 (RFC 4648).
    own = hmac.new(KEY, b"shiprider-pseudonym-1\0bogota", hashlib.sha256).digest()
    said = base64.b32encode(hmac.new(own, b"366999712", hashlib.sha256).digest()[:10]).decode()
    assert pseudonym(KEY, "bogota", 366999712) == f"P-{said}"
    # Neither the order of the identities shows, nor which of two came first.
    first = prepared((Pseudonyms(recipient="bogota"),))
    swapped = replace(BODY, finding=replace(BODY.finding, participants=(730123456, 366999712)))
    assert prepared((Pseudonyms(recipient="bogota"),), body=swapped).content == first.content


def test_a_person_other_than_the_preparer_approves() -> None:
    given: dict[str, Any] = {
        "tear_line_id": "t", "original": "o", "revision": 1, "digest": "d", "salt": b"s" * 32
    }  # fmt: skip
    for who in ("an analyst", "", "process:watch"):
        with pytest.raises(Forbidden):
            approve(prepared(), approved_by=who, **given)
    with pytest.raises(UsageError, match="salt"):
        approve(prepared(), approved_by="a legal adviser", **{**given, "salt": b"short"})
    body, _ = approve(prepared(), approved_by="a legal adviser", **given)
    assert (body.prepared_by, body.approved_by) == ("an analyst", "a legal adviser")


def test_the_link_opens_its_tear_line_and_no_other() -> None:
    def made(original: str, salt: bytes) -> Any:
        return approve(
            prepared(), approved_by="b", tear_line_id="t", original=original, revision=1, digest="d" * 64, salt=salt
        )  # fmt: skip

    body, link = made("o" * 32, b"s" * 32)
    again, _ = made("o" * 32, b"r" * 32)
    assert opens(body, link)
    # The same original twice cannot be seen to be the same.
    assert body.commitment != again.commitment
    assert not opens(again, link)
    for changed in (
        {"original": "p" * 32},
        {"original_revision": 2},
        {"original_digest": "e" * 64},
        {"salt": (b"r" * 32).hex()},
    ):
        assert not opens(body, replace(link, **changed))
    # Fields are preceded by their length: what moves from one to the next is another commitment.
    assert commitment(replace(link, original="ab", original_digest="c")) != commitment(
        replace(link, original="a", original_digest="bc")
    )


def test_what_a_partner_keeps_control_of_is_not_ours_to_sanitise() -> None:
    theirs = held_by(written("policy=COALITION class=SECRET rel=nations:COL,USA caveats=ORCON"), "bogota")
    ours = combine(NOW, theirs)
    for now, origin in ((theirs, "bogota"), (ours, "key-west"), (UNKNOWN, "key-west")):
        with pytest.raises(Forbidden):
            prepared(now=now, origin=origin)
    assert isinstance(ours, Label)
    without = written("policy=COALITION class=SECRET rel=nations:COL,USA originators=bogota")
    assert prepared(now=without).content


@pytest.mark.parametrize(
    ("rules", "told"),
    [
        ((), "without a rule"),
        ((DropSource(), DropSource()), "stands twice"),
        ((CoarsenPosition(step_deg=0.0),), "A grid of 0.0 degrees"),
        ((CoarsenPosition(step_deg=float("nan")),), "A grid of nan degrees"),
        ((CoarsenTime(step_s=0),), "A step of 0 s"),
        ((Delay(delay_s=-1),), "A delay of -1 s"),
        ((Pseudonyms(recipient="willemstad"),), "for the recipient"),
        ((ReplaceText(field="score", text="x"),), "is no text"),
    ],
)
def test_rules_that_cannot_be_meant(rules: tuple[SanitisingRule, ...], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        prepared(rules)


def test_a_short_key_and_an_unknown_kind_are_refused() -> None:
    with pytest.raises(UsageError, match="32 bytes"):
        prepared(pseudonym_key=b"short")
    with pytest.raises(UsageError, match="no rules for a handover"):
        prepared(kind="handover")


def test_texts_are_left_out_or_written_anew() -> None:
    note = Note(subject_kind="vessel", subject="366999712", text="seen by source 14")
    assert "text" not in prepared((DropSource(),), kind="note", body=note).content
    anew = prepared((ReplaceText(field="text", text="seen off the cape"),), kind="note", body=note).content
    assert anew["text"] == "seen off the cape"
    about = Note(subject_kind="alert", subject="a" * 32, text="x")
    assert "subject" not in prepared((DropSource(),), kind="note", body=about).content


def test_every_field_of_every_kind_is_known_or_left_out_on_purpose() -> None:
    """A field that is added to a body is not released until somebody has said what it means."""
    on_purpose = {"finding": set(), "note": set(), "alert": {"watch_us", "event", "revised", "budgeted"}}
    forms: dict[str, tuple[type[msgspec.Struct], ...]] = {
        "finding": (Publication, Finding),
        "alert": (Alert,),
        "note": (Note,),
    }
    for kind, bodies in forms.items():
        fields = {name for body in bodies for name in body.__struct_fields__}
        assert fields == MEANINGS[kind].keys() | on_purpose[kind]
