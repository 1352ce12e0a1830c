"""A partner: a node of another nation or organisation that people introduced, and how far it is trusted.

Always true: nothing is exchanged with a partner whose fingerprint no person has confirmed; a partner that left or
was revoked gets and gives nothing more; what it signed before can still be checked.
"""

from typing import Final, Literal

import msgspec

from shiprider.model.introduction import Introduction
from shiprider.model.signing_key import SigningKey

PartnerState = Literal["introduced", "confirmed", "revoked", "left"]

#: What may follow what.
STEPS: Final[dict[PartnerState, tuple[PartnerState, ...]]] = {
    "introduced": ("confirmed", "revoked"),
    "confirmed": ("revoked", "left"),
    "revoked": ("introduced",),
    "left": ("introduced",),
}


class Partner(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `partner`. `keys` are all that ever signed for it, oldest first.

    `clearance`, `communities`, `purposes` and `cases` are what a release to it may depend on; `place` is `host:port` of its
    broker, empty where it comes to ours; `confirmed_by` compared fingerprints.
    """

    introduction: Introduction
    state: PartnerState
    keys: tuple[SigningKey, ...]
    clearance: str = ""
    communities: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()
    place: str = ""
    introduced_by: str = ""
    confirmed_by: str = ""
    why: str = ""

    @property
    def node(self) -> str:
        """The origin of its records."""
        return self.introduction.node
