"""An acknowledgement: somebody at some node has seen an alert.

Always true: it is of the node where it was seen, and takes nothing off the alert: who decides decides still.
"""

import msgspec


class AlertAcknowledgement(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a record of kind `alert_acknowledgement`; its author has seen the alert.

    `digest` is that of the body that was seen; `on_watch`: as the watch officer on duty.
    """

    alert: str
    digest: str
    on_watch: bool
    text: str = ""
