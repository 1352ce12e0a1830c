"""The shape of every detector: a fold, (state, rows) -> (state, findings).

Always true: folding a history in one batch or in many gives the same findings once the watermark
has passed; a state is plain (numpy arrays, numbers, tuples, dicts of those), so it can be copied
and kept as a snapshot; nothing here reads a clock or draws a random number.
"""

from typing import Protocol, TypeVar

from shiprider.model.finding import Finding
from shiprider.model.rows import Rows
from shiprider.model.world import World

S = TypeVar("S")


class Detector(Protocol[S]):
    """One behaviour under one preset.

    `fold` may return a finding as "open" while it goes on and again, with the same key and start,
    when it grows or closes. `finish` gives what is still open at the end of the rows.
    """

    @property
    def behaviour(self) -> str: ...

    @property
    def preset(self) -> str: ...

    def start(self) -> S:
        """The state before any row."""
        ...

    def fold(self, state: S, rows: Rows, world: World) -> tuple[S, list[Finding]]:
        """Take the next rows, in order. The state handed in is not changed."""
        ...

    def finish(self, state: S, world: World) -> list[Finding]:
        """Findings still open when the rows end."""
        ...
