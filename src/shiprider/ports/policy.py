"""Policy: who may do what with which release class; the only place where that is decided.

Always true: deny on doubt (missing attribute, unknown label or caveat, expired agreement, engine error).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shiprider.model.observer import Observer
from shiprider.model.release_class import Action as Action
from shiprider.model.release_class import ReleaseClass


@dataclass(frozen=True, slots=True)
class Decision:
    """`reasons` name the clauses that allowed it, or what was missing; in words of the catalogue (keys)."""

    allowed: bool
    reasons: tuple[str, ...] = ()


class Policy(Protocol):
    """One version of a node's rules."""

    @property
    def version(self) -> str:
        """Digest of everything the answers depend on; answers may be cached under it."""
        ...

    def decide(
        self, observer: Observer, action: Action, classes: Sequence[ReleaseClass], at_us: int
    ) -> list[Decision]:
        """One decision per class, in order. Never raises for what an observer or label lacks: that is a denial."""
        ...

    def until_us(self, classes: Sequence[ReleaseClass], at_us: int) -> int:
        """The moment up to which answers given at `at_us` about these classes stand."""
        ...
