"""A link by a broker: JetStream of NATS, at the partner's or at our own.

Always true: nothing rests on the broker's promises (its acknowledgement is not durable, its memory of doubles is
short): what it loses is sent again, what it doubles is known again; a link that is down says so and is tried anew
at the next use.
"""

import asyncio
import contextlib
import ssl
import threading
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeVar

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)

from shiprider.adapters.bus.server import FROM, TO
from shiprider.model.errors import LinkDown
from shiprider.ports.bus import Lane, Parcel

T = TypeVar("T")

_CONNECT_S: Final = 5.0
_PUBLISH_S: Final = 10.0
_LEAVE_S: Final = 2.0
#: Nothing here takes longer, unless the way is down without saying so.
_MOST_S: Final = 30.0
#: So long a parcel is left alone before it comes again.
_ACK_WAIT_S: Final = 60.0
#: Frames that nobody fetched for so long are of no use.
_FRAMES_LAST_S: Final = 600.0
_DOWN: Final = (NatsError, OSError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the broker is, what it calls itself, and what we show it. `guest` is the account's partner (short name);
    `hosting`: the broker is ours."""

    host: str
    port: int
    server_name: str
    guest: str
    hosting: bool
    context: Callable[[], ssl.SSLContext]
    most_bytes: int = 2**30


class NatsLink:
    """See `ports.bus.Link`."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="link", daemon=True)
        self._thread.start()
        self._client: Client | None = None
        self._waiting: dict[Lane, JetStreamContext.PullSubscription] = {}

    def send(self, lane: Lane, data: bytes) -> None:
        """See the port."""
        subject = f"{'to' if self._place.hosting else 'from'}.{lane}"
        self._do(self._send(subject, data))

    def receive(self, lane: Lane, most: int, wait_s: float) -> Sequence[Parcel]:
        """See the port."""
        return self._do(self._receive(lane, most, wait_s))

    def close(self) -> None:
        """See the port."""
        if self._loop.is_closed():
            return
        with contextlib.suppress(LinkDown):
            self._do(self._leave())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        waiting = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return waiting.result(_MOST_S)
        except _DOWN as error:
            waiting.cancel()
            place = f"{self._place.host}:{self._place.port}"
            raise LinkDown(
                f"The broker at {place} cannot be used now ({error}): it is tried again."
            ) from error

    async def _send(self, subject: str, data: bytes) -> None:
        client = await self._connected()
        stream = TO if self._place.hosting else FROM
        await client.jetstream(timeout=_PUBLISH_S).publish(subject, data, stream=stream, timeout=_PUBLISH_S)

    async def _receive(self, lane: Lane, most: int, wait_s: float) -> list[Parcel]:
        await self._connected()
        try:
            found = await self._waiting[lane].fetch(most, timeout=max(wait_s, 0.05))
        except (TimeoutError, nats.errors.TimeoutError):
            return []
        return [Parcel(each.data, partial(self._done, each)) for each in found]

    def _done(self, message: Any) -> None:
        with contextlib.suppress(LinkDown):  # it comes again, and is known by then
            self._do(message.ack())

    async def _connected(self) -> Client:
        if self._client is not None and self._client.is_connected:
            return self._client
        await self._leave()
        place = self._place
        # The client would try for minutes by itself: here it is the exchange that decides when to try again, and
        # that nobody listens is known at once.
        _, listening = await asyncio.wait_for(asyncio.open_connection(place.host, place.port), _CONNECT_S)
        listening.close()
        client: Client = await asyncio.wait_for(
            nats.connect(
                f"tls://{place.host}:{place.port}",
                tls=place.context(),
                tls_hostname=place.server_name,
                inbox_prefix=f"_INBOX_{place.guest}".encode(),
                connect_timeout=_CONNECT_S,
                allow_reconnect=False,
                max_reconnect_attempts=0,
                error_cb=_unheard,
                max_outstanding_pings=2,
                ping_interval=20,
            ),
            2 * _CONNECT_S,
        )
        try:
            stream = client.jetstream(timeout=_CONNECT_S)
            if place.hosting:
                await self._prepare(stream)
            for lane in ("records", "frames"):
                self._waiting[lane] = await stream.pull_subscribe_bind(
                    durable=lane, stream=FROM if place.hosting else TO
                )
        except BaseException:
            await client.close()
            raise
        self._client = client
        return client

    async def _prepare(self, stream: JetStreamContext) -> None:
        for name, way in ((TO, "to"), (FROM, "from")):
            await _kept(
                stream,
                StreamConfig(
                    name=name,
                    subjects=[f"{way}.records", f"{way}.frames"],
                    retention=RetentionPolicy.WORK_QUEUE,
                    storage=StorageType.FILE,
                    discard=DiscardPolicy.NEW,
                    max_bytes=self._place.most_bytes,
                ),
            )
            for lane in ("records", "frames"):
                await stream.add_consumer(
                    name,
                    ConsumerConfig(
                        durable_name=lane,
                        filter_subject=f"{way}.{lane}",
                        ack_policy=AckPolicy.EXPLICIT,
                        ack_wait=_ACK_WAIT_S,
                        max_ack_pending=256,
                    ),
                )

    async def _leave(self) -> None:
        client, self._client = self._client, None
        self._waiting.clear()
        if client is not None:
            with contextlib.suppress(*_DOWN):
                # A broker that went away is not waited for.
                await asyncio.wait_for(client.close(), _LEAVE_S)


async def _kept(stream: JetStreamContext, config: StreamConfig) -> None:
    try:
        await stream.add_stream(config)
    except NatsError:
        await stream.update_stream(config)


async def _unheard(error: Exception) -> None:
    """What goes wrong is told where the link is used."""
