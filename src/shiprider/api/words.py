"""The API's words: one catalogue a language, and how the language of a request is found.

Always true: every key stands in every language; a key without words is shown as the key, never an error.
"""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Final

LANGUAGES: Final = ("en", "es")


def language_of(asked: str | None, accepted: str | None, default: str) -> str:
    """`lang` of the request, else the best of `Accept-Language` (RFC 9110 12.5.4), else the node's own."""
    if asked in LANGUAGES:
        return str(asked)
    best, weight = default, 0.0
    for part in (accepted or "").split(",")[:20]:
        tag, _, parameter = part.strip().partition(";")
        language = tag.strip().lower().partition("-")[0]
        try:
            quality = float(parameter.strip().removeprefix("q=")) if parameter else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and quality > weight:
            best, weight = language, quality
    return best


@cache
def catalogue(language: str) -> dict[str, dict[str, str]]:
    """Words by section and key."""
    text = files("shiprider.api").joinpath("catalogues", f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def word(section: str, key: str, language: str) -> str:
    """The words for a key."""
    return catalogue(language).get(section, {}).get(key, key.replace("_", " "))
