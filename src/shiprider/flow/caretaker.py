"""What runs beside a node for those who keep and audit it: the browsing alarm, the disk's history, the log.

Always true: it only reads what the node does, and writes alarms; where it fails the node goes on, and says so.
"""

import logging
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from shiprider.flow.browsing import BrowsingWatch
from shiprider.flow.disk_trend import DiskHistory, Reading
from shiprider.flow.status import NodeStatus
from shiprider.model.errors import ShipriderError

_log: Final = logging.getLogger("shiprider.node")

#: How often entries are judged, and how often the state is looked at.
EVERY_S: Final = 5.0
LOOK_EVERY: Final = 12


@dataclass(slots=True)
class Caretaker:
    """One thread. `start` after the node has caught up, `stop` before its stores close."""

    folder: Path
    browsing: BrowsingWatch
    disk: DiskHistory
    status: Callable[[], NodeStatus]
    clock: Callable[[], int]
    every_s: float = EVERY_S
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _conditions: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="caretaker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, once what was begun is done."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        _log.info("node started")
        turn = 0
        while not self._stop.is_set():
            self._judge()
            if turn % LOOK_EVERY == 0:
                self._look()
            turn += 1
            self._stop.wait(self.every_s)
        _log.info("node stopped")

    def _judge(self) -> None:
        try:
            alarms = self.browsing.step()
        except ShipriderError as error:
            self.browsing.trouble = str(error)
            _log.error("browsing not judged", extra={"error": type(error).__name__})
            return
        self.browsing.trouble = ""
        for alarm in alarms:
            # Who it was is for the auditor, in the ledger.
            _log.warning("browsing alarm filed", extra={"sign": alarm.sign, "count": alarm.count})

    def _look(self) -> None:
        try:
            free = shutil.disk_usage(self.folder).free
            self.disk.note(Reading(self.clock(), free))
        except OSError as error:
            _log.error("disk not noted", extra={"error": type(error).__name__})
        try:
            status = self.status()
        except ShipriderError as error:
            _log.error("state not read", extra={"error": type(error).__name__})
            return
        for feed in status.feeds:
            if self._conditions.get(feed.name) != feed.condition:
                self._conditions[feed.name] = feed.condition
                extra = {"feed": feed.name, "condition": feed.condition, "messages": feed.messages}
                _log.info("feed condition", extra=extra)
        if len(status.notices):
            _log.warning("notices", extra={"count": len(status.notices)})
