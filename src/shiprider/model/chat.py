"""Chat: what people of several nodes say to each other on one case or operation.

Always true: a message is never changed; an answer points to what it answers; who hears it its label decides.
"""

from typing import Literal

import msgspec

from shiprider.model.wording import Wording

RoomKind = Literal["case", "operation"]


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `chat_message`. `room` is the name of the case or operation."""

    room_kind: RoomKind
    room: str
    said: Wording
    reply_to: str = ""
