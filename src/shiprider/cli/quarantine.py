"""`shiprider quarantine`: what could not be decoded, why, and trying again after a fix."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider quarantine --node ./node --replay")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--replay", is_flag=True, help="Decode it all again and add what now works, exactly once.")
@click.option("--json", "as_json", is_flag=True, help="One reason a line.")
def command(folder: Path, replay: bool, as_json: bool) -> None:
    """List what a node could not decode, by reason; its bytes are kept."""
    from shiprider import bootstrap
    from shiprider.cli.output import json_line, progress, say, table
    from shiprider.cli.serving import refuse_running
    from shiprider.flow.rebuild import reasons, replay_quarantine

    refuse_running(folder)
    with bootstrap.open_node(folder) as opened:
        if replay:
            with progress("replay") as advance:
                done = replay_quarantine(
                    opened.spool,
                    opened.lake,
                    opened.node.stores.decoding,
                    progress=lambda part, total: advance(part / max(total, 1), ""),
                )
            say(
                f"{done.resolved:,} entries resolved, {done.left:,} left, rows added: {done.added or 'none'}."
            )
        counts = reasons(opened.lake)
    if as_json:
        for reason, count in counts.items():
            json_line({"reason": reason, "count": count})
        return
    table(("count", "reason"), [(f"{count:,}", reason) for reason, count in counts.items()])
    say(f"{sum(counts.values()):,} entries in quarantine.")
