"""The tables of accounts as SQLAlchemy Core sees them.

Always true: `account.body` is the account; the columns beside it are only what must be unique or found.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text, UniqueConstraint

METADATA: Final = MetaData()

ACCOUNT: Final = Table(
    "account",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("login", Text, nullable=False, unique=True),
    Column("name", Text, nullable=False, unique=True),
    Column("issuer", Text),
    Column("subject", Text),
    Column("revision", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    UniqueConstraint("issuer", "subject"),
)

#: `step` is the last step of the authenticator that was used.
SECRET: Final = Table(
    "secret",
    METADATA,
    Column("account", Text, primary_key=True),
    Column("password", Text, nullable=False),
    Column("authenticator", LargeBinary, nullable=False),
    Column("code", LargeBinary, nullable=False),
    Column("code_until_us", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
)

PASSKEY: Final = Table(
    "passkey",
    METADATA,
    Column("credential", LargeBinary, primary_key=True),
    Column("account", Text, nullable=False),
    Column("public_key", LargeBinary, nullable=False),
    Column("uses", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("made_us", BigInteger, nullable=False),
)

#: Tries per account and per address: how many, and before when no other is taken.
ATTEMPT: Final = Table(
    "attempt",
    METADATA,
    Column("key", Text, primary_key=True),
    Column("tries", BigInteger, nullable=False),
    Column("last_us", BigInteger, nullable=False),
    Column("not_before_us", BigInteger, nullable=False),
)

GRANT: Final = Table(
    "access_grant",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

NOTICE: Final = Table(
    "notice",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

API_TOKEN: Final = Table(
    "api_token",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

#: The form of these tables (`PRAGMA user_version`).
FORM: Final = 1
