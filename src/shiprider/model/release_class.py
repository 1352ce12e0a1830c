"""A release class: everything of a record or frame that a release decision may depend on.

Always true: two records of one class are seen by the same observers, so the policy engine decides per
class and a store filters by the class's number alone.
"""

import msgspec


class ReleaseClass(msgspec.Struct, frozen=True, kw_only=True):
    """`label` in its stored text (model/label.py; empty: unlabelled, its originator's own); `origin` the node."""

    label: str
    origin: str
    purpose: str = ""
    case: str = ""
