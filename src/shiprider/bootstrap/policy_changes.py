"""What a new policy file would newly release."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.node import open_node
from shiprider.bootstrap.policies import policy, read_rules
from shiprider.bootstrap.times import time_of
from shiprider.model.release_class import ReleaseClass
from shiprider.ports.ledger import Ledger

if TYPE_CHECKING:
    from shiprider.share.change import Change


def policy_change(old: str, new: str, folder: Path | None, moment: str) -> "Change":
    """What a new policy file would release: of a node's ledger, or of everything the two tell apart.

    Raises UsageError, InputError, NodeBusy.
    """
    from shiprider.share.change import compared, observer_kinds, sample_classes

    before, after = read_rules(old), read_rules(new)
    for rules in (before, after):
        policy(rules)
    now_us = time_of(moment) if moment else wall_us()
    classes = Counter[ReleaseClass]()
    if folder is None:
        classes.update(sample_classes(before, after))
    else:
        with open_node(folder) as opened:
            classes.update(ledger_classes(opened.ledger))
    return compared(before, after, observer_kinds(before, after, classes=classes), classes, now_us)


def ledger_classes(ledger: Ledger) -> Iterator[ReleaseClass]:
    """The class of every revision whose body is there, in order."""
    at = 0
    while page := ledger.since(at):
        for record in page:
            if record.body is not None:
                yield ReleaseClass(
                    label=record.label,
                    origin=record.origin,
                    purpose=record.purpose,
                    case=record.case,
                    kind=record.kind,
                )
        at = page[-1].sequence
