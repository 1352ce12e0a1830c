"""Bus: the way between two nodes; it carries bundles as bytes and is trusted with nothing.

Always true: what is sent may arrive later, twice, in another order or not at all; who sends keeps it until its
partner's application says that it is durable there; who receives says `done` only after that.
"""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

#: records: kept and delivered in the end; frames: live positions, the latest wins.
Lane = Literal["records", "frames"]


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bytes that came. `done` tells the way that they need not come again."""

    data: bytes
    done: Callable[[], None]


class LinkIdentity(Protocol):
    """What a node shows on links: a certificate that vouches for itself alone, and its key."""

    @property
    def name(self) -> str:
        """The one name in the certificate, which is its key's."""
        ...

    @property
    def pem(self) -> str:
        """The certificate."""
        ...

    @property
    def file(self) -> Path:
        """Where the certificate is."""
        ...

    @property
    def key_file(self) -> Path:
        """Where its key is."""
        ...

    def client_context(self, partner_pem: str) -> ssl.SSLContext:
        """TLS towards somebody who shows exactly this certificate."""
        ...


class Link(Protocol):
    """The way to one partner and back; used by one thread."""

    def send(self, lane: Lane, data: bytes) -> None:
        """Hand over; on return the way has it, which promises nothing. Raises LinkDown."""
        ...

    def receive(self, lane: Lane, most: int, wait_s: float) -> Sequence[Parcel]:
        """What came, at most so many, waiting at most so long for the first. Raises LinkDown."""
        ...

    def close(self) -> None:
        """Let go."""
        ...
