"""Fixed messages in words: everybody reads them in his own language.

Always true: every message has words in every language and takes the same arguments in each (`messages.toml`);
what a partner sent is never trusted to fit: where it does not, the sender's own text is shown.
"""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from shiprider.measure.clock import iso_from_us
from shiprider.model.errors import InputError
from shiprider.model.wording import Argument, MessageLanguage, Wording

Use = Literal["request", "answer", "chat"]
#: What an argument is: it decides how it is said.
ArgumentType = Literal["vessel", "time", "place", "duration", "count", "text"]

_LONGEST_TEXT: Final = 200
_LATEST_US: Final = 253_402_300_799_000_000


@cache
def _tables() -> dict[str, Any]:
    return tomllib.loads(files("shiprider.share").joinpath("messages.toml").read_text(encoding="utf-8"))


def offered(use: Use) -> tuple[str, ...]:
    """The messages that are offered for something."""
    return tuple(_tables()["uses"][use])


def arguments_of(template: str) -> dict[str, ArgumentType]:
    """What a message is filled with, by name. Raises InputError where there is no such message."""
    found = _tables()["arguments"].get(template)
    if found is None:
        raise InputError(f"There is no fixed message {template[:40]!r}: look the list of them up again.")
    return dict(found)


def words_of(template: str, language: MessageLanguage) -> str:
    """The message with its gaps."""
    return str(_tables()[language][template])


def fixed(template: str, arguments: Mapping[str, Argument], language: MessageLanguage) -> Wording:
    """A fixed message as its sender sees it. Raises InputError where an argument is missing, unknown or not meant."""
    given = _checked(template, arguments)
    text = _filled(template, given, language, str)
    return Wording(text=text, language=language, template=template, arguments=dict(given))


def read(
    said: Wording, language: MessageLanguage, called: Callable[[int], str] = str
) -> tuple[str, MessageLanguage]:
    """What somebody said, and in which language that is: a fixed message in `language`, free text in its sender's.

    `called` says how the vessel of an MMSI is called by who reads it.
    """
    if not said.template:
        return said.text, said.language
    try:
        return _filled(said.template, _checked(said.template, said.arguments), language, called), language
    except InputError:
        return said.text, said.language


def _checked(template: str, arguments: Mapping[str, Argument]) -> dict[str, Argument]:
    wanted = arguments_of(template)
    if set(arguments) != set(wanted):
        raise InputError(f"The message {template!r} is filled with {', '.join(wanted) or 'nothing'}.")
    for name, kind in wanted.items():
        if not _fits(arguments[name], kind):
            raise InputError(f"The argument {name} of the message {template!r} is no {kind}: correct it.")
    return dict(arguments)


def _fits(value: Argument, kind: ArgumentType) -> bool:
    if kind == "text":
        return isinstance(value, str) and 0 < len(value) <= _LONGEST_TEXT and value.isprintable()
    if kind == "place":
        return isinstance(value, str) and _place_of(value) is not None
    if not isinstance(value, int):
        return False
    most = {"vessel": 999_999_999, "time": _LATEST_US, "duration": 366 * 86_400, "count": 10**9}[kind]
    return 0 <= value <= most


def _filled(
    template: str, given: Mapping[str, Argument], language: MessageLanguage, called: Callable[[int], str]
) -> str:
    types = arguments_of(template)
    said = {name: _spoken(value, types[name], called) for name, value in given.items()}
    return words_of(template, language).format(**said)


def _spoken(value: Argument, kind: ArgumentType, called: Callable[[int], str]) -> str:
    if kind == "vessel":
        return called(int(value))
    if kind == "time":
        return iso_from_us(int(value))[:16].replace("T", " ") + " UTC"
    if kind == "place":
        latitude, longitude = _place_of(str(value)) or (0.0, 0.0)
        return f"{_angle(latitude, 'NS', 2)} {_angle(longitude, 'EW', 3)}"
    if kind == "duration":
        hours, minutes = divmod(round(int(value) / 60), 60)
        return (
            f"{hours} h {minutes} min" if hours and minutes else f"{hours} h" if hours else f"{minutes} min"
        )
    return str(value)


def _place_of(text: str) -> tuple[float, float] | None:
    north, found, east = text.partition(",")
    try:
        latitude, longitude = float(north), float(east)
    except ValueError:
        return None
    inside = -90 <= latitude <= 90 and -180 <= longitude <= 180
    return (latitude, longitude) if found and inside else None


def _angle(value: float, sides: str, width: int) -> str:
    tenths = round(abs(value) * 600.0)
    return f"{tenths // 600:0{width}d}°{tenths % 600 / 10.0:04.1f}'{sides[0] if value >= 0 else sides[1]}"
