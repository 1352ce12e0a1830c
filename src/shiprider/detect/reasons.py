"""The reason of a finding in words, for people: knots, nautical miles, hours and minutes.

Always true: every finding's `reason_key` has a template in every language; a template names facts of
the finding by their names in `facts`, and the unit suffix of the name decides how the fact is said.
Templates stand in `reasons/<behaviour>.toml`, one table per language. Beside the facts a template
may use `{participants}`, `{start}`, `{end}`, `{duration}` and `{place}`.
"""

import string
import tomllib
from collections.abc import Callable, Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from shiprider.measure.clock import iso_from_us
from shiprider.measure.geodesy import KNOT_MPS, NAUTICAL_MILE_M
from shiprider.model.errors import NotFound
from shiprider.model.finding import Fact, Finding

LANGUAGES: Final = ("en", "es")
_AND: Final = {"en": "and", "es": "y"}
#: Kinds of vessel (`model.identity.VesselClass`) in Spanish; in English they are said as they are.
_KINDS_ES: Final = {
    "unknown": "tipo desconocido",
    "cargo": "carga",
    "tanker": "petrolero",
    "passenger": "pasaje",
    "high_speed": "alta velocidad",
    "fishing": "pesquero",
    "tug": "remolcador",
    "sail": "velero",
    "pleasure": "recreo",
    "service": "servicio",
    "government": "gobierno",
}


def render(finding: Finding, language: str = "en", called: Callable[[int], str] = str) -> str:
    """The reason in one language; raises NotFound where the language or the template is missing.

    `called` says how a vessel of this MMSI is called; without it, by its MMSI.
    """
    template = templates(finding.behaviour, language).get(finding.reason_key)
    if template is None:
        raise NotFound(f"There is no reason {finding.reason_key!r} for {finding.behaviour} in {language!r}.")
    words: dict[str, str] = {name: spoken(name, value, language) for name, value in finding.facts.items()}
    for name in ("old_mmsi", "new_mmsi"):
        if str(finding.facts.get(name, "")).isdigit():
            words[name] = called(int(finding.facts[name]))
    words["participants"] = listed([called(p) for p in finding.participants], language)
    words["start"] = spoken("start_us", finding.start_us, language)
    words["end"] = spoken("end_us", finding.end_us, language)
    words["duration"] = spoken("duration_s", (finding.end_us - finding.start_us) / 1e6, language)
    words["place"] = place(finding.latitude_deg, finding.longitude_deg)
    text = string.Formatter().vformat(template, (), _Known(words)).rstrip()
    # a list that gives no reason leaves a colon with nothing behind it
    return text.removesuffix(":") + "." if text.endswith(":") else text


@cache
def templates(behaviour: str, language: str) -> dict[str, str]:
    """Templates of one behaviour in one language, by reason key; raises NotFound where there are none."""
    source = files("shiprider.detect").joinpath("reasons", f"{behaviour}.toml")
    try:
        tables = tomllib.loads(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"There are no reasons for the behaviour {behaviour!r}.") from None
    if language not in tables:
        raise NotFound(f"There are no reasons for {behaviour} in the language {language!r}.")
    return {str(key): str(text) for key, text in tables[language].items()}


def spoken(name: str, value: Fact, language: str) -> str:
    """One fact for people, by the unit in its name."""
    if isinstance(value, str):
        return _KINDS_ES.get(value, value) if name == "kind" and language == "es" else value
    for suffix, say in _SAYINGS:
        if name.endswith(suffix):
            return _decimal(say(float(value)), language)
    if isinstance(value, int) and abs(value) >= 10_000:  # a million without separators is misread at night
        return f"{value:,}".replace(",", "." if language == "es" else ",")
    return _decimal(f"{value:g}" if isinstance(value, float) else str(value), language)


def listed(names: Sequence[str], language: str) -> str:
    """`A`, `A and B`, `A, B and C`."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} {_AND[language]} {names[-1]}"


def place(latitude_deg: float, longitude_deg: float) -> str:
    """Degrees and decimal minutes, as on a chart: 16°05.2'N 074°30.0'W."""
    return f"{_angle(latitude_deg, 'NS', 2)} {_angle(longitude_deg, 'EW', 3)}"


def _angle(value: float, sides: str, width: int) -> str:
    tenths = round(abs(value) * 600.0)
    return f"{tenths // 600:0{width}d}°{tenths % 600 / 10.0:04.1f}'{sides[0] if value >= 0 else sides[1]}"


def _duration(seconds: float) -> str:
    if seconds < 59.5:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60.0)
    if minutes < 60:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def _distance(metres: float) -> str:
    if metres < NAUTICAL_MILE_M:
        return f"{round(metres)} m"
    miles = metres / NAUTICAL_MILE_M
    return f"{miles:.1f} nm" if miles < 100.0 else f"{miles:.0f} nm"


def _moment(time_us: float) -> str:
    text = iso_from_us(round(time_us / 1e6) * 1_000_000)
    return text[:16].replace("T", " ") + " UTC"


#: (suffix of the fact's name, how it is said); the first that fits wins.
_SAYINGS: Final[tuple[tuple[str, Callable[[float], str]], ...]] = (
    ("_mps", lambda v: f"{v / KNOT_MPS:.1f} kn"),
    ("_us", _moment),
    ("_s", _duration),
    ("_m", _distance),
    ("_deg", lambda v: f"{v:.0f}°"),
    ("probability", lambda v: f"{v * 100.0:.2g} %"),
)


def _decimal(text: str, language: str) -> str:
    if language == "es" and text.count(".") == 1 and text.replace(".", "").split(" ")[0].isdigit():
        return text.replace(".", ",")
    return text


class _Known(dict[str, str]):
    """The words; a fact that a finding does not have is said to be unknown, not an error."""

    def __missing__(self, key: str) -> str:
        return "?"
