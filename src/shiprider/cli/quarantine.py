"""`shiprider quarantine`: what could not be decoded, why, and trying again after a fix."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider quarantine --node ./node --replay")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--replay", is_flag=True, help="Decode it all again and add what now works, exactly once.")
@click.option(
    "--entries",
    type=click.IntRange(1),
    metavar="N",
    help="The newest N entries: file, byte offset, reason, bytes.",
)
@click.option("--json", "as_json", is_flag=True, help="One reason, or one entry, a line.")
def command(folder: Path, replay: bool, entries: int | None, as_json: bool) -> None:
    """List what a node could not decode, by reason; its bytes are kept."""
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import json_line, progress, say, table
    from shiprider.cli.serving import refuse_running
    from shiprider.flow.rebuild import newest, reasons, replay_quarantine

    refuse_running(folder)
    with open_node(folder) as opened:
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
        listed = newest(opened.lake, entries) if entries else []
    if entries:
        if as_json:
            for entry in listed:
                json_line(entry)
        else:
            table(
                ("file", "byte", "length", "reason", "begins"),
                [
                    (
                        e["file"] or e["feed"],
                        e["file_offset"],
                        e["length"],
                        e["reason"],
                        str(e["excerpt"])[:60],
                    )
                    for e in listed
                ],
            )
        return
    if as_json:
        for reason, count in counts.items():
            json_line({"reason": reason, "count": count})
        return
    table(("count", "reason"), [(f"{count:,}", reason) for reason, count in counts.items()])
    say(f"{sum(counts.values()):,} entries in quarantine.")
