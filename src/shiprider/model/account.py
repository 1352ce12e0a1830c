"""The account: a person who may sign in at this node, his roles, and the attributes a release depends on.

Always true: an account carries no secret; whoever administers the node holds no role that reads content;
the auditor holds no other role; so nobody reads what he administers, nor audits himself.
"""

import unicodedata
from typing import Final, Literal, get_args

import msgspec

#: The people of domain.md.
Role = Literal[
    "watch_officer",
    "intelligence_analyst",
    "liaison_officer",
    "planner",
    "legal_adviser",
    "evidence_custodian",
    "evaluator",
    "community_liaison",
    "node_administrator",
    "auditor",
]

ROLES: Final[tuple[Role, ...]] = get_args(Role)

#: Who runs the node or looks over it, and therefore sees none of its content.
APART: Final[frozenset[Role]] = frozenset({"node_administrator", "auditor"})

#: The roles of those who work with content.
CONTENT_ROLES: Final[tuple[Role, ...]] = tuple(role for role in ROLES if role not in APART)


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """A person of this node.

    `login` is what he types, `name` what his decisions carry; both are his alone on this node. `nation` is
    an ISO 3166-1 alpha-3 code. `issuer` and `subject` are set where an organisation's provider vouches for
    him (OpenID Connect Core 1.0, 2). A session is good only for the `revision` it began with.
    """

    id: str
    login: str
    name: str
    roles: tuple[Role, ...] = ()
    nation: str = ""
    organisation: str = ""
    communities: tuple[str, ...] = ()
    clearance: str = ""
    cases: tuple[str, ...] = ()
    disabled: bool = False
    issuer: str = ""
    subject: str = ""
    revision: int = 1
    made_us: int = 0


class Passkey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key that stands for a person's device (WebAuthn Level 3). `uses` is its signature counter."""

    credential: bytes
    account: str
    public_key: bytes
    uses: int
    name: str
    made_us: int


class ApiToken(msgspec.Struct, frozen=True, kw_only=True):
    """What a program of a person shows instead of him: it opens the exchange with other software and nothing else.

    `digest` is SHA-256 of the secret, which is kept nowhere; `purpose` what it reads for; times in microseconds.
    """

    id: str
    account: str
    name: str
    digest: bytes
    purpose: str
    case: str = ""
    made_us: int
    until_us: int


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """Access that somebody took beyond his own (break-glass), from when until when, and who was told."""

    id: str
    account: str
    reason: str
    second: str
    role: str = ""
    case: str = ""
    from_us: int
    until_us: int


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What one person must be told of another: `kind` names it, `about` who did it."""

    id: str
    to: str
    kind: Literal["break_glass", "administered"]
    about: str
    text: str
    at_us: int
    seen_us: int = 0


def as_read(name: str) -> str:
    """A name as people tell it from others: case, spaces and ways of writing one letter tell nobody apart (UAX 15)."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def conflicting(roles: tuple[Role, ...]) -> str:
    """Why these roles do not go together; "" where they do."""
    apart = APART & set(roles)
    if apart and len(set(roles)) > 1:
        return f"{sorted(apart)[0]} goes with no other role"
    return ""
