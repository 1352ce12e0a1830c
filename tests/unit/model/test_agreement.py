"""Agreements live in time: an answer for a date uses that date's edition and standing."""

import pytest
from msgspec import json
from msgspec.structs import replace

from shiprider.model.agreement import (
    Agreement,
    AgreementBook,
    Party,
    SharingClause,
    Standing,
    Territory,
    book,
    faults,
)
from shiprider.model.label import Classification, Tlp

CLAUSE = SharingClause(
    id="1",
    shared_by=("US",),
    shared_with=("CO",),
    kinds=("finding",),
    purposes=("counterdrug",),
    highest="SECRET",
    highest_tlp="AMBER+STRICT",
)
PARTIES = (
    Party(name="US", nation="USA", standings=(Standing(from_us=10, status="in_force"),)),
    Party(
        name="CO",
        nation="COL",
        standings=(
            Standing(from_us=10, status="signed"),
            Standing(from_us=20, status="provisional"),
            Standing(from_us=30, status="in_force"),
            Standing(from_us=40, status="suspended"),
            Standing(from_us=50, status="in_force"),
            Standing(from_us=60, status="denounced"),
        ),
    ),
)
AGREEMENT = Agreement(id="A", title="Invented", from_us=0, parties=PARTIES, sharing=(CLAUSE,))


def test_a_partys_word_binds_while_applied_provisionally_or_in_force() -> None:
    us, colombia = PARTIES
    assert colombia.binding_spans() == [(20, 40), (50, 60)]
    assert [colombia.binds(at) for at in (9, 19, 20, 39, 40, 49, 50, 59, 60)] == [
        *(False, False, True, True, False, False, True, True, False)
    ]
    assert not us.binds(9)
    assert us.binds(10**18)
    assert Party(name="X", nation="NLD").binding_spans() == []


def test_an_edition_holds_until_the_next_one_or_its_end() -> None:
    later = replace(AGREEMENT, title="Amended", from_us=100)
    ended = replace(AGREEMENT, id="B", from_us=0, until_us=50)
    held = book([later, ended, AGREEMENT])
    assert {id: held.at(99)[id].title for id in held.at(99)} == {"A": "Invented"}
    assert held.at(100)["A"].title == "Amended"
    assert sorted(held.at(49)) == ["A", "B"]
    assert sorted(held.at(50)) == ["A"]
    assert held.at(-1) == {}
    assert held.edges() == [0, 10, 20, 40, 50, 60, 100]


def test_a_clause_covers_what_it_names_and_no_more() -> None:
    def covers(**changed: object) -> bool:
        of: dict[str, object] = {
            "kind": "finding", "purpose": "counterdrug", "classification": Classification.SECRET, "tlp": Tlp.NONE
        }  # fmt: skip
        return CLAUSE.covers(**{**of, **changed})  # type: ignore[arg-type]

    assert covers()
    assert covers(tlp=Tlp.AMBER_STRICT)
    for changed in (
        {"kind": "alert"},
        {"kind": ""},
        {"purpose": "rescue"},
        {"purpose": ""},
        {"classification": Classification.TOP_SECRET},
        {"tlp": Tlp.RED},
    ):
        assert not covers(**changed), changed
    anything = replace(CLAUSE, kinds=("*",), purposes=("*",))
    assert anything.covers("", "", Classification.SECRET, Tlp.NONE)
    assert not replace(CLAUSE, kinds=()).covers("finding", "counterdrug", Classification.SECRET, Tlp.NONE)


def test_whose_people_a_party_has() -> None:
    assert PARTIES[0].is_of("USA", "")
    assert not PARTIES[0].is_of("", "")
    agency = Party(name="DEA", nation="USA", organisation="DEA")
    assert agency.is_of("USA", "DEA")
    assert not agency.is_of("USA", "USCG")
    assert not agency.is_of("COL", "DEA")
    assert not Party(name="nobody").is_of("", "")


def test_a_territory_may_cross_the_date_line() -> None:
    caribbean = Territory(name="C", south_deg=0.0, north_deg=30.0, west_deg=-100.0, east_deg=-45.0)
    pacific = Territory(name="P", south_deg=-10.0, north_deg=10.0, west_deg=170.0, east_deg=-170.0)
    held = replace(AGREEMENT, territories=(caribbean, pacific))
    assert held.in_territory(16.0, -74.5)
    assert held.in_territory(30.0, -45.0)
    assert not held.in_territory(30.1, -45.0)
    assert held.in_territory(0.0, 179.0)
    assert held.in_territory(0.0, -179.0)
    assert not held.in_territory(0.0, 0.0)
    assert AGREEMENT.in_territory(89.0, 0.0)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"until_us": 0}, "ends before it begins"),
        ({"parties": (PARTIES[0], *PARTIES)}, "'US' stands twice"),
        ({"parties": (PARTIES[0],)}, "names CO, who are no parties"),
        ({"parties": (PARTIES[0], replace(PARTIES[1], nation=""))}, "no nation and no organisation"),
        (
            {"parties": (PARTIES[0], replace(PARTIES[1], standings=PARTIES[1].standings[::-1]))},
            "order of time",
        ),
        ({"sharing": (CLAUSE, CLAUSE)}, "'1' stands twice"),
        ({"sharing": (replace(CLAUSE, highest="COSMIC"),)}, "'COSMIC'"),
        ({"sharing": (replace(CLAUSE, highest_tlp="PINK"),)}, "'PINK'"),
    ],
)
def test_what_cannot_be_meant_is_told(changes: dict[str, object], told: str) -> None:
    (fault,) = faults(replace(AGREEMENT, **changes))
    assert told in fault
    with pytest.raises(ValueError, match="agreement 'A'"):
        book([replace(AGREEMENT, **changes)])


def test_two_editions_cannot_begin_at_one_time() -> None:
    with pytest.raises(ValueError, match="two editions"):
        book([AGREEMENT, AGREEMENT])


def test_it_is_a_records_body() -> None:
    assert faults(AGREEMENT) == []
    assert json.decode(json.encode(AGREEMENT), type=Agreement) == AGREEMENT
    assert AgreementBook().at(0) == {}
