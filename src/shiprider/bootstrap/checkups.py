"""The check of a node's clocks, disk, certificates and keys."""

import shutil

from shiprider.adapters.feeds.file import wall_us
from shiprider.bootstrap.node import OpenNode
from shiprider.flow.checkup import Check


def checkups(opened: OpenNode) -> list[Check]:
    """Clocks, disk, certificates of a node. Asks the network only where `[care] time_source` names it."""

    from shiprider.adapters.certificates.expiry import expiries
    from shiprider.adapters.time_sources.network import offset_s
    from shiprider.flow import checkup
    from shiprider.flow.disk_trend import DiskHistory
    from shiprider.model.errors import ShipriderError

    now_us = wall_us()
    newest = opened.ledger.since(opened.ledger.head().sequence - 1, limit=1)
    found = [
        checkup.clock_by_feeds(_live_lags(opened)),
        checkup.clock_by_log(now_us, newest[0].recorded_us if newest else 0),
        checkup.disk(
            DiskHistory(opened.folder / "state" / "disk.history").read(),
            shutil.disk_usage(opened.folder).free,
        ),
        checkup.kept_apart(str(opened.folder), opened.folder.stat().st_mode),
    ]
    oldest = opened.ledger.since(0, limit=1)
    ledger_us = oldest[0].recorded_us if oldest else 0
    received_us = min((each.first_received_us for each in opened.spool.segments() if each.length), default=0)
    log_us = min((each.first_us for each in opened.access_log.segments()), default=0)
    found += [
        checkup.beginning("ledger", ledger_us, "the first bytes", received_us),
        checkup.beginning("access log", log_us, "the first record", ledger_us),
    ]
    source = opened.settings.care.time_source
    if source:
        try:
            found.append(checkup.clock_by_source(source, offset_s(source)))
        except ShipriderError as error:
            found.append(checkup.Check("clock against the time source", False, str(error)))
    found += [checkup.expiry(f"certificate {name}", end, now_us) for name, end in expiries(opened.folder)]
    with opened.keys.signing() as signer:
        found.append(checkup.key_age(signer.key_id, signer.from_us, now_us))
    return found


def _live_lags(opened: OpenNode) -> list[float]:
    """Seconds from a receiver's stamp to arrival, of the newest messages of live feeds."""
    import polars as pl

    from shiprider.model.codes import TimeSource

    live = [feed.name for feed in opened.settings.feeds if feed.kind in ("tcp", "udp", "stdin")]
    if not live:
        return []
    rows = (
        opened.lake.scan("observations", ["time", "received", "feed", "time_source"])
        .filter(pl.col("feed").is_in(live) & (pl.col("time_source") == int(TimeSource.RECEIVER)))
        .sort("received", descending=True)
        .head(2000)
        .select((pl.col("received") - pl.col("time")).dt.total_microseconds() / 1e6)
        .collect()
    )
    return [float(each) for each in rows.to_series().to_list()]
