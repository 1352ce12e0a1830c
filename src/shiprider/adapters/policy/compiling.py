"""From rules to Cedar: the schema, and the policies as text.

Always true: the same rules give the same text; every policy has an `@id` that is the reason it gives; a text is
valid against the schema or it is not made (`cedar.py` checks).

Permits say who is given something (the originator's people, the parties of a clause, everyone where it is public);
forbids are the objections of `share/release.py`, one each.
"""

from collections.abc import Callable, Iterable
from typing import Final

from shiprider.model.agreement import ALWAYS_US, Party, SharingClause
from shiprider.model.label import Classification, Tlp
from shiprider.model.rules import Rules
from shiprider.share.release import AUDITED, AUDITED_ROLES, COURT, ROLES

SCHEMA: Final = """
entity Observer = {
  nation: String, organisation: String, communities: Set<String>, clearance: Long,
  purpose: String, cases: Set<String>, roles: Set<String>,
};
entity Class = {
  known: Bool, origin: String, kind: String, purpose: String, case: String,
  level: Long, tlp: Long, expires: Long,
  any_nation: Bool, nations: Set<String>,
  any_organisation: Bool, organisations: Set<String>,
  any_community: Bool, communities: Set<String>,
  any_purpose: Bool, purposes: Set<String>,
  caveats: Set<String>, agreements: Set<String>, originators: Set<String>,
};
action read, change, export, release, downgrade
  appliesTo { principal: Observer, resource: Class, context: { at: Long } };
"""

_CONTENT: Final = '[Action::"read", Action::"change", Action::"export", Action::"release"]'


#: By agreement: its clauses, and when each covers class and principal.
_Coverage = dict[str, list[tuple[SharingClause, str]]]

#: A nation and an organisation.
Whose = tuple[str, str]


def policy_text(rules: Rules, asker: Whose | None = None) -> str:
    """The policies of a node; with `asker` only what can concern somebody of that nation and organisation.

    The engine goes through every policy for every request. A condition that asks for another nation is false for
    this one, so leaving it out changes no answer.
    """
    home = _home(rules, asker)
    say = f"({home} && [resource.origin].containsAll(resource.originators))"
    coverage = _coverage(rules, asker)
    return "\n".join(
        (*_permits(home, coverage), *_objections(rules, home, coverage), *_passing_on(say, coverage))
    )


def _permits(home: str, coverage: _Coverage) -> Iterable[str]:
    yield _policy("own", "permit", "action", home)
    yield _policy(
        "public",
        "permit",
        'action in [Action::"read", Action::"export", Action::"release"]',
        f"resource.known && resource.level == 0 && resource.tlp == {int(Tlp.CLEAR)} && resource.any_nation "
        "&& resource.any_organisation && resource.any_community && resource.caveats.isEmpty() "
        "&& resource.agreements.isEmpty()",
    )
    # One clause may stand in several editions: one policy each, with one name.
    for agreement, clauses in coverage.items():
        for clause, covered in clauses:
            name = f"clause:{agreement}/{clause.id}"
            yield _policy(name, "permit", f"action in {_CONTENT}", f"resource.known && {covered}")


def _objections(rules: Rules, home: str, coverage: _Coverage) -> Iterable[str]:
    for action, roles in ROLES.items():
        asked = f'action == Action::"{action}"'
        audited, lacking = f"{_set(AUDITED)}.contains(resource.kind)", _lacks_role(roles)
        yield _policy("role", "forbid", asked, f"!{audited} && {lacking}")
        yield _policy("role", "forbid", asked, f"{audited} && {_lacks_role(AUDITED_ROLES.get(action, ()))}")
    yield _policy(
        "case", "forbid", "action", 'resource.case != "" && !principal.cases.contains(resource.case)'
    )
    yield _policy(
        "record_purpose",
        "forbid",
        f"action in {_CONTENT}",
        'resource.purpose != "" && resource.purpose != principal.purpose',
    )
    yield _policy(
        "not_ours", "forbid", 'action == Action::"change"', f"resource.origin != {quoted(rules.node)}"
    )
    yield _policy(
        "unknown_label",
        "forbid",
        "action",
        f"!resource.known && !({home} && principal.clearance >= {int(Classification.TOP_SECRET)})",
    )
    yield _policy(
        "unknown_label",
        "forbid",
        'action in [Action::"export", Action::"release"]',
        "!resource.known",
    )
    yield _policy(
        "clearance", "forbid", "action", "resource.level > 0 && resource.level > principal.clearance"
    )
    yield _policy(
        "label_purpose",
        "forbid",
        f"action in {_CONTENT}",
        "!resource.any_purpose && !resource.purposes.contains(principal.purpose)",
    )
    yield _policy(
        "no_court_use",
        "forbid",
        f"action in {_CONTENT}",
        f'resource.caveats.contains("NO-COURT-USE") && principal.purpose == {quoted(COURT)}',
    )
    yield _policy("label_expired", "forbid", "action", f"context.at >= resource.expires && !{home}")
    yield _policy(
        "not_releasable",
        "forbid",
        "action",
        "!("
        "(resource.any_nation || resource.nations.contains(principal.nation)) && "
        "(resource.any_organisation || resource.organisations.contains(principal.organisation)) && "
        "(resource.any_community || resource.communities.containsAny(principal.communities))) "
        f"&& !{home}",
    )
    yield _policy(
        "red_without_case",
        "forbid",
        "action",
        f'resource.tlp == {int(Tlp.RED)} && resource.case == "" && !{home}',
    )
    yield _policy(
        "agreement",
        "forbid",
        "action",
        f"!resource.agreements.isEmpty() && !{_each_named(coverage, lambda _: True)} && !{home}",
    )


