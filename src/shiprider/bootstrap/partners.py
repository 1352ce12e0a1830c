"""A node's partners."""

from shiprider.adapters.feeds.file import wall_us
from shiprider.adapters.keys.files import ed25519_signed
from shiprider.flow.exchange.partners import Partners
from shiprider.ports.ledger import Ledger
from shiprider.settings import Settings


def open_partners(ledger: Ledger, settings: Settings) -> Partners:
    """The partners in a node's log."""
    return Partners(ledger, node=settings.node, clock=wall_us, verify=ed25519_signed)
