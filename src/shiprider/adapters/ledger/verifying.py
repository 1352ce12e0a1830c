"""The chain checked from its first record.

Always true: a missing, added, changed or reordered record, a changed body, and a body that went
without a recorded erasure are each found, with the sequence number where it begins.
"""

import hashlib
from typing import Final

import msgspec
from sqlalchemy import Connection, select

from shiprider.adapters.ledger import reading
from shiprider.adapters.ledger.tables import RECORD
from shiprider.model.envelope import GENESIS
from shiprider.model.errors import CorruptStore
from shiprider.ports.ledger import Head

_ROWS_AT_ONCE: Final = 5000


class _Erasure(msgspec.Struct):
    sequence: int


def verify_chain(connection: Connection, name: str, acknowledged: Head) -> Head:
    """The head that was reached; must pass through `acknowledged`. Raises CorruptStore."""
    previous, expected = GENESIS, 1
    bare: set[int] = set()
    erased: set[int] = set()
    rows = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(
        select(*RECORD.c).order_by(RECORD.c.sequence)
    )
    for row in rows:
        record = reading.record_from(row)
        if record.sequence != expected or record.previous != previous:
            raise CorruptStore(
                f"{name} does not follow on at record {expected}: a record before it was changed, removed or "
                "added; restore it from a back-up."
            )
        if record.body is None:
            bare.add(record.sequence)
        elif hashlib.sha256(record.body).hexdigest() != record.digest:
            raise CorruptStore(
                f"{name} holds a changed body at record {expected}: restore it from a back-up."
            )
        elif record.kind == "erasure":
            erased.add(msgspec.json.decode(record.body, type=_Erasure).sequence)
        previous = reading.hash_of(record)
        if expected == acknowledged.sequence and previous != acknowledged.hash:
            raise CorruptStore(
                f"{name} does not lead to the acknowledged record {expected}: a record before it was changed; "
                "restore it from a back-up."
            )
        expected += 1
    if expected - 1 < acknowledged.sequence:
        raise CorruptStore(
            f"{name} ends at record {expected - 1} but {acknowledged.sequence} were acknowledged: records were "
            "lost; restore it from a back-up."
        )
    if bare - erased:
        raise CorruptStore(
            f"{name} lost the body of record {min(bare - erased)} without a recorded erasure: restore it from a "
            "back-up."
        )
    return Head(expected - 1, previous)
