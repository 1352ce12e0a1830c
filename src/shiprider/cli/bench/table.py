"""The one shape of a benchmark's result: ours beside a peer, medians of several runs in one process.

Always true: a row with a peer was measured in the same run as ours; an absent peer is a row that
says so in `notes`; nothing here asserts a time.
"""

import msgspec


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison. `ours` and `peer` are rates in `unit` (higher is better) unless `notes` says otherwise."""

    case: str
    ours: float | None
    peer: float | None = None
    peer_name: str = ""
    unit: str
    ratio: float | None = None
    notes: str = ""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What `shiprider bench NAME --json` prints."""

    name: str
    rows: list[Row]


def compared(case: str, ours: float, peer: float | None, peer_name: str, unit: str, notes: str = "") -> Row:
    """A row with its ratio, or with the peer reported as absent."""
    if peer is None:
        return Row(case=case, ours=ours, peer_name=peer_name, unit=unit, notes=notes or "peer absent")
    return Row(
        case=case, ours=ours, peer=peer, peer_name=peer_name, unit=unit, ratio=ours / peer, notes=notes
    )
