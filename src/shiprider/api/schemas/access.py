"""What goes over the wire as JSON about people and access (see `schemas` for the rest).

Always true: no secret goes out but one that was just made and is shown once.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta

from shiprider.api.schemas.base import Microseconds, Request, Struct
from shiprider.model.account import Role

Login = Annotated[str, Meta(min_length=1, max_length=80)]
Secret = Annotated[str, Meta(min_length=1, max_length=256)]
Name = Annotated[str, Meta(min_length=1, max_length=80)]
Word = Annotated[str, Meta(max_length=80)]
Words = Annotated[list[Word], Meta(max_length=64)]
Code = Annotated[str, Meta(min_length=1, max_length=40)]


# -- coming in ------------------------------------------------------------------------------------


class ProviderOut(Struct):
    """An organisation that vouches for its people: sign in at `/sign-in/with/{name}`."""

    name: str
    title: str


class SignInWays(Struct):
    """How one can sign in here. `demo`: the start-up URL signs in by itself. `passkeys`: this address takes them."""

    node: str
    language: Literal["en", "es"]
    demo: bool
    passkeys: bool
    providers: list[ProviderOut]
    purposes: list[str]


class PasswordIn(Request):
    """Login, password and the authenticator's code, together."""

    login: Login
    password: Secret
    code: Code
    purpose: Word = ""


class CodeIn(Request):
    """A one-time code: for the first sign-in."""

    login: Login
    code: Code


class PasskeyAsked(Request):
    """Ask for a challenge."""


class Ceremony(Struct):
    """A passkey's ceremony: `public_key` is what the browser's WebAuthn functions take (JSON form, Level 3)."""

    ceremony: str
    public_key: dict[str, Any]


class PasskeyIn(Request):
    """A passkey's answer to the challenge of `ceremony`."""

    ceremony: Annotated[str, Meta(max_length=64)]
    credential: dict[str, Any]
    purpose: Word = ""


class Done(Struct):
    """It is done."""

    done: bool = True


# -- oneself --------------------------------------------------------------------------------------


class AuthenticatorOut(Struct):
    """The seed of an authenticator, shown once: as text and as the address of a QR code."""

    secret: str
    address: str


class AuthenticatorAsked(Request):
    """Ask for the seed of an authenticator."""


class PasswordNew(Request):
    """A new password, and the code that the new authenticator shows."""

    password: Secret
    code: Code


class PasskeyNew(Request):
    """A new passkey, and what to call the device."""

    ceremony: Annotated[str, Meta(max_length=64)]
    credential: dict[str, Any]
    name: Name


class Why(Struct):
    """One permission, and through which of one's roles; `for_roles` are those it belongs to where one lacks it."""

    permission: str
    held: bool
    through: list[str]
    for_roles: list[str]


class GrantOut(Struct):
    """Access taken by breaking the glass: it ends by itself."""

    id: str
    role: str
    case: str
    reason: str
    second: str
    from_us: Microseconds
    until_us: Microseconds


class MyAccess(Struct):
    """What I may do here, and why."""

    kind: Literal["account", "demo", "program", "token"]
    name: str
    login: str
    roles: list[str]
    nation: str
    organisation: str
    communities: list[str]
    clearance: str
    cases: list[str]
    purpose: str
    case: str
    purposes: list[str]
    passkeys: list[str]
    password: bool
    grants: list[GrantOut]
    permissions: list[Why]


class PurposeChange(Request):
    """What I read for from now on, and for which of my cases."""

    purpose: Word
    case: Word = ""


class SessionOut(Struct):
    """One sign-in: since when, from where. `here`: it is this one."""

    id: str
    began_us: Microseconds
    idle_s: float
    address: str
    agent: str
    purpose: str
    here: bool


class MySessions(Struct):
    """Sign-ins of one account, newest first."""

    sessions: list[SessionOut]


class NoticeOut(Struct):
    """What one was told of another person."""

    id: str
    kind: Literal["break_glass", "administered"]
    about: str
    text: str
    at_us: Microseconds
    seen: bool


class Notices(Struct):
    """What I was told, newest first."""

    notices: list[NoticeOut]


class PersonOut(Struct):
    """Somebody who can be told."""

    id: str
    name: str
    nation: str


class BreakGlassWays(Struct):
    """What one can take: roles that one lacks, the longest time, and who can be told."""

    roles: list[str]
    longest_min: float
    people: list[PersonOut]


class BreakGlass(Request):
    """Take a role or a case, for a reason and a time, while `second` is told."""

    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    minutes: Annotated[float, Meta(gt=0, le=1440)]
    second: Annotated[str, Meta(max_length=64)]
    role: Word = ""
    case: Word = ""


class BreakGlassEnd(Request):
    """Give back what was taken."""


# -- running the node -----------------------------------------------------------------------------


class AccountOut(Struct):
    """A person of this node. `ways` are how he can prove himself."""

    id: str
    login: str
    name: str
    roles: list[str]
    nation: str
    organisation: str
    communities: list[str]
    clearance: str
    cases: list[str]
    disabled: bool
    issuer: str
    revision: int
    made_us: Microseconds
    ways: list[Literal["password", "passkey", "code", "provider"]]
    sessions: int


class Accounts(Struct):
    """Everybody, by name."""

    accounts: list[AccountOut]
    roles: list[str]


class AccountNew(Request):
    """A person to be made known."""

    login: Login
    name: Name
    roles: Annotated[list[Role], Meta(max_length=10)]
    nation: Word = ""
    organisation: Word = ""
    communities: Words = []
    clearance: Word = ""
    cases: Words = []


class AccountChange(Request):
    """All that can be changed of an account; login and name stay."""

    expected_revision: int
    roles: Annotated[list[Role], Meta(max_length=10)]
    nation: Word = ""
    organisation: Word = ""
    communities: Words = []
    clearance: Word = ""
    cases: Words = []
    disabled: bool = False


class AccountMade(Struct):
    """The account and its one-time code, shown this once."""

    account: AccountOut
    code: str


class CodeAsked(Request):
    """Ask for a new one-time code, or to sign somebody out."""
