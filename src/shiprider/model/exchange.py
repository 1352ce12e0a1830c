"""What a node writes in its own log of what it sent to partners and took from them.

Always true: what left is written before it leaves, and what came in the same commit as what it brought; so the
log alone says who holds what, and a feed goes on from it after any stop.
"""

import msgspec


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `dispatch`: one bundle that was signed for a partner.

    `records` are places in this node's log, `recalls` and `answers` ids; with them the bundle's bytes are made
    again. `examined`: up to which place records of each release class were looked at, by the class's number; `looked`: up
    to which the log was searched for what this partner may no longer see.
    """

    partner: str
    epoch: int
    sequence: int
    previous: str
    made_us: int
    digest: str
    key_id: str
    signature: str
    records: tuple[int, ...] = ()
    recalls: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    examined: dict[int, int] = {}
    looked: int = 0


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `receipt`: one bundle of a partner that was taken."""

    partner: str
    epoch: int
    sequence: int
    hash: str
    made_us: int
    records: int
    recalls: int
    answers: int


class RecallOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `recall`: revisions up to one are taken back from a partner who was sent them."""

    partner: str
    record: str
    revision: int
    reason: str
    why: str = ""


class Withdrawal(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `withdrawal`: a partner's recall, carried out here.

    `derived` are this node's own records that rest on what was withdrawn.
    """

    partner: str
    recall: str
    record: str
    revision: int
    reason: str
    derived: tuple[str, ...] = ()


class RecallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `recall_answer`: a partner carried a recall out. Its id is the recall's and its own."""

    partner: str
    recall: str
    at_us: int
    derived: int
