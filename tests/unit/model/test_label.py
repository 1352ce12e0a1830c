"""The label: one text per meaning, an algebra that never widens, and doubt that denies."""

from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shiprider.model.errors import Forbidden, InputError
from shiprider.model.label import (
    CAVEATS,
    OWN,
    POLICIES,
    UNKNOWN,
    AnyLabel,
    Classification,
    Label,
    Tlp,
    UnknownLabel,
    classification_named,
    combine,
    combined_text,
    compare,
    downgrade,
    held_by,
    label,
    parse,
    written,
)

NATIONS = ("COL", "HND", "NLD", "USA")
NAMES = ("ARC", "DEA", "KMAR")


def _some(names: tuple[str, ...]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), max_size=3)


@st.composite
def labels(draw: st.DrawFn) -> AnyLabel:
    if draw(st.integers(0, 12)) == 0:
        return draw(st.sampled_from((OWN, UNKNOWN)))
    policies = draw(st.lists(st.sampled_from(sorted(POLICIES)), min_size=1, max_size=3))
    ladder = sorted({level for name in policies for level in POLICIES[name]})
    return label(
        policies=policies,
        classification=draw(st.sampled_from(ladder)),
        nations=draw(st.none() | _some(NATIONS)),
        organisations=draw(st.none() | _some(NAMES)),
        communities=draw(st.none() | _some(("JIATF", "CARIB"))),
        caveats=draw(_some(CAVEATS)),
        purposes=draw(st.none() | _some(("counterdrug", "rescue"))),
        agreements=draw(_some(("A-1", "B-2"))),
        tlp=draw(st.sampled_from(list(Tlp))),
        expires_us=draw(st.none() | st.integers(0, 2_000_000_000_000_000)),
        originators=draw(_some(("key-west", "bogota"))),
    )


@given(labels())
def test_the_text_gives_the_same_label(one: AnyLabel) -> None:
    assert parse(one.text) == one
    if isinstance(one, Label) and one != OWN:
        assert written(one.text) == one


@given(labels(), labels())
def test_equal_labels_are_equal_bytes(one: AnyLabel, other: AnyLabel) -> None:
    assert (one == other) == (one.text == other.text)


@given(labels(), labels(), labels())
def test_combining_is_commutative_associative_and_idempotent(a: AnyLabel, b: AnyLabel, c: AnyLabel) -> None:
    assert combine(a, b) == combine(b, a)
    assert combine(a, combine(b, c)) == combine(combine(a, b), c) == combine(a, b, c)
    assert combine(a, a) == a
    assert combined_text([a.text, b.text]) == combine(a, b).text


@given(labels(), labels())
def test_a_combination_is_at_least_as_narrow_as_each_part(a: AnyLabel, b: AnyLabel) -> None:
    for part in (a, b):
        assert compare(combine(a, b), part) in ("equal", "narrower")


@given(labels(), labels())
def test_comparison_has_a_mirror(a: AnyLabel, b: AnyLabel) -> None:
    mirror = {"equal": "equal", "narrower": "wider", "wider": "narrower", "neither": "neither"}
    assert compare(b, a) == mirror[compare(a, b)]


def test_of_each_part_the_more_restrictive_wins() -> None:
    one = written(
        "policy=COALITION class=SECRET rel=nations:COL,USA caveats=ORCON tlp=AMBER purpose=counterdrug"
    )
    other = written(
        "policy=NATO class=RESTRICTED rel=nations:NLD,USA;organisations:KMAR tlp=AMBER+STRICT "
        "purpose=counterdrug,rescue expires=2027-01-01T00:00:00Z"
    )
    assert combine(one, other) == written(
        "policy=COALITION,NATO class=SECRET rel=nations:USA;organisations:KMAR caveats=ORCON tlp=AMBER+STRICT "
        "purpose=counterdrug expires=2027-01-01T00:00:00Z"
    )


