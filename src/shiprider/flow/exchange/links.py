"""The exchange with one partner over one way: what waits goes, what comes is taken, what is lost goes again.

Always true: what is for a partner stays in the log until he says that it is durable there, and goes again from that
place when he does not; what is refused is kept aside with its reason and never half taken; a partner that cannot be
reached stops nobody else, and his backlog is only what the log holds.
"""

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from msgspec import structs

from shiprider.flow.exchange.dispatching import Dispatching
from shiprider.flow.exchange.partners import Partners
from shiprider.flow.exchange.receiving import Receiving
from shiprider.formats import feed_bundle
from shiprider.formats.feed_bundle import decode_acknowledged, encode, encode_acknowledged
from shiprider.model.errors import InputError, LinkDown, NotFound, ShipriderError
from shiprider.model.feed_bundle import Acknowledged
from shiprider.model.partner import Partner
from shiprider.model.record import Record
from shiprider.ports.bus import Link
from shiprider.ports.keys import Keys
from shiprider.share.feed import Position

_log: Final = logging.getLogger("shiprider.node")

#: After so long without an acknowledgement what was sent goes again.
RESEND_S: Final = 15.0
#: Between two looks where nothing came.
_WAIT_S: Final = 0.2
#: A way that is down is tried again after so long, twice as long each time.
_DOWN_S: Final = (1.0, 30.0)
#: Bundles that were refused and are kept, per partner.
_MOST_REFUSED: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a way bears: bytes of a bundle, and bundles on their way at once."""

    bundle_bytes: int = 256 * 1024
    bundles: int = 8

    @classmethod
    def of(cls, kbit_s: float) -> "Pace":
        """For a way of so many kilobits a second: what is on its way at once passes in some four seconds, so that
        something urgent waits no longer."""
        if kbit_s >= 1000.0:
            return cls()
        return cls(bundle_bytes=max(1024, int(kbit_s * 125 * 2)), bundles=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkState:
    """How the exchange with a partner stands. Times in microseconds since 1970 UTC, 0: never.

    `clock_s`: how far the partner's clock was ahead when something of his came last, its time on the way included.
    """

    partner: str
    up: bool
    trouble: str
    heard_us: int
    sent: Position
    acknowledged: Position
    received: Position
    refused: int
    clock_s: float


@dataclass(slots=True)
class PartnerLink:
    """The exchange with one partner. `open_link` opens the way; `clock` in microseconds since 1970 UTC."""

    partner: str
    partners: Partners
    dispatching: Dispatching
    receiving: Receiving
    keys: Keys
    node: str
    open_link: Callable[[], Link]
    refused_folder: Path
    clock: Callable[[], int]
    pace: Pace = field(default_factory=Pace)
    on_taken: Callable[[str], None] = lambda _: None
    _link: Link | None = None
    _acknowledged: Position = field(default_factory=Position)
    _sent_up_to: Position = field(default_factory=Position)
    _sent_s: float = 0.0
    _asked: bool = False
    _trouble: str = ""
    _heard_us: int = 0
    _refused: int = 0
    _clock_s: float = 0.0
    _told: tuple[int, int] = (0, 0)

    def run(self, stop: threading.Event) -> None:
        """Exchange until `stop`."""
        pause_s = _DOWN_S[0]
        while not stop.is_set():
            try:
                moved = self.step()
                pause_s = _DOWN_S[0]
                if not moved:
                    stop.wait(_WAIT_S)
            except LinkDown as error:
                self._down(str(error))
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _DOWN_S[1])
            except ShipriderError as error:
                self._trouble = str(error)
                _log.error("exchange hindered", extra={"error": type(error).__name__})
                stop.wait(pause_s)
                pause_s = min(2 * pause_s, _DOWN_S[1])
        self._down("")

    def step(self) -> bool:
        """Take what came, send what waits; whether anything moved. Raises LinkDown, StorageError."""
        try:
            _, partner = self.partners.partner(self.partner)
        except NotFound:
            return False
        if partner.state != "confirmed":
            self._down(f"{self.partner!r} is {partner.state}: nothing is exchanged.")
            return False
        if self._link is None:
            self._link = self.open_link()
        came = self._take(self._link)
        went = self._send(self._link, partner)
        self._trouble = ""
        return came or went

    def state(self) -> LinkState:
        """How it stands."""
        return LinkState(
            partner=self.partner,
            up=self._link is not None and not self._trouble,
            trouble=self._trouble,
            heard_us=self._heard_us,
            sent=self._sent_up_to,
            acknowledged=self._acknowledged,
            received=self.receiving.place(self.partner),
            refused=self._refused,
            clock_s=self._clock_s,
        )

    # -- what comes -----------------------------------------------------------------------------------

    def _take(self, link: Link) -> bool:
        parcels = link.receive("records", 64, 0.0)
        place: Position | None = None
        for parcel in parcels:
            if parcel.data.startswith(feed_bundle.ACKNOWLEDGED):
                self._hear(parcel.data)
                parcel.done()
                continue
            taken = self.receiving.take(parcel.data, self.partner)
            if taken.answer == "refuse":
                self._put_aside(parcel.data, taken.reason)
            if taken.place is not None:
                # Early ones are let go: the partner sends again from the place that it is told.
                place = taken.place
            if taken.answer == "take":
                self._note_time(parcel.data)
                self.on_taken(self.partner)
            parcel.done()
        if place is not None:
            link.send("records", encode_acknowledged(self._acknowledgement(place)))
        return bool(parcels)

    def _acknowledgement(self, place: Position) -> Acknowledged:
        with self.keys.signing() as signer:
            told = Acknowledged(
                sender=self.partner,
                recipient=self.node,
                epoch=place.epoch,
                sequence=place.sequence,
                made_us=max(self.clock(), signer.from_us),
                key_id=signer.key_id,
            )
            return structs.replace(told, signature=signer.sign(told.statement(), told.made_us))

    def _hear(self, data: bytes) -> None:
        try:
            told = decode_acknowledged(data)
        except InputError:
            self._put_aside(data, "unreadable")
            return
        if not self.receiving.acknowledged(told, self.partner):
            self._put_aside(data, "not_signed")
            return
        self._heard(told.made_us)
        place = (told.epoch, told.sequence)
        if place >= self._told:
            self._told = place
            self._acknowledged = Position(epoch=told.epoch, sequence=told.sequence)
            if place < (self._sent_up_to.epoch, self._sent_up_to.sequence):
                # He lacks something: what follows goes again once it had its time.
                self._sent_s = min(self._sent_s, time.monotonic() - RESEND_S / 2)

    def _note_time(self, data: bytes) -> None:
        self._heard(feed_bundle.decode(data).made_us)

    def _heard(self, made_us: int) -> None:
        self._heard_us = self.clock()
        self._clock_s = (made_us - self._heard_us) / 1e6

    def _put_aside(self, data: bytes, reason: str) -> None:
        """Refused bytes, with why: for people to look at. What is kept is bounded, the oldest goes."""
        self._refused += 1
        _log.warning("bundle refused", extra={"reason": reason})
        self.refused_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        name = f"{self.clock():020}-{reason}-{hashlib.sha256(data).hexdigest()[:16]}.bundle"
        (self.refused_folder / name).write_bytes(data)
        for old in sorted(self.refused_folder.iterdir())[:-_MOST_REFUSED]:
            old.unlink(missing_ok=True)

    # -- what goes ------------------------------------------------------------------------------------

    def _send(self, link: Link, partner: Partner) -> bool:
        now_s = time.monotonic()
        last = self.dispatching.sent.last(self.partner)
        if not self._asked and last is not None:
            # After a start nobody knows what he has: the newest bundle makes him say it.
            self._asked = True
            again = self.dispatching.sent.after(self.partner, last.epoch, last.sequence - 1, 1)
            self._again(link, again[:1])
            return True
        if last is not None and self._behind(last.epoch, last.sequence):
            if now_s - self._sent_s < RESEND_S and self._full(last.epoch, last.sequence):
                return False
            if now_s - self._sent_s >= RESEND_S:
                place = self._acknowledged
                waiting = self.dispatching.sent.after(
                    self.partner, place.epoch, place.sequence, self.pace.bundles
                )
                if not self._again(link, waiting):
                    # A body was removed by law since: what was to come is begun anew without it.
                    self.dispatching.renew(partner, place.epoch, place.sequence)
                    self._sent_s = 0.0
                return True
        return self._next(link, partner)

    def _next(self, link: Link, partner: Partner) -> bool:
        bundle = self.dispatching.next(partner, most_bytes=self.pace.bundle_bytes)
        if bundle is None:
            return False
        link.send("records", encode(bundle))
        self._asked = True
        self._sent_s = time.monotonic()
        self._sent_up_to = Position(epoch=bundle.epoch, sequence=bundle.sequence)
        return True

    def _again(self, link: Link, records: Sequence[Record]) -> bool:
        self._sent_s = time.monotonic()
        for record in records:
            bundle = self.dispatching.again(record)
            if bundle is None:
                return False
            link.send("records", encode(bundle))
            self._sent_up_to = Position(epoch=bundle.epoch, sequence=bundle.sequence)
        return True

    def _behind(self, epoch: int, sequence: int) -> bool:
        return (self._acknowledged.epoch, self._acknowledged.sequence) < (epoch, sequence)

    def _full(self, epoch: int, sequence: int) -> bool:
        """Whether as much is on its way as the way bears."""
        if self._acknowledged.epoch != epoch:
            return sequence >= self.pace.bundles
        return sequence - self._acknowledged.sequence >= self.pace.bundles

    def _down(self, why: str) -> None:
        self._trouble = why
        link, self._link = self._link, None
        if link is not None:
            link.close()
