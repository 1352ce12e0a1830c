"""The handover of a shift: what the next watch gets, and who said so.

Always true: the digest is of the exact bytes of the summary that was shown, made from the ledger up to
`ledger_sequence` alone, so anyone with the ledger can make it again and compare.
"""

import msgspec


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """Counts are of decisions between `from_us` and `to_us`; lists name records by id."""

    from_us: int
    to_us: int
    open_alerts: tuple[str, ...]
    log: tuple[str, ...]
    taken: int
    dismissed: int
    escalated: int
    merged: int
    retracted: int
    ledger_sequence: int
    ledger_head: str


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """The record's author hands over to `relieved_by`. Signed by name and digest."""

    summary: Summary
    digest: str
    relieved_by: str
    text: str = ""
