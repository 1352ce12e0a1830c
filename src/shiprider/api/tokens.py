"""Programs of people: a token in `Authorization`, as Bearer (or Token) or as the password of Basic, becomes who asks.

Always true: a token opens the routes of the exchange with other software and no other; a person's own password opens
nothing here, so that no program has to be told it and no second factor is passed by.
"""

import base64
import binascii
from typing import Final

from shiprider.api.sessions import Session
from shiprider.flow import api_tokens
from shiprider.flow.access import Access

#: The permissions that a token can use, where its account has them.
FOR_TOKENS: Final = frozenset({"interchange", "export", "hand_in"})
TAXII: Final = "/taxii2"


def is_taxii(path: str) -> bool:
    """Whether a path is the TAXII server's."""
    return path == TAXII or path.startswith(f"{TAXII}/")


def is_api(path: str) -> bool:
    """Whether a path answers programs, and nobody without a session."""
    return path.startswith("/api/") or is_taxii(path)


def session_of(access: Access, authorization: str, address: str, agent: str) -> Session | None:
    """The session of one request; None where the header is none of ours."""
    scheme, _, rest = authorization.partition(" ")
    login, secret = "", rest.strip()
    if scheme.lower() == "basic":
        try:
            login, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except (binascii.Error, ValueError):
            return None
        if not colon or not login:
            return None
    elif scheme.lower() not in ("bearer", "token"):
        return None
    found = api_tokens.found(access, secret, login)
    if found is None:
        return None
    account, token = found
    purpose = token.purpose if token.purpose in access.settings.purposes else ""
    return Session(
        id=f"token {token.id}",
        kind="token",
        name=account.name,
        account=account.id,
        login=account.login,
        revision=account.revision,
        purpose=purpose,
        case=token.case,
        address=address,
        agent=agent,
    )
