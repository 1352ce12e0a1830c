"""The ledger's tables as SQLAlchemy Core sees them, for every SQL backend.

Always true: `record` is the log and the only truth, `tree_head` what the node signed of it; `release_class`
numbers what a release decision may depend on; `latest`, `term` and `tile` are derived and may be rebuilt;
`erasure` names the rows whose body the law removed. `latest` has a row for each class that an id was ever
of, so that who may not see a later revision has the one before, as if the later one did not exist.
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
    Column("class_id", Integer, nullable=False, server_default="0"),
    Index("record_id_revision", "id", "revision", unique=True),
    Index("record_kind_recorded", "kind", "recorded_us"),
)

RELEASE_CLASS: Final = Table(
    "release_class",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("label", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("case", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Index("release_class_unique", "label", "origin", "purpose", "case", "kind", unique=True),
)

#: By sequence, not by id: an id is random, and each index of random keys costs a page per record to write.
LATEST: Final = Table(
    "latest",
    METADATA,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("class_id", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("valid_from_us", BigInteger, nullable=False),
    Column("valid_to_us", BigInteger),
    Column("newest", Integer, nullable=False),
    Index("latest_kind_sequence", "kind", "sequence", "newest", "class_id", "id"),
    Index("latest_kind_class", "kind", "class_id", "newest", "sequence", "id"),
)

TERM: Final = Table(
    "term",
    METADATA,
    Column("term", Text, primary_key=True),
    Column("sequence", BigInteger, primary_key=True, autoincrement=False),
    Column("class_id", Integer, nullable=False),
    Index("term_sequence", "sequence"),
    sqlite_with_rowid=False,
)

TILE: Final = Table(
    "tile",
    METADATA,
    Column("level", Integer, primary_key=True, autoincrement=False),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

TREE_HEAD: Final = Table(
    "tree_head",
    METADATA,
    Column("size", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("origin", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("link", Text, nullable=False),
    Column("first_signed", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
)

ERASURE: Final = Table(
    "erasure",
    METADATA,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("by_sequence", BigInteger, nullable=False),
)