def test_what_has_no_colour_does_not_become_everyones_beside_what_is_clear() -> None:
    """Both are for all nations; only one says that everyone at all may have it."""
    clear = written("policy=COALITION class=UNCLASSIFIED rel=* tlp=CLEAR")
    plain = written("policy=COALITION class=UNCLASSIFIED rel=*")
    assert combine(clear, plain) == plain
    assert compare(clear, plain) == "wider"
    with pytest.raises(Forbidden):
        downgrade(plain, clear, origin="bogota", by="key-west")


def test_nobody_in_common_is_nobody() -> None:
    one = written("policy=COALITION class=SECRET rel=nations:COL;organisations:ARC")
    other = written("policy=COALITION class=SECRET rel=nations:USA")
    both = combine(one, other)
    assert isinstance(both, Label)
    assert both.for_nobody
    assert "|rel=-|" in both.text


def test_nothing_combined_is_the_originators_own() -> None:
    assert combine() == OWN
    assert OWN.text == ""
    assert parse("") == OWN
    assert OWN.for_nobody


def test_amber_and_amber_strict_differ() -> None:
    amber = written("policy=COALITION class=RESTRICTED rel=organisations:ARC tlp=AMBER")
    strict = written("policy=COALITION class=RESTRICTED rel=organisations:ARC tlp=AMBER+STRICT")
    assert compare(strict, amber) == "narrower"
    assert strict.text != amber.text


@pytest.mark.parametrize("colour", ["GREEN", "AMBER", "AMBER+STRICT", "RED"])
def test_a_colour_asks_for_its_circle(colour: str) -> None:
    with pytest.raises(InputError, match="asks for a narrower circle"):
        written(f"policy=COALITION class=RESTRICTED rel=* tlp={colour}")
    made = label(policies=["COALITION"], tlp=Tlp[colour.replace("+", "_")])
    assert made.for_nobody


GOOD = (
    "shiprider-label-1|policy=COALITION|class=SECRET|rel=nations:COL,USA|caveats=ORCON|purpose=*|agreements=A-1|"
    "tlp=-|expires=2027-01-01T00:00:00Z|originators=-"
)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("policy=COALITION", "policy=GALAXY"),
        ("policy=COALITION", "policy="),
        ("policy=COALITION", "policy=-"),
        ("policy=COALITION|", ""),
        ("policy=COALITION", "policy=USA|policy=COALITION"),
        ("class=SECRET", "class=SECRETT"),
        ("class=SECRET", "class=secret"),
        ("class=SECRET", "class=3"),
        ("policy=COALITION|class=SECRET", "policy=USA|class=RESTRICTED"),
        ("rel=nations:COL,USA", "rel=nations:USA,COL"),
        ("rel=nations:COL,USA", "rel=nations:COL,COL,USA"),
        ("rel=nations:COL,USA", "rel=nations:COL,US"),
        ("rel=nations:COL,USA", "rel=nations:"),
        ("rel=nations:COL,USA", "rel="),
        ("rel=nations:COL,USA", "rel=persons:COL"),
        ("rel=nations:COL,USA", "rel=nations:COL;nations:USA"),
        ("rel=nations:COL,USA", "rel=organisations:ARC;nations:COL"),
        ("caveats=ORCON", "caveats=NOFORN"),
        ("caveats=ORCON", "caveats=ORCON,NO-COURT-USE"),
        ("caveats=ORCON", "caveats=*"),
        ("|purpose=*", ""),
        ("agreements=A-1", "agreements=A-1;B-2"),
        ("tlp=-", "tlp=PINK"),
        ("tlp=-", "tlp=NONE"),
        ("tlp=-", "tlp=AMBER_STRICT"),
        ("expires=2027-01-01T00:00:00Z", "expires=2027-01-01"),
        ("expires=2027-01-01T00:00:00Z", "expires=2027-01-01T00:00:00+00:00"),
        ("expires=2027-01-01T00:00:00Z", "expires=tomorrow"),
        ("expires=2027-01-01T00:00:00Z", "expires=0001-01-01T00:00:00Z"),
        ("originators=-", "originators=- "),
        ("originators=-", "originators=-|"),
        ("shiprider-label-1", "shiprider-label-9"),
        ("shiprider-label-1", "SHIPRIDER-LABEL-1"),
        ("SECRET", "SECRET\x00"),
        (GOOD, "unknown"),
        (GOOD, GOOD + " "),
        (GOOD, "x" * 100_000),
    ],
)
def test_what_is_not_exactly_a_label_is_unknown(right: str, wrong: str) -> None:
    assert isinstance(parse(GOOD), Label)
    assert right in GOOD
    assert isinstance(parse(GOOD.replace(right, wrong, 1)), UnknownLabel)


