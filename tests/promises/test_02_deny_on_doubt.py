"""Promise 2: deny on doubt.

Somebody who may read is taken one attribute, one part of the label, one day of the agreement at a time; each time
the answer must turn to no. The engine is then made to fail in every way it can, the way it fails open among them.
"""

import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import cedarpy
import pytest
from msgspec.structs import replace

from promises.policy_cases import BROKEN, T0, moments, observer, release_class, rules
from shiprider.adapters.policy.cedar import CedarPolicy
from shiprider.adapters.policy.compiling import policy_text
from shiprider.measure.clock import HOUR_US
from shiprider.model.agreement import Agreement, Party, SharingClause, Standing, book
from shiprider.model.errors import UsageError
from shiprider.model.label import OWN, Label, combine, parse, written
from shiprider.model.observer import Observer
from shiprider.model.release_class import ReleaseClass
from shiprider.model.rules import Home, Rules, home_of
from shiprider.share.mask import ClassTable
from shiprider.share.release import ACTIONS, ENGINE_ERROR, judge

END = T0 + HOUR_US

AGREEMENT = Agreement(
    id="A-1",
    title="An invented arrangement",
    from_us=T0 - HOUR_US,
    until_us=T0 + 10 * HOUR_US,
    parties=(
        Party(name="US", nation="USA", standings=(Standing(from_us=0, status="in_force"),)),
        Party(
            name="CO",
            nation="COL",
            standings=(
                Standing(from_us=0, status="signed"),
                Standing(from_us=T0 - HOUR_US, status="provisional"),
                Standing(from_us=T0 + 2 * HOUR_US, status="suspended"),
            ),
        ),
    ),
    sharing=(
        SharingClause(
            id="1",
            shared_by=("US",),
            shared_with=("CO",),
            kinds=("finding",),
            purposes=("counterdrug",),
            highest="SECRET",
        ),
    ),
)
RULES = Rules(
    "key-west",
    (Home(node="key-west", nation="USA"), Home(node="bogota", nation="COL")),
    book([AGREEMENT]),
)
LABEL = (
    "policy=COALITION class=SECRET rel=nations:COL,USA;organisations:ARC;communities:JIATF purpose=counterdrug "
    "agreements=A-1 tlp=AMBER+STRICT expires=2026-09-21T15:13:20Z"
)
CLASS = ReleaseClass(
    label=written(LABEL).text, origin="key-west", purpose="counterdrug", case="C1", kind="finding"
)
READER = Observer(
    name="a reader",
    roles=("liaison_officer",),
    nation="COL",
    organisation="ARC",
    communities=("JIATF",),
    clearance="SECRET",
    purpose="counterdrug",
    cases=("C1",),
)


def may(who: Observer = READER, of: ReleaseClass = CLASS, at_us: int = T0, by: Rules = RULES) -> bool:
    """What the engine says, and the rule and the mask say too."""
    decided = CedarPolicy(by).decide(who, "read", [of], at_us)[0]
    told = judge(by, who, "read", of, at_us)
    assert (decided.allowed, decided.reasons) == (told.allowed, told.reasons)
    assert bool(ClassTable([of]).mask(by, who, "read", at_us)[0]) == told.allowed
    return decided.allowed


def test_the_label_of_these_tests_ends_where_they_say() -> None:
    label = parse(CLASS.label)
    assert isinstance(label, Label)
    assert label.expires_us == END


def test_with_everything_in_place_it_may_be_read() -> None:
    assert may()


@pytest.mark.parametrize(
    "missing",
    [
        {"roles": ()},
        {"roles": ("boss",)},
        {"nation": ""},
        {"nation": "col"},
        {"organisation": ""},
        {"communities": ()},
        {"clearance": ""},
        {"clearance": "CONFIDENTIAL"},
        {"clearance": "COSMIC"},
        {"purpose": ""},
        {"purpose": "rescue"},
        {"cases": ()},
        {"cases": ("C2",)},
    ],
    ids=str,
)
def test_without_an_attribute_nothing(missing: dict[str, object]) -> None:
    assert not may(replace(READER, **missing))


@pytest.mark.parametrize("role", ["node_administrator", "auditor"])
def test_who_keeps_the_node_or_its_log_reads_no_content(role: str) -> None:
    assert not may(replace(READER, roles=(role,)))
    for action in ACTIONS:
        own = replace(READER, roles=(role,), nation="USA")
        assert not judge(RULES, own, action, CLASS, T0).allowed


