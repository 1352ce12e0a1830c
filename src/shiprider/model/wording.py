"""What somebody said: in his language, or by a fixed message that everybody reads in his own.

Always true: the text is kept as its sender saw it, marked with his language; a fixed message is named by its
template and carries its arguments, so that what is read in another language is the same message.
"""

from typing import Final, Literal, get_args

import msgspec

#: ISO 639-1.
MessageLanguage = Literal["en", "es", "pt", "fr", "nl"]
MESSAGE_LANGUAGES: Final[tuple[MessageLanguage, ...]] = get_args(MessageLanguage)

#: A number or a text; what it means its template says.
Argument = int | float | str


class Wording(msgspec.Struct, frozen=True, kw_only=True):
    """`text` is as the sender saw it; with `template`, it is that message filled with `arguments`."""

    text: str
    language: MessageLanguage = "en"
    template: str = ""
    arguments: dict[str, Argument] = {}
