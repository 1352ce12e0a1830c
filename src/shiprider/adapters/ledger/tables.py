"""The ledger's tables as SQLAlchemy Core sees them, for every SQL backend.

Always true: `record` is the log and the only truth; `latest` and `term` are derived from it and may be
rebuilt; `erasure` names the rows whose body the law removed.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

METADATA: Final = MetaData()

RECORD: Final = Table(
    "record",
    METADATA,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("schema", BigInteger, nullable=False),
    Column("origin", Text, nullable=False),
    Column("author", Text, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("valid_to_us", BigInteger),
    Column("recorded_us", BigInteger, nullable=False),
    Column("label", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("case", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body", LargeBinary),
    Column("signature", LargeBinary, nullable=False),
    Column("previous", Text, nullable=False),
    Index("record_id_revision", "id", "revision", unique=True),
    Index("record_kind_recorded", "kind", "recorded_us"),
)

LATEST: Final = Table(
    "latest",
    METADATA,
    Column("id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("valid_to_us", BigInteger),
    Index("latest_kind_sequence", "kind", "sequence"),
    sqlite_with_rowid=False,
)

TERM: Final = Table(
    "term",
    METADATA,
    Column("term", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Index("term_id", "id"),
    sqlite_with_rowid=False,
)

ERASURE: Final = Table(
    "erasure",
    METADATA,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("by_sequence", BigInteger, nullable=False),
)
