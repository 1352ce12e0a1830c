"""A user's watchlist as CSV: one vessel a line.

Always true: the header names the columns (`mmsi`, `imo`, `name`, `callsign`, `reason`, in any order,
any of the first four); every line must name a vessel by at least one identifier; a line that cannot
be meant is refused with its number.
"""

from typing import Final

from shiprider.formats.csv_rows import csv_rows
from shiprider.model.errors import InputError
from shiprider.model.identity import imo_checksum_holds
from shiprider.model.world import Watch

_COLUMNS: Final = {
    "mmsi": "mmsi",
    "imo": "imo",
    "imo_number": "imo",
    "name": "name",
    "vessel": "name",
    "hull": "name",
    "callsign": "callsign",
    "call_sign": "callsign",
    "reason": "reason",
}


def parse_watchlist(text: str, list_name: str) -> tuple[Watch, ...]:
    """The lines of a watchlist; raises InputError in one sentence naming the line."""
    rows = csv_rows(text, list_name)
    _, header = next(rows, (0, None))
    if header is None:
        raise InputError(
            f"{list_name} is empty: the first line must name the columns (mmsi, imo, name, callsign)."
        )
    names = [_COLUMNS.get(cell.strip().lower().replace(" ", "_")) for cell in header]
    if not set(names) & {"mmsi", "imo", "name", "callsign"}:
        raise InputError(f"{list_name} line 1: none of the columns mmsi, imo, name or callsign is named.")
    watches = []
    for number, cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{list_name} line {number}"
        line = {name: cell.strip() for name, cell in zip(names, cells, strict=False) if name and cell.strip()}
        watch = Watch(
            list_name=list_name,
            mmsi=_number(line.get("mmsi"), where, "MMSI", 9),
            imo=_number(
                (line.get("imo") or "").upper().removeprefix("IMO").strip() or None, where, "IMO number", 7
            ),
            name=line.get("name"),
            callsign=line.get("callsign"),
            reason=line.get("reason", ""),
        )
        if watch.imo is not None and not imo_checksum_holds(watch.imo):
            raise InputError(f"{where}: the check digit of IMO number {watch.imo} is wrong, correct it.")
        if watch.mmsi is None and watch.imo is None and not watch.name and not watch.callsign:
            raise InputError(f"{where} names no vessel: give an mmsi, an imo, a name or a callsign.")
        watches.append(watch)
    return tuple(watches)


def _number(text: str | None, where: str, what: str, digits: int) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) == digits):
        raise InputError(f"{where}: {text!r} is not a {what}, which has {digits} digits.")
    return int(text)
