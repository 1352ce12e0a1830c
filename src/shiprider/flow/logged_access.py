"""Access that is logged: nothing is handed out before its entry is durable, and a refusal is logged as well.

Always true: where the log cannot be written the caller gets the log's error and never the result; an entry
names what was asked, who asked, and why it was refused, never the content.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec

from shiprider.model.access_entry import AccessEntry, Act
from shiprider.model.errors import Forbidden, NotFound
from shiprider.model.observer import Observer
from shiprider.ports.access_log import AccessLog

T = TypeVar("T")

#: Objects named in one entry; more go into further entries of the same append.
OBJECTS_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Accesses:
    """Where accesses of one node are recorded. `clock` in microseconds since 1970 UTC."""

    log: AccessLog
    clock: Callable[[], int]

    def entry(
        self,
        observer: Observer,
        act: Act,
        what: str,
        outcome: Literal["allowed", "denied", "failed"],
        *,
        count: int = 0,
        case: str = "",
        why: str = "",
    ) -> AccessEntry:
        """An entry of now, without objects."""
        return AccessEntry(
            at_us=self.clock(),
            who=observer.login or observer.name,
            name=observer.name if observer.login else "",
            session=observer.session,
            act=act,
            what=what,
            outcome=outcome,
            count=count,
            purpose=observer.purpose,
            case=case,
            why=why,
        )

    def record(self, entry: AccessEntry, objects: Sequence[str] = ()) -> None:
        """Durable on return, with every object named. Raises StorageError, DiskFull."""
        parts = [objects[at : at + OBJECTS_AT_ONCE] for at in range(0, len(objects), OBJECTS_AT_ONCE)] or [()]
        self.log.append([msgspec.structs.replace(entry, objects=tuple(part)) for part in parts])

    def give(
        self,
        observer: Observer,
        act: Act,
        what: str,
        work: Callable[[], T],
        objects_of: Callable[[T], Sequence[str]],
        *,
        case: str = "",
        why: str = "",
    ) -> T:
        """The result of `work` once its entry is durable; `why` is the asker's own reason.

        Raises what `work` raises, StorageError, DiskFull.
        """
        try:
            result = work()
        except (Forbidden, NotFound) as error:
            self.record(self.entry(observer, act, what, "denied", case=case, why=type(error).__name__))
            raise
        except Exception as error:
            self.record(self.entry(observer, act, what, "failed", case=case, why=type(error).__name__))
            raise
        objects = objects_of(result)
        self.record(
            self.entry(observer, act, what, "allowed", count=len(objects), case=case, why=why), objects
        )
        return result
