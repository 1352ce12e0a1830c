"""Live push: one WebSocket a client, only what is inside its view, only what changed.

Always true: a client is never sent a position older than the newest that is known when it is ready for
it (latest wins, no backlog); it is sent at most `BYTES_PER_S`; what it asks is checked before it is used;
alerts reach it in the order of the ledger, none left out; every vessel it is sent is named in the access log.
"""

import asyncio
import contextlib
import time
from typing import Annotated, Any, Final, Literal

import msgspec
import numpy as np
from litestar import WebSocket
from litestar.exceptions import WebSocketDisconnect
from msgspec import Meta, structs
from numpy.typing import NDArray

from shiprider.api import wire
from shiprider.api.authorising import Asker, entry
from shiprider.api.permissions import TABLE
from shiprider.api.recording import MOST_OBJECTS
from shiprider.api.rendering import Rendering
from shiprider.api.schemas.base import Failure, Microseconds
from shiprider.api.sessions import Sessions
from shiprider.api.site import Site
from shiprider.api.words import language_of
from shiprider.flow.picture import Rows
from shiprider.flow.view import View
from shiprider.measure.clock import HOUR_US
from shiprider.model.access_entry import bounded
from shiprider.model.errors import NotLogged, ShipriderError
from shiprider.ports.ledger import Query

BYTES_PER_S: Final = 200_000
_TICK_S: Final = 1.0
_ALERT_TICK_S: Final = 0.25
#: How often it is asked whether the session still stands.
_SESSION_TICK_S: Final = 0.25
#: Close code of a session that ended (private use, RFC 6455 7.4.2).
SESSION_ENDED: Final = 4401
#: And of one whose person reads as another from now on (purpose, case, access taken or given back): the client
#: connects again and gets a picture of its own (RFC 6455's registry: service restart).
BEGIN_ANEW: Final = 1012
_STATUS_EVERY_S: Final = 5.0

#: A vessel not heard for longer is not in the live view; its track and findings are.
LIVE_SPAN_US: Final = 12 * HOUR_US

#: Vessels that were shown are named in the access log so often, so many at a time, and again after so long.
_NAMED_EVERY_S: Final = 60.0
_NAMED_AT_ONCE: Final = 10_000
_NAMED_AGAIN_S: Final = 3600.0

#: Largest message a client may send, and longest time a send may take before the client is let go.
_TEXT_BYTES: Final = 16_384
_SEND_TIMEOUT_S: Final = 60.0

_Degrees = Annotated[float, Meta(ge=-180, le=180)]


class LiveView(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, tag="view", tag_field="type"):
    """What a client looks at."""

    view: Annotated[int, Meta(ge=0, le=2**32 - 1)]
    bbox: tuple[
        _Degrees, Annotated[float, Meta(ge=-90, le=90)], _Degrees, Annotated[float, Meta(ge=-90, le=90)]
    ]
    zoom: Annotated[float, Meta(ge=0, le=30)] = 0.0
    classes: Annotated[list[Annotated[int, Meta(ge=0, le=255)]], Meta(max_length=64)] | None = None
    simulated: bool = True
    mode: Literal["live", "then", "now"] = "live"
    time_us: Microseconds | None = None
    limit: Annotated[int, Meta(ge=1, le=60_000)] = 5000


_DECODER: Final = msgspec.json.Decoder(LiveView)
_RULE: Final = TABLE["WS", "/api/v1/live"]


