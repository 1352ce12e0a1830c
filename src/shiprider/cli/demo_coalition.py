"""The partners of `shiprider demo --coalition`: their nodes as processes, and what passes between them, told.

Always true: what is told was looked up at the partners' own nodes, and the processes end with the demonstration.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from shiprider.bootstrap.coalition import DAY_LABEL, Member
from shiprider.model.label import parse, understood, written

if TYPE_CHECKING:
    from shiprider.bootstrap.node import OpenNode
    from shiprider.flow.exchange.liaison import Liaison

#: For a partner's node to be up, for an alert to be at all that may have it, for a recall to be answered.
_PATIENCE_S: Final = 180.0
_WHY: Final = "demonstration: it is taken back so that the way back can be seen"


class DemoPartners:
    """The partners' nodes beside the demonstration's own, which is the first of `members`."""

    def __init__(
        self, opened: "OpenNode", members: Sequence[Member], first_port: int, *, as_json: bool
    ) -> None:
        self._opened = opened
        self._own, self._others = members[0], members[1:]
        self._first_port = first_port
        self._as_json = as_json
        self._running: list[subprocess.Popen[str]] = []
        self._ended = threading.Event()

    def begin(self) -> None:
        """Start them; what passes is told as it passes."""
        threading.Thread(target=self._show, name="coalition", daemon=True).start()

    def end(self) -> None:
        """End what was started."""
        self._ended.set()
        for each in self._running:
            each.terminate()
        for each in self._running:
            try:
                each.wait(30)
            except subprocess.TimeoutExpired:
                each.kill()

    def _show(self) -> None:
        for at, member in enumerate(self._others):
            if self._ended.is_set():
                return
            url = self._start(member, self._first_port + 1 + at if self._first_port else 0)
            what = f"{member.name} ({member.nation}){f', {member.kbit_s} kbit/s' if member.kbit_s else ''}"
            self._tell({"partner": member.node, "url": url}, f"{what}: {url}")
        alert = self._passes()
        if alert:
            self._take_back(alert)

    def _start(self, member: Member, port: int) -> str:
        words = [sys.executable, "-m", "shiprider", "run", str(member.folder), "--port", str(port), "--json"]
        log = (member.folder / "run.log").open("a", encoding="utf-8")
        process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True)  # noqa: S603 (our own)
        self._running.append(process)
        line = process.stdout.readline() if process.stdout is not None else ""
        try:
            url: str = json.loads(line)["url"]
        except ValueError:
            return f"did not start: see {member.folder / 'run.log'}"
        return url

    def _passes(self) -> str:
        """An alert that is at all partners that may have it, and not at the one that may not; "" where none is."""
        began = time.monotonic()
        nations = understood(parse(written(DAY_LABEL).text)).nations or ()
        allowed = [each for each in self._others if each.nation in nations]
        kept_from = [each for each in self._others if each.nation not in nations]
        while time.monotonic() - began < _PATIENCE_S and not self._ended.wait(1.0):
            for alert in reversed(_alerts(self._own.folder)):
                if not all(_has(each.folder, alert) for each in allowed):
                    continue
                if any(_has(each.folder, alert) for each in kept_from):
                    continue
                self._tell(
                    {
                        "alert": alert,
                        "at": [each.node for each in allowed],
                        "not_at": [each.node for each in kept_from],
                    },
                    f"Alert {alert[:8]} is at {_names(allowed)}, as its label says, and not at {_names(kept_from)}.",
                )
                return alert
        return ""

    def _take_back(self, alert: str) -> None:
        liaison, view = self._liaison(), self._opened.view(self._opened.own("demonstration"))
        if liaison.recalls(view):
            return
        from shiprider.flow.desk_steps import Person

        who = Person(observer=self._opened.own("demonstration"), login="demonstration")
        began = time.monotonic()
        liaison.recall(view, "alert", alert, who, partners=(), because="retracted", why=_WHY)
        while time.monotonic() - began < _PATIENCE_S and not self._ended.wait(0.2):
            standing = liaison.recalls(view)
            if all(each.answered_us is not None for each in standing):
                answered = {
                    each.order.partner: ((each.answered_us or 0) - each.record.recorded_us) / 1e6
                    for each in standing
                }
                gone = not any(_has(each.folder, alert) for each in self._others)
                said = ", ".join(f"{node} after {s:.1f} s" for node, s in answered.items())
                self._tell(
                    {"recall": alert, "answered_s": answered, "gone": gone},
                    f"It was taken back, to show the way back: {said} {'have' if gone else 'say they have'} let it go.",
                )
                return

    def _liaison(self) -> "Liaison":
        from shiprider.adapters.feeds.file import wall_us
        from shiprider.bootstrap.exchange import open_liaison
        from shiprider.flow.desk_steps import DeskSteps
        from shiprider.model.access_entry import AccessEntry

        opened = self._opened

        def log(entry: AccessEntry) -> None:
            opened.access_log.append([entry])

        return open_liaison(
            opened,
            DeskSteps(
                ledger=opened.ledger,
                node=opened.settings.node,
                clock=wall_us,
                policy=opened.policy_in_force,
                log=log,
            ),
        )

    def _tell(self, told: dict[str, object], sentence: str) -> None:
        from shiprider.cli.output import json_line, say

        if self._as_json:
            json_line(told)
            sys.stdout.flush()
        else:
            say(sentence)


def _names(of: Sequence[Member]) -> str:
    return ", ".join(each.name for each in of)


def _alerts(folder: Path) -> list[str]:
    from shiprider.cli.serving import running

    api = running(folder)
    return [] if api is None else [each["id"] for each in api.ask("GET", "/alerts", limit=20)["alerts"]]


def _has(folder: Path, alert: str) -> bool:
    """Whether the node's own people are shown it."""
    from shiprider.cli.serving import running
    from shiprider.model.errors import NotFound

    api = running(folder)
    if api is None:
        return False
    try:
        api.ask("GET", f"/alerts/{alert}")
    except NotFound:
        return False
    return True
