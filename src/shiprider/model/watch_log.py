"""The watch log: what happened on the watch, line by line.

Always true: a line is never changed; decisions write their own line in the same commit.
"""

from typing import Literal

import msgspec


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """`text` as written by a person; for a decision `step` and `alert` say what, and `text` why."""

    text: str
    source: Literal["person", "decision", "node"] = "person"
    step: str = ""
    alert: str = ""
