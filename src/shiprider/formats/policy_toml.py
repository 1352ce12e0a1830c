"""A node's rules as a person writes them: TOML in, nouns out.

Always true: what is misspelt, missing or cannot be meant is refused in one sentence, never guessed; dates are UTC,
a date without a time is its first microsecond.
"""

import tomllib
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import msgspec

from shiprider.model.agreement import SCHEMA, Agreement, book
from shiprider.model.errors import InputError
from shiprider.model.rules import Home, Rules, fault_of

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MOMENTS: Final = {"from": "from_us", "until": "until_us"}


def parse_rules(text: str, file: str) -> Rules:
    """The rules in a text; `file` is named in errors. Raises InputError in one sentence."""
    try:
        table = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file} is not valid TOML: {error}; correct that line.") from None
    schema = table.pop("schema", None)
    if schema != SCHEMA:
        raise InputError(
            f"{file} has schema {schema!r}: this node reads schema {SCHEMA}; write `schema = {SCHEMA}`."
        )
    try:
        found = msgspec.convert(_moments(table, file), _File)
    except msgspec.ValidationError as error:
        raise InputError(f"{file} has something that cannot be meant: {error}.") from None
    fault = fault_of(found.homes)
    if not fault and found.node not in {home.node for home in found.homes}:
        fault = f"the node {found.node!r} has no home: write [[homes]] with its nation or organisation"
    if fault:
        raise InputError(f"{file} cannot be meant: {fault}.")
    try:
        agreements = book(found.agreements)
    except ValueError as error:
        raise InputError(f"{file} cannot be meant: {error}.") from None
    return Rules(found.node, found.homes, agreements)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    node: str
    homes: tuple[Home, ...]
    agreements: tuple[Agreement, ...] = ()


def _moments(value: Any, file: str) -> Any:
    """Tables with their dates as microseconds, under the names that the nouns have."""
    if isinstance(value, dict):
        taken = sorted(name for name in _MOMENTS.values() if name in value)
        if taken:
            raise InputError(f"{file} has {taken[0]!r}: write {taken[0][:-3]!r} with a date.")
        return {
            _MOMENTS.get(name, name): _us(inner, name, file) if name in _MOMENTS else _moments(inner, file)
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_moments(each, file) for each in value]
    return value


def _us(moment: Any, name: str, file: str) -> int:
    if isinstance(moment, datetime):
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    elif isinstance(moment, date):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    else:
        raise InputError(f"{file} has `{name} = {moment!r}`: write a date, for example 2026-01-31.")
    return round((moment - _EPOCH) / timedelta(microseconds=1))
