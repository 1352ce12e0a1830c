"""Who sits here, and what he has set."""

from typing import Annotated, Literal

from msgspec import Meta

from shiprider.api.schemas.base import Request, Struct


class Session(Struct):
    """Who sits here. `officer` is "" until a demo user has said his name.

    `enrolling`: came with a one-time code and has to make a password or a passkey first. `live`: may have
    the live push. `permissions`: see GET /me for why.
    """

    officer: str
    language: Literal["en", "es"]
    node: str
    version: str
    kind: Literal["account", "demo", "program", "token"]
    enrolling: bool
    purpose: str
    permissions: list[str]
    live: bool


class SessionChange(Request):
    """Say who you are."""

    officer: Annotated[str, Meta(min_length=1, max_length=80)]


class SessionToken(Request):
    """The token of the start-up URL, exchanged for the session cookie."""

    token: Annotated[str, Meta(min_length=1, max_length=200)]


class SettingsOut(Struct):
    """Settings a person may change, with the record's revision for optimistic locking."""

    revision: int
    language: Literal["en", "es"]
    position_format: Literal["dm", "dd", "mgrs"]
    speed_unit: Literal["kn", "mps", "kmh"]
    distance_unit: Literal["nm", "km"]
    theme: Literal["dark", "light", "red"]
    symbols: Literal["simple", "milstd"]


class SettingsChange(Request):
    """The settings to keep; `expected_revision` is the one that was read."""

    expected_revision: int
    language: Literal["en", "es"] = "en"
    position_format: Literal["dm", "dd", "mgrs"] = "dm"
    speed_unit: Literal["kn", "mps", "kmh"] = "kn"
    distance_unit: Literal["nm", "km"] = "nm"
    theme: Literal["dark", "light", "red"] = "dark"
    symbols: Literal["simple", "milstd"] = "simple"
