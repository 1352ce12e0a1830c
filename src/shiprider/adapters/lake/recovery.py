"""After a power cut: entries of a table's log that were never acknowledged and may be torn.

Always true: an entry at or below a version some checkpoint names is whole (it was synced before the
checkpoint was written) and is not touched; a torn entry was never acknowledged, so cutting it off
loses nothing that the spool does not give again.
"""

import json
from pathlib import Path

import pyarrow.parquet as pq
from pyarrow.lib import ArrowInvalid


def cut_torn_log(folder: Path, acknowledged: int) -> int:
    """Remove the first torn entry above `acknowledged` and all after it; how many were removed.

    `folder` is a table's; `acknowledged` is -1 where nothing was.
    """
    log = folder / "_delta_log"
    if not log.is_dir():
        return 0
    entries = sorted(path for path in log.glob("*.json") if path.stem.isdigit())
    for number, path in enumerate(entries):
        if int(path.stem) > acknowledged and not _whole(folder, path):
            for torn in reversed(entries[number:]):
                torn.unlink()
            _cut_checkpoints(log, int(path.stem))
            return len(entries) - number
    _cut_checkpoints(log, int(entries[-1].stem) + 1 if entries else 0)
    return 0


def _whole(folder: Path, path: Path) -> bool:
    try:
        actions = [json.loads(line) for line in path.read_bytes().splitlines() if line.strip()]
        if not actions:
            return False
        return all(_file_whole(folder, action["add"]) for action in actions if "add" in action)
    except (ValueError, KeyError, TypeError):
        return False


def _file_whole(folder: Path, add: dict[str, object]) -> bool:
    path = folder / str(add["path"])
    try:
        if path.stat().st_size != add["size"]:
            return False
        pq.read_metadata(path)
    except (OSError, ArrowInvalid):
        return False
    return True


def _cut_checkpoints(log: Path, from_version: int) -> None:
    """Delta's own summaries of versions that are gone, or that are torn themselves."""
    torn = False
    for path in log.glob("*.checkpoint*.parquet"):
        version = int(path.name.split(".", 1)[0])
        try:
            pq.read_metadata(path)
            broken = version >= from_version
        except (OSError, ArrowInvalid):
            broken = True
        if broken:
            path.unlink()
            torn = True
    pointer = log / "_last_checkpoint"
    if pointer.exists():
        try:
            json.loads(pointer.read_bytes())
        except ValueError:
            torn = True
        if torn:
            pointer.unlink()
