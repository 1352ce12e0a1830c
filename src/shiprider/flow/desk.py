"""The release desk of one node: policies, tear-lines, labels, partners and keys, as the API is handed them.

Always true: nothing is put together here but what the desk's parts need; the parts decide.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shiprider.flow.desk_steps import DeskSteps
from shiprider.flow.exchange.liaison import Liaison
from shiprider.flow.key_desk import KeyDesk
from shiprider.flow.policy_desk import Policies, PolicyDesk
from shiprider.flow.relabelling import Relabellings
from shiprider.flow.tear_lines import TearLines
from shiprider.model.release_class import ReleaseClass
from shiprider.model.tables import TABLES
from shiprider.ports.spool import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything about release that people decide, and the node's keys."""

    steps: DeskSteps
    policies: Policies
    policy: PolicyDesk
    tear_lines: TearLines
    labels: Relabellings
    keys: KeyDesk
    liaison: Liaison


def frame_classes(spool: Spool, node: str) -> Iterable[ReleaseClass]:
    """The classes of rows that this node's feeds give."""
    labels = {source.declaration.label for source in spool.sources()}
    return [
        ReleaseClass(label=label, origin=node, kind=table)
        for label in sorted(labels)
        for table in sorted(TABLES)
    ]