@pytest.mark.parametrize("text", BROKEN)
def test_an_unknown_label_is_for_its_most_trusted_originators_only(text: str) -> None:
    of = replace(CLASS, label=text)
    assert not may(of=of)
    assert not may(replace(READER, nation="USA"), of)
    assert not may(replace(READER, clearance="TOP_SECRET"), of)
    trusted = replace(READER, nation="USA", clearance="TOP_SECRET")
    assert may(trusted, of)
    assert not judge(RULES, trusted, "export", of, T0).allowed
    assert not judge(RULES, replace(trusted, roles=("legal_adviser",)), "release", of, T0).allowed


def test_no_label_is_for_the_originator_only() -> None:
    assert not may(of=replace(CLASS, label=OWN.text))
    assert may(replace(READER, nation="USA"), replace(CLASS, label=OWN.text))


@pytest.mark.parametrize("origin", ["", "elsewhere", "KEY-WEST"])
def test_nobody_is_at_home_in_a_node_that_is_not_known(origin: str) -> None:
    assert not may(of=replace(CLASS, origin=origin))
    assert not may(replace(READER, nation="USA"), replace(CLASS, origin=origin, label=OWN.text))


def test_a_home_of_nobody_is_refused() -> None:
    by = Rules("key-west", (Home(node="key-west"),), book([]))
    assert not judge(by, replace(READER, nation=""), "read", replace(CLASS, label=""), T0).allowed
    with pytest.raises(UsageError, match="no nation and no organisation"):
        CedarPolicy(by)
    assert home_of("key-west") == Home(node="key-west", organisation="key-west")


def test_a_kind_that_is_not_told_is_under_no_clause_that_names_kinds() -> None:
    assert not may(of=replace(CLASS, kind=""))
    assert not may(of=replace(CLASS, kind="alert"))


def test_to_the_microsecond() -> None:
    assert may(at_us=END - 1)
    assert not may(at_us=END)
    lasting = replace(CLASS, label=written(LABEL.replace("expires=2026-09-21T15:13:20Z", "")).text)
    # Provisional application begins and is suspended; the edition begins and ends.
    assert may(of=lasting, at_us=T0 - HOUR_US)
    assert not may(of=lasting, at_us=T0 - HOUR_US - 1)
    assert may(of=lasting, at_us=T0 + 2 * HOUR_US - 1)
    assert not may(of=lasting, at_us=T0 + 2 * HOUR_US)
    ends = Rules(RULES.node, RULES.homes, book([replace(AGREEMENT, until_us=T0)]))
    assert may(of=lasting, at_us=T0 - 1, by=ends)
    assert not may(of=lasting, at_us=T0, by=ends)


def test_answers_that_are_kept_do_not_outlive_their_time() -> None:
    policy = CedarPolicy(RULES)
    answers = [
        policy.decide(READER, "read", [CLASS], at)[0].allowed for at in (T0, END - 1, END, END + 1, T0)
    ]
    assert answers == [True, True, False, False, True]
    lasting = replace(CLASS, label=written(LABEL.replace("expires=2026-09-21T15:13:20Z", "")).text)
    edge = T0 + 2 * HOUR_US
    answers = [policy.decide(READER, "read", [lasting], at)[0].allowed for at in (edge - 1, edge, edge - 1)]
    assert answers == [True, False, True]


def test_an_agreement_nobody_knows_or_that_says_nothing() -> None:
    unknown = replace(CLASS, label=written(LABEL.replace("A-1", "A-1,B-2")).text)
    assert not may(of=unknown)
    silent = Rules(RULES.node, RULES.homes, book([replace(AGREEMENT, sharing=())]))
    assert not may(by=silent)
    assert not may(by=Rules(RULES.node, RULES.homes, book([])))
    named_none = replace(CLASS, label=written(LABEL.replace("agreements=A-1", "")).text)
    assert may(of=named_none)
    assert not may(of=named_none, by=Rules(RULES.node, RULES.homes, book([])))


# -- the engine fails ---------------------------------------------------------------------------------

FAILS_OPEN = """
@id("overflow")
forbid(principal, action, resource) when { context.at + 9223372036854775807 > 0 };
"""


def test_cedar_itself_fails_open_and_we_do_not() -> None:
    text = policy_text(RULES) + FAILS_OPEN
    policy = CedarPolicy(RULES, text=text)
    # What the engine says when a forbid cannot be evaluated: it is skipped.
    seen: list[cedarpy.AuthzResult] = []
    real = cedarpy.is_authorized_batch

    def watched(*given: object, **named: object) -> list[cedarpy.AuthzResult]:
        seen.extend(real(*given, **named))  # type: ignore[arg-type]
        return seen

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cedarpy, "is_authorized_batch", watched)
        decided = policy.decide(READER, "read", [CLASS], T0)
    assert seen[0].decision is cedarpy.Decision.Allow
    assert seen[0].diagnostics.errors
    assert not decided[0].allowed
    assert decided[0].reasons == (ENGINE_ERROR,)


