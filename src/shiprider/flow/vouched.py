"""What an organisation's provider says of a person, as an account.

Always true: only claims that the settings name are taken; what is not text, or is too long, is taken for
nothing; a role comes only from a group that the settings give it to.
"""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from shiprider.model.account import Account, Role, conflicting
from shiprider.settings import ProviderSettings

#: Longest text of a claim, and most of a list.
_LETTERS: Final = 80
_MOST: Final = 64

#: The claim of each attribute where the settings name no other (OpenID Connect Core 1.0, 5.1).
_USUAL: Final = {"name": "name", "login": "preferred_username", "groups": "groups"}


def account_of(
    provider: ProviderSettings,
    claims: Mapping[str, Any],
    known: Account | None,
    *,
    new_id: str,
    made_us: int,
    number: int = 1,
) -> Account:
    """The account as the provider vouches for it now; `number` tells apart people of one name."""
    groups = _texts(_claim(provider, claims, "groups"))
    roles: tuple[Role, ...] = tuple(
        dict.fromkeys(
            (*provider.default_roles, *(r for group in groups for r in provider.roles.get(group, ())))
        )
    )
    if conflicting(roles):
        roles = ()
    attributes: dict[str, Any] = {
        "roles": roles,
        "nation": provider.nation or _text(_claim(provider, claims, "nation")),
        "organisation": provider.organisation or _text(_claim(provider, claims, "organisation")),
        "clearance": _text(_claim(provider, claims, "clearance")),
        "communities": _texts(_claim(provider, claims, "communities")),
        "cases": _texts(_claim(provider, claims, "cases")),
    }
    if known is not None:
        return structs.replace(known, **attributes)
    subject = str(claims["sub"])
    apart = "" if number == 1 else f" {number}"
    name = _text(_claim(provider, claims, "name")) or _text(subject) or "unnamed"
    login = _text(_claim(provider, claims, "login")) or _text(subject) or "unnamed"
    return Account(
        id=new_id,
        login=f"{login}@{provider.name}{apart.strip()}",
        name=f"{name} ({provider.title or provider.name}{apart})",
        issuer=provider.issuer,
        subject=subject,
        made_us=made_us,
        **attributes,
    )


def _claim(provider: ProviderSettings, claims: Mapping[str, Any], attribute: str) -> Any:
    named = provider.claims.get(attribute, _USUAL.get(attribute, ""))
    return claims.get(named) if named else None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    text = " ".join(value.split())
    return text if text.isprintable() and len(text) <= _LETTERS else ""


def _texts(value: Any) -> tuple[str, ...]:
    values = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(dict.fromkeys(text for text in map(_text, values[:_MOST]) if text))
