"""An export of evidence, as a record: who took what out of the node, and why.

Always true: the package is named by its digest; what it could not show is said.
"""

import msgspec


class EvidenceExport(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken out. `withheld_records` and `withheld_observations` may not be exported by whoever exported.

    `no_time_stamp` and `missing` say what the package lacks; `unwitnessed_since_us` None: a partner witnessed it."""

    finding: str
    package_sha256: str
    records: int
    observations: int
    missing: int
    reason: str
    withheld_records: int = 0
    withheld_observations: int = 0
    no_time_stamp: str = ""
    unwitnessed_since_us: int | None = None
