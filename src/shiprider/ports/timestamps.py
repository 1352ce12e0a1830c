"""Time stamps: an authority outside the node says that a digest existed at a time (RFC 3161).

Always true: only the digest leaves the node; an answer that is not over this digest is refused.
"""

from typing import Protocol


class TimeStamper(Protocol):
    """One time-stamping authority that the operator names."""

    def stamp(self, digest: bytes) -> bytes:
        """The whole response (DER) for a SHA-256 digest. Raises StorageError in one sentence."""
        ...