def _passing_on(say: str, coverage: _Coverage) -> Iterable[str]:
    passed = 'action in [Action::"export", Action::"release"]'
    released = 'action == Action::"release"'
    yield _policy(
        "not_originator",
        "forbid",
        'action == Action::"downgrade"',
        f"!{say}",
    )
    yield _policy("orcon", "forbid", passed, f'resource.caveats.contains("ORCON") && !{say}')
    yield _policy(
        "no_onward_sharing", "forbid", passed, f'resource.caveats.contains("NO-ONWARD-SHARING") && !{say}'
    )
    yield _policy(
        "tlp_onward",
        "forbid",
        'action == Action::"export"',
        f"resource.tlp == {int(Tlp.RED)} && !{say}",
    )
    yield _policy("tlp_onward", "forbid", released, f"resource.tlp >= {int(Tlp.AMBER)} && !{say}")
    onward = _each_named(coverage, lambda clause: clause.onward == "parties")
    some = _any(c for clauses in coverage.values() for k, c in clauses if k.onward == "parties")
    yield _policy(
        "no_onward_agreement",
        "forbid",
        released,
        f"!{say} && !({some} && {onward})",
    )


# -- conditions ---------------------------------------------------------------------------------------


def _home(rules: Rules, asker: Whose | None) -> str:
    """Whether the principal is one of the originator's people."""
    each = [
        _all(
            f"resource.origin == {quoted(home.node)}",
            f"principal.nation == {quoted(home.nation)}" if home.nation else "",
            f"principal.organisation == {quoted(home.organisation)}" if home.organisation else "",
        )
        for home in rules.homes
        if (home.nation or home.organisation) and (asker is None or home.is_of(*asker))
    ]
    return _any(each)


def _coverage(rules: Rules, asker: Whose | None) -> _Coverage:
    """By agreement: every clause of every edition, and when it covers class and principal."""
    found: _Coverage = {}
    for edition in rules.book.editions():
        agreement = edition.agreement
        for clause in agreement.sharing:
            givers = [
                _all(
                    _any(f"resource.origin == {quoted(node)}" for node in nodes),
                    _during(party),
                )
                for party in map(agreement.party, clause.shared_by)
                if (nodes := sorted({home.node for home in rules.homes if home.is_party(party)}))
            ]
            takers = [
                _all(
                    f"principal.nation == {quoted(party.nation)}" if party.nation else "",
                    f"principal.organisation == {quoted(party.organisation)}" if party.organisation else "",
                    _during(party),
                )
                for party in map(agreement.party, clause.shared_with)
                if (party.nation or party.organisation) and (asker is None or party.is_of(*asker))
            ]
            if not takers:
                continue
            # What tells most clauses apart comes first: the engine goes through all of them.
            condition = _all(
                _any(takers),
                _any(givers),
                _span(edition.start_us, edition.end_us),
                f"resource.level <= {int(clause.classification)}",
                f"resource.tlp <= {int(clause.tlp)}",
                _among(clause.kinds, "resource.kind"),
                _among(clause.purposes, "principal.purpose"),
            )
            found.setdefault(agreement.id, []).append((clause, condition))
    return found


def _each_named(coverage: _Coverage, wanted: Callable[[SharingClause], bool]) -> str:
    """Whether every agreement that the label names is known, and has such a clause that covers."""
    usable = {
        name: conditions
        for name, clauses in sorted(coverage.items())
        if (conditions := [condition for clause, condition in clauses if wanted(clause)])
    }
    if not usable:
        return "resource.agreements.isEmpty()"
    each = [
        f"(!resource.agreements.contains({quoted(name)}) || {_any(conditions)})"
        for name, conditions in usable.items()
    ]
    return _all(f"{_set(usable)}.containsAll(resource.agreements)", *each)


def _lacks_role(roles: tuple[str, ...]) -> str:
    # An empty set has no type, so the schema refuses it.
    return f"!principal.roles.containsAny({_set(roles)})" if roles else "true"


def _during(party: Party) -> str:
    return _any(_span(start, end) for start, end in party.binding_spans())


def _span(start_us: int, end_us: int) -> str:
    end = "" if end_us >= ALWAYS_US else f"context.at < {end_us}"
    return _all(f"context.at >= {start_us}", end)


def _among(names: tuple[str, ...], what: str) -> str:
    if names == ("*",):
        return ""
    given = [name for name in names if name]
    return f"{_set(given)}.contains({what})" if given else "false"


def _all(*conditions: str) -> str:
    given = [each for each in conditions if each]
    return f"({' && '.join(given)})" if given else "true"


def _any(conditions: Iterable[str]) -> str:
    given = [each for each in conditions if each]
    return f"({' || '.join(given)})" if given else "false"


def _set(names: Iterable[str]) -> str:
    return f"[{', '.join(quoted(name) for name in names)}]"


def _policy(name: str, effect: str, action: str, condition: str) -> str:
    return f"@id({quoted(name)})\n{effect}(principal, {action}, resource) when {{ {condition} }};"


def quoted(text: str) -> str:
    """A Cedar string: whatever is not plain is written by its code point."""
    plain = (c if c.isascii() and c.isprintable() and c not in '"\\' else f"\\u{{{ord(c):x}}}" for c in text)
    return '"' + "".join(plain) + '"'
