"""The list of Specially Designated Nationals of the US Treasury (OFAC), file SDN.CSV: its vessels.

Always true: a line has twelve columns and no header (ent_num, name, type, program, title, call sign,
vessel type, tonnage, gross tonnage, flag, owner, remarks), `-0-` is null; only lines of type `vessel`
are read; identifiers stand in the remarks ("Vessel Registration Identification IMO 9187629; MMSI
572469210; f.k.a. 'ALPHA'"). Each former name is a line of its own, so that it is found as well.
Source: OFAC, "Specifications for the SDN list in delimited formats".
"""

import re
from typing import Final

from shiprider.formats.csv_rows import csv_rows
from shiprider.model.errors import InputError
from shiprider.model.identity import imo_checksum_holds
from shiprider.model.world import Watch

LIST_NAME: Final = "OFAC SDN"
_FIELDS: Final = 12
_IMO: Final = re.compile(r"\bIMO\s+(\d{7})\b")
_MMSI: Final = re.compile(r"\bMMSI\s+(\d{9})\b")
_OTHER_NAME: Final = re.compile(r"\b(?:[afn]\.k\.a\.)\s+'([^']+)'")


def parse_sdn(text: str, list_name: str = LIST_NAME) -> tuple[Watch, ...]:
    """The vessels of the list; raises InputError in one sentence where it is not that file."""
    watches: list[Watch] = []
    for line, cells in csv_rows(text.replace("\x1a", ""), list_name):
        if not cells or cells == [""]:
            continue
        if len(cells) != _FIELDS or not cells[0].strip().isdigit():
            raise InputError(
                f"{list_name} line {line} is not a line of SDN.CSV: twelve columns, the first a number."
            )
        row = [None if cell.strip() == "-0-" else cell.strip() for cell in cells]
        if (row[2] or "").lower() == "vessel":
            watches.extend(_vessel(row, list_name))
    return tuple(watches)


def _vessel(row: list[str | None], list_name: str) -> list[Watch]:
    remarks = row[11] or ""
    imo = _IMO.search(remarks)
    number = int(imo.group(1)) if imo and imo_checksum_holds(int(imo.group(1))) else None
    mmsi = _MMSI.search(remarks)
    owner = re.search(r"Linked To: ([^;.]+)", remarks)
    reason = f"programme {row[3]}" + (f", linked to {owner.group(1).strip()}" if owner else "")
    names = [row[1], *_OTHER_NAME.findall(remarks)]
    return [
        Watch(
            list_name=list_name,
            mmsi=int(mmsi.group(1)) if mmsi else None,
            imo=number,
            name=name,
            callsign=row[5],
            reason=reason if k == 0 else f"{reason}, formerly or also {name}, listed as {row[1]}",
        )
        for k, name in enumerate(dict.fromkeys(names))
        if name
    ]