class Follower:
    """What one client has been sent of one view, and what it is to be sent next."""

    def __init__(self, asked: LiveView) -> None:
        self.asked = asked
        self._sent = np.zeros(0, np.int64)
        self._flags = np.zeros(0, np.uint8)
        self._fresh = True
        self._cells = b""
        #: Vessels (MMSI) of the last frame; none where it is of cells.
        self.shown = np.zeros(0, np.int64)

    def next_frame(
        self, rows: Rows, alerted: NDArray[np.int64], watched: NDArray[np.int64], time_us: int, room: int
    ) -> bytes | None:
        """The next frame of at most `room` bytes; None where nothing changed. `rows` is all inside the box."""
        self.shown = np.zeros(0, np.int64)
        flags = wire.row_flags(rows, alerted, watched)
        chosen = self._chosen(rows)
        total = int(chosen.sum())
        simulated = bool((flags[chosen] & wire.FLAG_SIMULATED).any())
        if total > self.asked.limit:
            return self._cells_frame(rows, chosen, time_us, simulated)
        self._cells = b""
        at = np.flatnonzero(chosen)
        highest = int(rows.slot.max(initial=-1)) + 1
        if len(self._sent) < highest:
            more = highest - len(self._sent)
            self._sent = np.concatenate((self._sent, np.full(more, -1, np.int64)))
            self._flags = np.concatenate((self._flags, np.zeros(more, np.uint8)))
        slots = rows.slot[at]
        pending = (self._sent[slots] < rows.changed[at]) | (self._flags[slots] != flags[at])
        here = np.zeros(len(self._sent), np.bool_)
        here[slots] = True
        removed = np.flatnonzero((self._sent >= 0) & ~here).astype(np.int32)
        keep = at[pending]
        most = max((room - 32 - 4 * len(removed)) // wire.ROW_BYTES, 1)
        if len(keep) > most:
            # Those never sent first, then those whose last sending is longest ago.
            keep = keep[np.argsort(self._sent[rows.slot[keep]], kind="stable")[:most]]
        if not self._fresh and not len(keep) and not len(removed):
            return None
        kind = wire.SNAPSHOT if self._fresh else wire.DELTA
        gone = np.zeros(0, np.int32) if self._fresh else removed
        frame = wire.vessels_frame(
            kind, self.asked.view, rows, keep, gone, flags,
            total=total, time_us=time_us, thinned=False, simulated=simulated,
        )  # fmt: skip
        self._fresh = False
        self.shown = rows["mmsi"][keep].astype(np.int64)
        self._sent[rows.slot[keep]] = rows.changed[keep]
        self._flags[rows.slot[keep]] = flags[keep]
        self._sent[removed] = -1
        return frame

    def _chosen(self, rows: Rows) -> NDArray[np.bool_]:
        chosen = np.ones(len(rows), np.bool_)
        if self.asked.classes is not None:
            chosen &= np.isin(rows.vessel_class, np.array(self.asked.classes, np.int64))
        if not self.asked.simulated:
            chosen &= rows["nature"] != 3
        return chosen

    def _cells_frame(
        self, rows: Rows, chosen: NDArray[np.bool_], time_us: int, simulated: bool
    ) -> bytes | None:
        west, _, east, _ = self.asked.bbox
        width = east - west if west <= east else east - west + 360.0
        frame = wire.cells_frame(self.asked.view, rows, chosen, width, time_us=time_us, simulated=simulated)
        # The picture's time alone is no change.
        if frame[32:] == self._cells:
            return None
        self._cells = frame[32:]
        self._fresh = True
        self._sent[:] = -1
        return frame


class NamedVessels:
    """Vessels that one connection was shown and that are to be named in the access log.

    The first are named at once, what comes after once a minute, so many at a time; each once an hour.
    """

    def __init__(self) -> None:
        self._waiting = np.zeros(0, np.int64)
        self._named = np.zeros(0, np.int64)
        self._next_s = 0.0
        self._anew_s = float("inf")

    @property
    def waiting(self) -> int:
        """How many there are."""
        return len(self._waiting)

    def add(self, shown: NDArray[np.int64]) -> None:
        """MMSIs of a frame."""
        for known in (self._named, self._waiting):
            # Both are sorted: a place for each, looked up, costs a hundredth of sorting all of them together.
            if len(known) and len(shown):
                shown = shown[known[np.minimum(np.searchsorted(known, shown), len(known) - 1)] != shown]
        if len(shown):
            self._waiting = np.union1d(self._waiting, shown)

    def due(self, now_s: float) -> NDArray[np.int64]:
        """MMSIs to be named now."""
        return self._waiting[: _NAMED_AT_ONCE if now_s >= self._next_s else 0]

    def named(self, now: NDArray[np.int64], now_s: float) -> None:
        """They are in the log."""
        if now_s >= self._anew_s:
            self._named, self._anew_s = np.zeros(0, np.int64), float("inf")
        if self._anew_s == float("inf"):
            self._anew_s = now_s + _NAMED_AGAIN_S
        self._next_s = now_s + _NAMED_EVERY_S
        self._waiting = self._waiting[len(now) :]
        self._named = np.union1d(self._named, now)


def _filters(asked: LiveView) -> str:
    told = [] if asked.classes is None else [f"classes={','.join(map(str, asked.classes))}"]
    if asked.time_us is not None:
        told.append(f"time_us={asked.time_us}")
    return bounded(" ".join(told))


class LiveClient:
    """One connection."""

    def __init__(
        self, socket: WebSocket[Any, Any, Any], site: Site, asker: Asker, sessions: Sessions, language: str
    ) -> None:
        self._socket = socket
        self._site = site
        self._asker = asker
        self._sessions = sessions
        self._observer = asker.observer
        self._view: View = site.view(self._observer)
        self._rendering = Rendering(self._view, language)
        self._asked: LiveView | None = None
        self._changed = asyncio.Event()
        # A place in the log, for following it: never sent.
        self._sequence = self._view.log_place()
        self._worked = self._sequence
        self._layout = self._view.layout
        self._policy = self._view.sight.version
        self._allowed = self._view.allowed.classes
        self._alerted = np.zeros(0, np.int64)
        self._watched = np.zeros(0, np.int64)
        self._sending = asyncio.Lock()
        self._named = NamedVessels()
        self._told = self._notices()

    async def run(self) -> None:
        """Serve it until it goes, or its session does."""
        await self._refresh_marks()
        tasks = [
            asyncio.create_task(each()) for each in (self._listen, self._push, self._events, self._standing)
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error = task.exception()
                if error is not None and not isinstance(
                    error, WebSocketDisconnect | TimeoutError | RuntimeError
                ):
                    raise error
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            # What was shown since the last minute ended.
            with contextlib.suppress(NotLogged):
                while self._named.waiting:
                    await asyncio.to_thread(self._name, float("inf"), np.zeros(0, np.int64))
            if not self._stands():
                code = BEGIN_ANEW if self._alive() else SESSION_ENDED
                with contextlib.suppress(RuntimeError, TimeoutError, WebSocketDisconnect):
                    await asyncio.wait_for(self._socket.close(code=code), _SEND_TIMEOUT_S)

    # -- who it is ------------------------------------------------------------------------------------

    async def _standing(self) -> None:
        """Ends when the session does, or when its person is no longer who he was when it was opened."""
        while self._stands():
            await asyncio.sleep(_SESSION_TICK_S)

    def _alive(self) -> bool:
        asker = self._asker
        return self._sessions.alive(asker.session) and asker.alive and asker.may(_RULE)

    def _stands(self) -> bool:
        # A demo user may say his name at any time: what he sees does not depend on it.
        now = structs.replace(self._asker.observer, name=self._observer.name)
        if now != self._observer or self._view.sight.version != self._policy or not self._alive():
            return False
        # What ended (an agreement, a label) is no longer shown; what came is shown as it comes.
        before, self._allowed = self._allowed, self._view.allowed.classes
        return before <= self._allowed

    def _log(self, asked: LiveView) -> None:
        """Raises NotLogged."""
        box = ",".join(f"{edge:.2f}" for edge in asked.bbox)
        line = entry(
            self._asker,
            _RULE,
            "WS /api/v1/live",
            "allowed",
            self._site.clock(),
            objects=(f"box:{box}", f"mode:{asked.mode}"),
            asked=_filters(asked),
        )
        self._asker.access.record(line)

    def _name(self, now_s: float, shown: NDArray[np.int64]) -> None:
        """Vessels of a frame, and those that wait, into the access log. Raises NotLogged."""
        self._named.add(shown)
        due = self._named.due(now_s)
        if not len(due):
            return
        at_us, vessels = self._site.clock(), [str(each) for each in due.tolist()]
        parts = [vessels[at : at + MOST_OBJECTS] for at in range(0, len(vessels), MOST_OBJECTS)]
        self._asker.access.record(
            *(
                entry(
                    self._asker,
                    _RULE,
                    "WS /api/v1/live vessels",
                    "allowed",
                    at_us,
                    objects=tuple(part),
                    count=self._named.waiting,
                )
                for part in parts
            )
        )
        self._named.named(due, now_s)

    def _notices(self) -> frozenset[str]:
        account = self._asker.session.account
        return frozenset(each.id for each in self._asker.access.accounts.notices(account) if account)

    # -- what it asks ---------------------------------------------------------------------------------

    async def _listen(self) -> None:
        while True:
            message = await self._socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            text = message.get("text")
            if not isinstance(text, str) or len(text) > _TEXT_BYTES:
                await self._complain("bad_view", "A view is a short JSON text.")
                continue
            try:
                asked = _DECODER.decode(text)
            except msgspec.DecodeError as error:
                await self._complain("bad_view", f"The view cannot be read: {error}.")
                continue
            if asked.mode != "live" and asked.time_us is None:
                await self._complain("bad_view", "A view of another time needs `time_us`.")
                continue
            if asked.bbox[1] > asked.bbox[3]:
                await self._complain("bad_view", "The box's south edge lies north of its north edge.")
                continue
            self._asked = asked
            self._changed.set()

    async def _complain(self, error: str, message: str) -> None:
        failure = Failure(error=error, message=message, hint="See docs/api.md, live push.")
        await self._send_json({"type": "error", **msgspec.to_builtins(failure)})

    # -- what it is sent ------------------------------------------------------------------------------

    async def _push(self) -> None:
        follower: Follower | None = None
        while True:
            if follower is None:
                await self._changed.wait()
            started = time.monotonic()
            if self._changed.is_set() and self._asked is not None:
                self._changed.clear()
                asked = self._asked
                try:
                    await asyncio.to_thread(self._log, asked)
                except NotLogged as error:
                    follower = None
                    await self._complain("not_logged", str(error))
                    continue
                self._sessions.touch(self._asker.session)
                follower = Follower(asked)
            if follower is None:
                continue
            sent = 0
            if self._view.layout != self._layout:
                # Rows of one more label are in the picture, or of one less: its places are others now.
                self._layout = self._view.layout
                follower = Follower(follower.asked)
            try:
                frame = await asyncio.to_thread(self._frame, follower)
            except ShipriderError as error:
                await self._complain("no_picture", str(error))
                follower = None
                continue
            try:
                await asyncio.to_thread(self._name, time.monotonic(), follower.shown)
            except NotLogged as error:
                follower = None
                await self._complain("not_logged", str(error))
                continue
            if frame is not None:
                await self._send_bytes(frame)
                sent = len(frame)
            if follower.asked.mode != "live":
                follower = None
                continue
            pause = max(_TICK_S, sent / BYTES_PER_S) - (time.monotonic() - started)
            try:
                await asyncio.wait_for(self._changed.wait(), max(pause, 0.02))
            except TimeoutError:
                continue

    def _frame(self, follower: Follower) -> bytes | None:
        asked = follower.asked
        if asked.mode == "live":
            newest = self._view.picture.newest_us
            time_us = newest if newest is not None else self._site.clock()
            rows = self._view.rows(asked.bbox, since_us=time_us - LIVE_SPAN_US)
            room = BYTES_PER_S
        else:
            time_us = asked.time_us or 0
            rows, _ = self._view.picture_at(time_us, asked.mode, asked.bbox)
            room = wire.ROW_BYTES * 60_000 + 64
        return follower.next_frame(rows, self._alerted, self._watched, time_us, room)

    async def _events(self) -> None:
        status_at = 0.0
        while True:
            changed = await asyncio.to_thread(self._alert_events)
            for event in changed:
                await self._send_json(event)
            if changed:
                await self._refresh_marks()
            for event in await asyncio.to_thread(self._working_events):
                await self._send_json(event)
            told = self._notices()
            if told - self._told:
                await self._send_json({"type": "notice", "unseen": len(told - self._told)})
            self._told = told
            if time.monotonic() - status_at >= _STATUS_EVERY_S:
                status_at = time.monotonic()
                status = await asyncio.to_thread(self._rendering.status, self._site)
                await self._send_json({"type": "status", "status": msgspec.to_builtins(status)})
            await asyncio.sleep(_ALERT_TICK_S)

    def _alert_events(self) -> list[dict[str, Any]]:
        if self._view.log_place() == self._sequence:
            return []
        events: list[dict[str, Any]] = []
        changed, self._sequence = self._view.alerts_since(self._sequence, 500)
        for item in changed:
            alert = self._rendering.alert(item)
            kind = "new" if item.record.revision == 1 else "changed"
            events.append({"type": "alert", "event": kind, "alert": msgspec.to_builtins(alert)})
        return events

    def _working_events(self) -> list[dict[str, Any]]:
        """That there is something new, and of what: the page asks for it, and is logged then."""
        if self._view.log_place() == self._worked:
            return []
        records, self._worked = self._view.worked_since(self._worked, 500)
        changed = {record.id: record for record in records}
        return [
            {"type": "working", "kind": each.kind, "id": each.id, "case": each.case}
            for each in changed.values()
        ]

    async def _refresh_marks(self) -> None:
        self._alerted, self._watched = await asyncio.to_thread(self._marks)

    def _marks(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        alerts = self._view.alerts(Query("alert", (("open",),)))
        alerted = {mmsi for alert in alerts for mmsi in alert.body.participants}
        lists = (each.body for each in self._view.watchlists() if each.body.active)
        watched = {entry.mmsi for each in lists for entry in each.entries if entry.mmsi is not None}
        return (np.array(sorted(alerted), np.int64), np.array(sorted(watched), np.int64))

    async def _send_json(self, content: dict[str, Any]) -> None:
        text = msgspec.json.encode(content).decode()
        async with self._sending:
            await asyncio.wait_for(self._socket.send_text(text), _SEND_TIMEOUT_S)

    async def _send_bytes(self, frame: bytes) -> None:
        async with self._sending:
            await asyncio.wait_for(self._socket.send_bytes(frame), _SEND_TIMEOUT_S)


async def serve_live(socket: WebSocket[Any, Any, Any], site: Site) -> None:
    """The handler's body: accept, serve, let go."""
    await socket.accept()
    state = socket.scope["state"]
    language = language_of(
        socket.query_params.get("lang"), socket.headers.get("accept-language"), site.language
    )
    await LiveClient(socket, site, state["asker"], state["sessions"], language).run()
