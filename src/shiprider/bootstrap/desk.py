"""The release desk of an opened node."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from shiprider.bootstrap.folder import KEYS
from shiprider.bootstrap.keys import passphrase_of
from shiprider.bootstrap.node import OpenNode

if TYPE_CHECKING:
    from shiprider.adapters.certificates.own import OwnCertificates
    from shiprider.flow.access import Access
    from shiprider.flow.desk import Desk
    from shiprider.flow.exchange.links import LinkState


def open_desk(
    opened: OpenNode,
    access: "Access",
    certificates: "OwnCertificates | None" = None,
    links: "Callable[[], Sequence[LinkState]]" = tuple,
) -> "Desk":
    """The release desk of an opened node. `links`: how the exchange with each partner stands."""
    import secrets

    from shiprider.adapters.sealing.pseudonyms import pseudonym_key
    from shiprider.bootstrap.exchange import open_liaison
    from shiprider.flow.desk import Desk, frame_classes
    from shiprider.flow.desk_steps import DeskSteps
    from shiprider.flow.key_desk import Certificate, KeyDesk
    from shiprider.flow.policy_desk import PolicyDesk
    from shiprider.flow.relabelling import Relabellings
    from shiprider.flow.tear_lines import TearLines

    def certificate() -> Certificate | None:
        if certificates is None:
            return None
        return Certificate(
            ends_us=round(certificates.ends.timestamp() * 1e6),
            fingerprint=certificates.fingerprint,
            names=certificates.names,
        )

    node = opened.settings.node
    pseudonyms = pseudonym_key(
        opened.folder / KEYS, passphrase_of(opened.folder, opened.settings), secrets.token_bytes
    )
    steps = DeskSteps(
        ledger=opened.ledger,
        node=node,
        clock=access.clock,
        policy=opened.policy_in_force,
        log=access.record,
    )
    return Desk(
        steps=steps,
        policies=opened.policies,
        policy=PolicyDesk(steps, opened.policies, partial(frame_classes, opened.spool, node)),
        tear_lines=TearLines(steps, pseudonyms, secrets.token_bytes),
        labels=Relabellings(steps),
        keys=KeyDesk(access=access, ledger=opened.ledger, keys=opened.keys, certificate=certificate),
        liaison=open_liaison(opened, steps, links),
    )
