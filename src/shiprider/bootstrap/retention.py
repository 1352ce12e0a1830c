"""What a node keeps, and how long."""

from shiprider.bootstrap.node import OpenNode
from shiprider.flow.retention import Policy as RetentionPolicy
from shiprider.flow.view import seen
from shiprider.model.orders import LegalHold
from shiprider.model.tables import TABLES as SCHEMAS
from shiprider.ports.lake import Hold
from shiprider.settings import Settings


def legal_holds(opened: OpenNode) -> list[Hold]:
    """What must stay, from the ledger."""
    held = [seen(r, LegalHold).body for r in opened.ledger.of_kind("legal_hold") if r.body is not None]
    return [Hold(tuple(h.mmsi), h.start_us, h.end_us) for h in held if not h.released]


def retention_policy(settings: Settings) -> RetentionPolicy:
    """The settings' `[retention]`."""
    kept = settings.retention
    days = {name: int(getattr(kept, f"{name}_days")) for name in SCHEMAS}
    return RetentionPolicy(days=days, budget_bytes=round(kept.disk_budget_gib * 2**30))
