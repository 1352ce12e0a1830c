"""A finding taken out as a package of evidence."""

from pathlib import Path
from typing import TYPE_CHECKING

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.files import write_new
from shiprider.bootstrap.node import OpenNode
from shiprider.flow.logged_access import Accesses
from shiprider.model.observer import Observer

if TYPE_CHECKING:
    from shiprider.flow.evidence import Package


def export_evidence(opened: OpenNode, finding: str, target: Path, *, by: str, reason: str) -> "Package":
    """Write the package of a finding to a new file and record that it was taken out.

    Raises NotFound, CorruptStore, StorageError, UsageError.
    """
    from shiprider.adapters.timestamps.rfc3161 import Rfc3161
    from shiprider.flow.evidence import Sources, export, recorded
    from shiprider.flow.ids import new_id

    url = opened.settings.evidence.time_stamp_url

    def length_of(raw: int) -> int | None:
        for table in ("observations", "statements", "messages"):
            rows = (
                opened.lake.scan(table, ["raw", "raw_length"], raw_start=raw, raw_end=raw + 1)
                .head(1)
                .collect()
            )
            if rows.height:
                return int(rows["raw_length"][0] or 0)
        return None

    accesses = Accesses(opened.access_log, wall_us)
    observer = Observer(name=by, roles=("evidence_custodian",), purpose=reason)
    sources = Sources(
        node=opened.settings.node,
        ledger=opened.ledger,
        spool=opened.spool,
        length_of=length_of,
        vouching=opened.vouching,
        signer=opened.signer,
        stamper=Rfc3161(url) if url else None,
        clock=wall_us,
    )
    package = accesses.give(
        observer,
        "export",
        "evidence",
        lambda: export(sources, finding, by=by, reason=reason),
        lambda _: [finding],
    )
    draft = recorded(package, finding, by=by, reason=reason, at_us=wall_us(), record_id=new_id())
    opened.ledger.append([draft])
    write_new(target, package.data)
    return package
