"""Numbers for release classes, as they are needed.

Always true: a number stands for one class for ever; one that a failed commit would have made is not kept.
"""

from collections.abc import Mapping

from sqlalchemy import Connection, insert

from shiprider.adapters.ledger.tables import RELEASE_CLASS
from shiprider.model.release_class import ReleaseClass


class Classes:
    """Known classes, and the new ones of the commit at hand."""

    def __init__(self, known: Mapping[int, ReleaseClass]) -> None:
        self._known = dict(known)
        self._numbers = {each: number for number, each in known.items()}
        self._new: dict[ReleaseClass, int] = {}

    def number(self, wanted: ReleaseClass) -> int:
        """Its number, a new one if need be."""
        found = self._numbers.get(wanted)
        if found is None:
            found = self._new.get(wanted)
        if found is None:
            found = max(self._known, default=0) + len(self._new) + 1
            self._new[wanted] = found
        return found

    def write(self, connection: Connection) -> None:
        """Store the new ones in the open transaction."""
        rows = [
            {
                "id": number,
                "label": c.label,
                "origin": c.origin,
                "purpose": c.purpose,
                "case": c.case,
                "kind": c.kind,
            }
            for c, number in self._new.items()
        ]
        if rows:
            connection.execute(insert(RELEASE_CLASS), rows)

    def settle(self, committed: bool) -> None:
        """Keep the new ones, or forget them."""
        if committed and self._new:
            self._known = {**self._known, **{number: each for each, number in self._new.items()}}
            self._numbers.update(self._new)
        self._new = {}

    def known(self) -> Mapping[int, ReleaseClass]:
        """Every class that is stored."""
        return self._known


def keys_of(classes: Mapping[int, ReleaseClass]) -> dict[int, tuple[str, str, str, str, str]]:
    """Plain tuples (label, origin, purpose, case, kind) by number, for quick comparison."""
    return {number: (c.label, c.origin, c.purpose, c.case, c.kind) for number, c in classes.items()}
