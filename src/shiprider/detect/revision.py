"""What late data changed: findings as published against findings as they are now.

Always true: a published finding keeps its identity where behaviour, preset, subtype and participants
match and the intervals touch; every published finding is accounted for exactly once, every present
one exactly once; nothing here mints an id (the ledger does, for "new" and the later parts of a split).
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import msgspec

from shiprider.model.finding import Finding

Kind = Literal["kept", "updated", "new", "retracted", "merged", "split"]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change. `published` and `now` are positions in the lists that were compared.

    kept, updated: one of each. new: only `now`. retracted: only `published`.
    merged: several `published` became the one in `now`; the first of them keeps its identity.
    split: the one in `published` became several in `now`; the first of them keeps its identity.
    Where several became several, there are merges and splits that together name each once.
    """

    kind: Kind
    published: tuple[int, ...] = ()
    now: tuple[int, ...] = ()


def revise(published: Sequence[Finding], now: Sequence[Finding]) -> list[Change]:
    """All changes, in order of the present findings, then those that are gone. Retracted ones do not count as now."""
    groups: dict[tuple[str, str, str, tuple[int, ...]], tuple[list[int], list[int]]] = defaultdict(
        lambda: ([], [])
    )
    for i, finding in enumerate(published):
        groups[finding.key()][0].append(i)
    for j, finding in enumerate(now):
        if finding.state != "retracted":
            groups[finding.key()][1].append(j)
    changes = [change for old, new in groups.values() for change in _within(published, now, old, new)]
    return sorted(changes, key=lambda change: (not change.now, change.now or change.published))


def retraction(published: Finding) -> Finding:
    """The published finding, withdrawn: same content, another state."""
    return msgspec.structs.replace(published, state="retracted")


def _within(
    published: Sequence[Finding], now: Sequence[Finding], old: list[int], new: list[int]
) -> list[Change]:
    """Changes among findings of one key: first the pairs that overlap most, then what is left over."""
    pairs = sorted(
        (-shared, i, j) for i in old for j in new if (shared := _overlap_us(published[i], now[j])) >= 0
    )
    heir_of: dict[int, int] = {}
    parent_of: dict[int, int] = {}
    for _, i, j in pairs:
        if i not in heir_of and j not in parent_of:
            heir_of[i], parent_of[j] = j, i
    swallowed: dict[int, list[int]] = defaultdict(list)
    parts: dict[int, list[int]] = defaultdict(list)
    used_old, used_new = set(heir_of), set(parent_of)
    for _, i, j in pairs:
        if i not in used_old:
            swallowed[j].append(i)
            used_old.add(i)
        if j not in used_new:
            parts[i].append(j)
            used_new.add(j)
    changes = []
    for i, j in heir_of.items():
        if parts[i]:
            changes.append(Change(kind="split", published=(i,), now=(j, *parts[i])))
        if swallowed[j]:
            first = () if parts[i] else (i,)
            changes.append(
                Change(kind="merged", published=(*first, *swallowed[j]), now=() if parts[i] else (j,))
            )
        if not parts[i] and not swallowed[j]:
            changes.append(
                Change(kind="kept" if published[i] == now[j] else "updated", published=(i,), now=(j,))
            )
    changes.extend(Change(kind="retracted", published=(i,)) for i in old if i not in used_old)
    changes.extend(Change(kind="new", now=(j,)) for j in new if j not in used_new)
    return changes


def _overlap_us(a: Finding, b: Finding) -> int:
    """How long both last, 0 where they only touch, negative where they do not."""
    return min(a.end_us, b.end_us) - max(a.start_us, b.start_us)
