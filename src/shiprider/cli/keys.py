"""`shiprider keys`: the node's signing keys; every change of them is a record of its log."""

from pathlib import Path

import click

from shiprider.model.errors import UsageError


@click.command(epilog="Example: shiprider keys --node ./node --replace --author 'node administrator'")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--replace", is_flag=True, help="Put a new key in use, announced under the one that signs now.")
@click.option("--lost", metavar="REASON", help="Write the key that signs now off as lost; a new one signs.")
@click.option("--author", default="", help="Who decides; needed for a change.")
@click.option("--json", "as_json", is_flag=True, help="One key a line.")
def command(folder: Path, replace: bool, lost: str | None, author: str, as_json: bool) -> None:
    """List the keys of a node; replace the one that signs, or write it off as lost."""
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import json_line, table
    from shiprider.cli.serving import refuse_running
    from shiprider.measure.clock import iso_from_us

    if replace and lost is not None:
        raise UsageError("A key is replaced or written off, not both: choose one.")
    if (replace or lost is not None) and not author.strip():
        raise UsageError("A change of keys needs the name of the person who decides: give --author.")
    refuse_running(folder)
    with open_node(folder) as opened:
        if replace:
            opened.replace_key(author)
        elif lost is not None:
            opened.write_off_key(author, lost)
        keys = opened.keys.public()
    if as_json:
        for key in keys:
            json_line(
                {
                    "key": key.key_id,
                    "state": key.state,
                    "from": key.from_us,
                    "to": key.to_us,
                    "public": key.public,
                }
            )
        return
    table(
        ("key", "state", "from", "to", "reason"),
        [
            (k.key_id, k.state, iso_from_us(k.from_us), iso_from_us(k.to_us) if k.to_us else "", k.reason)
            for k in keys
        ],
    )
