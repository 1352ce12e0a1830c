"""A release class: everything of a record or frame that a release decision may depend on.

Always true: two records of one class are seen by the same observers, so the policy engine decides per
class and a store filters by the class's number alone.
"""

from typing import Literal

import msgspec

#: What may be asked of an object; a later issue adds its own.
Action = Literal["read", "change", "export", "release", "downgrade"]


class ReleaseClass(msgspec.Struct, frozen=True, kw_only=True):
    """`label` in its stored text (model/label.py; empty: unlabelled, its originator's own); `origin` the node.

    `kind` is the record's, or the frame's table; empty is unknown, and no clause that names kinds covers it.
    """

    label: str
    origin: str
    purpose: str = ""
    case: str = ""
    kind: str = ""
