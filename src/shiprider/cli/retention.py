"""`shiprider retention`: remove what is past its time; what a legal hold needs stays."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider retention --node ./node --dry-run")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--dry-run", is_flag=True, help="Only list what would go.")
@click.option("--json", "as_json", is_flag=True, help="One step a line.")
def command(folder: Path, dry_run: bool, as_json: bool) -> None:
    """Remove from lake and spool what the settings' `[retention]` no longer keeps."""
    from datetime import UTC, datetime

    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.retention import legal_holds, retention_policy
    from shiprider.cli.output import json_line, say, table
    from shiprider.cli.serving import refuse_running
    from shiprider.flow.retention import apply, old_access_segments, plan

    refuse_running(folder)
    with open_node(folder) as opened:
        holds = legal_holds(opened)
        today = datetime.now(UTC).date()
        listed = plan(opened.spool, opened.lake, retention_policy(opened.settings), holds, today)
        rows = [
            {
                "what": s.table,
                "day": str(s.day),
                "rows": s.rows,
                "held": s.held_rows,
                "bytes": s.bytes,
                "why": s.reason,
            }
            for s in listed.lake
        ] + [
            {
                "what": "spool",
                "day": f"segment {s.segment}",
                "rows": 0,
                "held": 0,
                "bytes": s.bytes,
                "why": s.reason,
            }
            for s in listed.spool
        ]
        kept_days = opened.settings.care.access_log_days
        old = old_access_segments(opened.access_log, kept_days, round(datetime.now(UTC).timestamp() * 1e6))
        rows += [
            {
                "what": "access log",
                "day": f"segment {s.number}",
                "rows": s.last - s.first + 1,
                "held": 0,
                "bytes": s.bytes,
                "why": f"older than {kept_days} days",
            }
            for s in old
        ]
        if as_json:
            for row in rows:
                json_line(row)
        else:
            table(("what", "day", "rows", "held", "bytes", "why"), [tuple(r.values()) for r in rows])
        freed = listed.bytes + sum(s.bytes for s in old)
        if dry_run:
            say(f"{freed:,} bytes would be freed; nothing was removed.")
            return
        removed = apply(opened.spool, opened.lake, listed, holds, say, opened.node.stores.seals.removing)
        opened.lake.vacuum()
        for segment in old:
            opened.access_log.remove(segment.number, f"older than {kept_days} days")
        say(f"{removed:,} rows removed, {freed:,} bytes freed.")
