"""`shiprider simulate`: a scenario with known truth as real NMEA bytes."""

from pathlib import Path

import click

from shiprider.cli.compiling import announced


@click.command(epilog="Example: shiprider simulate demo --out demo.nmea.zst --truth demo.truth.json")
@click.argument("scenario", default="demo", metavar="SCENARIO")
@click.option(
    "--seed", type=click.IntRange(0), help="Another seed gives another world; the same seed the same bytes."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    help="File to write (.zst or .gz compresses; - is standard output).",
)
@click.option("--truth", type=click.Path(path_type=Path), help="Write what really happened here, as JSON.")
@click.option("--hours", type=click.FloatRange(min=0.0, min_open=True), help="Only the first so many hours.")
@click.option("--json", "as_json", is_flag=True, help="Print one object about what was written.")
@announced
def command(
    scenario: str, seed: int | None, out: Path, truth: Path | None, hours: float | None, as_json: bool
) -> None:
    """Write SCENARIO (demo, week, or a scenario's JSON file) as the bytes its receivers would give.

    Every station is called SIM-..., so that simulated data can never be taken for the real thing.
    """
    import hashlib
    import sys

    from shiprider.bootstrap.files import compressed_writer
    from shiprider.bootstrap.simulations import simulation
    from shiprider.cli.output import json_line, progress, say
    from shiprider.measure.clock import HOUR_US, MINUTE_US, iso_from_us

    play = simulation(scenario, seed)
    begin = play.scenario.start_us
    end = play.scenario.end_us if hours is None else min(begin + round(hours * HOUR_US), play.scenario.end_us)
    digest = hashlib.sha256()
    messages = size = 0
    with compressed_writer(out) as write, progress("simulate", quiet=as_json) as advance:
        for piece in play.slices(begin, end, 10 * MINUTE_US):
            write(piece.data)
            digest.update(piece.data)
            messages += piece.messages
            size += len(piece.data)
            advance((piece.end_us - begin) / (end - begin), f"{messages:,} messages")
    if truth is not None:
        import msgspec

        truth.write_bytes(
            msgspec.json.format(
                msgspec.json.encode(play.truth(), enc_hook=lambda number: number.item()), indent=1
            )
        )
    told = {
        "scenario": play.scenario.name,
        "seed": play.scenario.seed,
        "start": iso_from_us(begin),
        "end": iso_from_us(end),
        "messages": messages,
        "bytes": size,
        "sha256": digest.hexdigest(),
    }
    if as_json and str(out) != "-":
        json_line(told)
    else:
        say(
            f"{messages:,} messages, {size:,} bytes, SHA-256 {told['sha256']}: simulated, not the real thing."
        )
    sys.stdout.flush()
