"""`shiprider report`: what a node's decisions say of its scores."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider report calibration --node ./node")
@click.argument("name", type=click.Choice(["calibration"]))
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one object.")
def command(name: str, folder: Path, as_json: bool) -> None:
    """Print a report. calibration: of alerts shown with a probability, how many were confirmed?"""
    del name
    from shiprider.cli.output import json_line, say, table
    from shiprider.cli.serving import node_api

    with node_api(folder) as api:
        found = api.ask("GET", "/calibration")
    if as_json:
        json_line(found)
        return
    table(
        ("shown", "alerts", "mean shown", "confirmed", "95 % interval"),
        [
            (
                f"{b['low']:.0%}-{b['high']:.0%}",
                b["count"],
                f"{b['mean_probability']:.0%}",
                "" if b["observed"] is None else f"{b['observed']:.0%}",
                "" if b["observed"] is None else f"{b['observed_low']:.0%}-{b['observed_high']:.0%}",
            )
            for b in found["bins"]
            if b["count"]
        ],
    )
    say(found["text"])
