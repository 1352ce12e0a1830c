"""Chat on a case or an operation.

Always true: a message of a case is a record of that case, so only who is assigned to the case reads it; an answer is
known to no more than the message it answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from msgspec import structs

from shiprider.flow.terms import room_term
from shiprider.flow.view import Seen, View, seen
from shiprider.flow.working.pen import Pen
from shiprider.model.chat import ChatMessage, RoomKind
from shiprider.model.errors import NotFound, UsageError
from shiprider.model.wording import Wording
from shiprider.ports.ledger import Query

KIND: Final = "chat_message"


@dataclass(frozen=True, slots=True)
class Room:
    """A case or an operation on which somebody has written."""

    kind: RoomKind
    name: str


class Chat:
    """What one person says."""

    def __init__(self, pen: Pen) -> None:
        self._pen = pen

    def say(
        self,
        room: Room,
        said: Wording,
        *,
        author: str,
        to: Sequence[str] = (),
        classification: str = "RESTRICTED",
        label: str = "",
        reply_to: str = "",
    ) -> Seen[ChatMessage]:
        """Write a message; to nobody beyond this node where neither `to` nor a label is given, nor it is an answer.

        Raises UsageError, InputError, Forbidden, NotFound.
        """
        pen = self._pen
        if not room.name.strip() or not room.name.isprintable() or len(room.name) > 120:
            raise UsageError("A case or operation is named in 120 printable letters: name it.")
        partners = pen.addressed(tuple(to))
        about = []
        if reply_to:
            answered = pen.view.one(reply_to, KIND, ChatMessage)
            if (answered.body.room_kind, answered.body.room) != (room.kind, room.name):
                raise NotFound("The message that you answer is of another room: look it up again.")
            about = [answered.record]
        given = label or pen.label_for(partners, classification)
        case = room.name if room.kind == "case" else ""
        of = pen.of_kind(KIND, pen.label_of(given, about), case=case)
        pen.check_reach(partners, of, "this message")
        body = ChatMessage(room_kind=room.kind, room=room.name, said=said, reply_to=reply_to)
        return seen(pen.write(of, body, author), ChatMessage)


def messages(view: View, room: Room, *, after: int | None, limit: int) -> list[Seen[ChatMessage]]:
    """Messages of a room that the observer sees, newest first; `after` is the place of the page before."""
    listed: list[Seen[ChatMessage]] = []
    while len(listed) < limit:
        query = Query(
            KIND,
            ((room_term(room.kind, room.name),),),
            after=None if after is None else (after, ""),
            limit=limit,
        )
        page = view.found(query, ChatMessage)
        # A room's name is in the envelope of a case's message too: what says otherwise is no message of the case.
        listed += [each for each in page if room.kind != "case" or each.record.case == room.name]
        if len(page) < limit:
            break
        after = page[-1].record.sequence
    listed = listed[:limit]
    linked = view.there(each.body.reply_to for each in listed)
    return [
        each if each.body.reply_to in linked else replace(each, body=structs.replace(each.body, reply_to=""))
        for each in listed
    ]


def operations(view: View) -> list[str]:
    """Operations on which the observer sees a message, by name."""
    found = view.of_kind(KIND, ChatMessage)
    return sorted({each.body.room for each in found if each.body.room_kind == "operation"})