def _raises(*_: object, **__: object) -> list[cedarpy.AuthzResult]:
    raise RuntimeError("the engine is gone")


def _answers(*results: dict[str, object]) -> Callable[..., list[cedarpy.AuthzResult]]:
    return lambda *_, **__: [cedarpy.AuthzResult(result) for result in results]


@pytest.mark.parametrize(
    "engine",
    [
        _raises,
        _answers(),
        _answers({"decision": "NoDecision"}),
        _answers({"decision": "Allow"}),
        _answers({"decision": "allow", "diagnostics": {"id_annotations_by_reason": {"p": "own"}}}),
        _answers(
            {"decision": "Allow", "diagnostics": {"id_annotations_by_reason": {"p": "own"}, "errors": ["x"]}}
        ),
        _answers({}),
    ],
)
def test_an_engine_that_fails_or_mumbles_allows_nothing(
    engine: Callable[..., list[cedarpy.AuthzResult]], monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = CedarPolicy(RULES)
    monkeypatch.setattr(cedarpy, "is_authorized_batch", engine)
    decided = policy.decide(READER, "read", [CLASS], T0)
    assert [each.allowed for each in decided] == [False]
    assert decided[0].reasons == (ENGINE_ERROR,)


@pytest.mark.parametrize(
    "odd",
    [{"nation": None}, {"communities": (1,)}, {"clearance": None}, {"roles": None}, {"purpose": "\ud800"}],
)
def test_an_attribute_of_another_type_allows_nothing(odd: dict[str, object]) -> None:
    assert not CedarPolicy(RULES).decide(replace(READER, **odd), "read", [CLASS], T0)[0].allowed


@pytest.mark.parametrize("at_us", [2**63, -(2**63) - 1, 2**70])
def test_a_time_beyond_all_times_allows_nothing(at_us: int) -> None:
    assert not CedarPolicy(RULES).decide(READER, "read", [CLASS], at_us)[0].allowed


def test_a_failure_is_not_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = CedarPolicy(RULES)
    with monkeypatch.context() as patch:
        patch.setattr(cedarpy, "is_authorized_batch", _raises)
        assert not policy.decide(READER, "read", [CLASS], T0)[0].allowed
    with monkeypatch.context() as patch:
        patch.setattr(cedarpy, "is_authorized_batch", _answers({"decision": "NoDecision"}))
        assert not policy.decide(READER, "read", [CLASS], T0)[0].allowed
    assert policy.decide(READER, "read", [CLASS], T0)[0].allowed


def test_many_threads_get_the_answers_of_one() -> None:
    rng = random.Random(5)
    policy, what = CedarPolicy(RULES), [release_class(rng, T0) for _ in range(60)]
    who = [observer(rng) for _ in range(8)]
    expected = [[judge(RULES, each, "read", of, T0).allowed for of in what] for each in who]

    def ask(place: int) -> list[bool]:
        return [decision.allowed for decision in policy.decide(who[place % 8], "read", what, T0)]

    with ThreadPoolExecutor(8) as pool:
        for place, answer in enumerate(pool.map(ask, range(64))):
            assert answer == expected[place % 8]


@pytest.mark.parametrize(
    "text",
    [
        "permit(principal, action, resource) when { resource.colour == 1 };",
        'permit(principal, action == Action::"copy", resource);',
        "permit(principal, action, resource) when { principal.nation == 1 };",
        "permit(principal, action, resource",
    ],
)
def test_policies_that_do_not_fit_the_schema_are_not_made(text: str) -> None:
    with pytest.raises(UsageError):
        CedarPolicy(RULES, text=text)


# -- combinations -------------------------------------------------------------------------------------


def test_what_is_made_of_several_is_seen_by_nobody_who_may_not_see_each() -> None:
    """A hundred thousand random triples of observer and two labels: the combination never widens."""
    checked = seen = 0
    for seed in range(25):
        rng = random.Random(1000 + seed)
        by = rules(rng)
        times = [moments(rng, by) for _ in range(4)]
        pairs = [(release_class(rng, times[0]), release_class(rng, times[0])) for _ in range(100)]
        ones = [one for one, _ in pairs]
        others = [replace(one, label=other.label) for one, other in pairs]
        both = [
            replace(one, label=combine(parse(one.label), parse(other.label)).text) for one, other in pairs
        ]
        tables: Sequence[ClassTable] = [ClassTable(listed) for listed in (ones, others, both)]
        for _ in range(40):
            who, at_us, action = observer(rng), rng.choice(times), rng.choice(ACTIONS)
            one, other, whole = (table.mask(by, who, action, at_us) for table in tables)
            assert not (whole & ~(one & other)).any()
            checked += len(pairs)
            seen += int(whole.sum())
    assert checked >= 100_000
    assert seen > 1_000