@settings(max_examples=300)
@given(
    st.text(alphabet=st.sampled_from("|=-,;:*ACELOPRSTU 0127shipridelabnt"), max_size=80)
    | st.text(max_size=60)
)
def test_no_text_makes_the_parser_fail(text: str) -> None:
    found = parse(text)
    assert isinstance(found, UnknownLabel) or found.text == text


@given(st.integers(0, len(GOOD) - 1), st.characters())
def test_a_changed_character_is_another_label_or_none(place: int, character: str) -> None:
    text = GOOD[:place] + character + GOOD[place + 1 :]
    found = parse(text)
    assert isinstance(found, UnknownLabel) or found.text == text


def test_an_unknown_part_makes_the_whole_unknown() -> None:
    assert isinstance(combine(parse(GOOD), UNKNOWN), UnknownLabel)
    assert combine(UNKNOWN, OWN) == UNKNOWN
    assert parse("unknown|unknown") == UNKNOWN


def test_what_is_understood_of_an_unknown_whole_still_restricts() -> None:
    for_rescue = written("policy=COALITION class=SECRET rel=nations:USA purpose=rescue")
    both = combine(UNKNOWN, for_rescue)
    assert isinstance(both, UnknownLabel)
    assert both.known.purposes == ("rescue",)
    assert parse(both.text) == both


def test_only_the_originator_widens() -> None:
    now = parse(GOOD)
    wider = written("policy=COALITION class=RESTRICTED rel=nations:COL,USA")
    assert downgrade(now, wider, origin="key-west", by="key-west") == wider
    with pytest.raises(Forbidden, match="key-west"):
        downgrade(now, wider, origin="key-west", by="bogota")
    narrower = combine(now, written("policy=COALITION class=TOP_SECRET rel=nations:USA"))
    assert isinstance(narrower, Label)
    assert downgrade(now, narrower, origin="key-west", by="bogota") == narrower


def test_whose_inputs_they_were_keep_their_say() -> None:
    theirs = held_by(parse(GOOD), "bogota")
    made = combine(theirs, written("policy=COALITION class=RESTRICTED rel=nations:COL,USA"))
    wider = written("policy=COALITION class=UNCLASSIFIED rel=*")
    with pytest.raises(Forbidden, match="bogota"):
        downgrade(made, wider, origin="key-west", by="key-west")


def test_an_unlabelled_input_of_a_partner_stays_his() -> None:
    theirs = held_by(OWN, "bogota")
    assert isinstance(theirs, Label)
    assert theirs.for_nobody
    assert theirs.originators == ("bogota",)


@pytest.mark.parametrize(
    "members", list(permutations(("class=SECRET", "policy=COALITION", "rel=nations:USA")))
)
def test_people_write_parts_in_any_order(members: tuple[str, ...]) -> None:
    assert written(" ".join(members)).nations == ("USA",)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("class=SECRET", "has no policy"),
        ("policy=COALITION", "has no class"),
        ("policy=COALITION class=SECRET class=SECRET", "stands twice"),
        ("policy=COALITION class=SECRET colour=RED", "is no part"),
        ("policy=COALITION class=SECRETT", "is no classification"),
        ("policy=COALITION class=SECRET rel=nations:Colombia", "is no nation"),
        ("policy=COALITION class=SECRET expires=soon", "cannot be meant"),
    ],
)
def test_a_slip_in_writing_is_one_sentence(text: str, told: str) -> None:
    with pytest.raises(InputError, match=told):
        written(text)


def test_clearances() -> None:
    assert classification_named("secret") == Classification.SECRET
    assert classification_named("TOP SECRET") == Classification.TOP_SECRET
    assert classification_named("") is None
    assert classification_named("COSMIC") is None
