"""`shiprider detect`: behaviours in recordings, without a node."""

import click

from shiprider.cli.compiling import announced


@click.command(epilog="Example: shiprider detect recording.nmea.gz --json --anchorages ports.csv")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One finding a line.")
@click.option(
    "--anchorages",
    default="",
    metavar="CSV",
    help="name,latitude_deg,longitude_deg instead of the packaged ports.",
)
@click.option("--receivers", default="", metavar="CSV", help="source,kind,latitude_deg,longitude_deg.")
@click.option("--columns", default="", metavar="TOML", help="What the columns of a table of your own mean.")
@click.option("--watchlist", default="", metavar="FILE", help="A watchlist CSV, or OFAC's list.")
@click.option("--areas", default="", metavar="GEOJSON", help="Named polygons with entry and exit findings.")
@click.option(
    "--preset", "presets", multiple=True, metavar="NAME", help="Only these (behaviour.preset); repeatable."
)
@click.option("--presets-file", default="", metavar="TOML", help="Presets of your own.")
@click.option(
    "--start", default="", metavar="TIME", help="When an unstamped recording began (ISO 8601, UTC)."
)
@click.option("--language", type=click.Choice(["en", "es"]), default="en", show_default=True)
@announced
def command(
    files: tuple[str, ...],
    as_json: bool,
    anchorages: str,
    receivers: str,
    columns: str,
    watchlist: str,
    areas: str,
    presets: tuple[str, ...],
    presets_file: str,
    start: str,
    language: str,
) -> None:
    """Find behaviours in FILE... (NMEA or CSV; plain, .gz or .zst; - is standard input).

    A finding is a pointer for a person to look at, never proof of a crime.
    """
    from shiprider.bootstrap.columns import layouts
    from shiprider.bootstrap.detection import detect_recordings, folds
    from shiprider.bootstrap.feeds import recording
    from shiprider.bootstrap.world import given_world, read_areas, read_watchlist
    from shiprider.cli.output import json_line, progress, say, table
    from shiprider.detect.reasons import place, render
    from shiprider.measure.clock import iso_from_us

    feeds = [recording(path, start_us=start_us(start)) for path in files]
    world = given_world(
        anchorages=anchorages,
        receivers=receivers,
        watchlist=read_watchlist(watchlist) if watchlist else (),
        areas=read_areas(areas) if areas else (),
    )
    pieces = folds(presets, presets_file)
    with progress("detect") as advance:
        tables = layouts(columns) if columns else ()
        tally, findings = detect_recordings(feeds, pieces, world, advance, tables)
    if as_json:
        for finding in findings:
            json_line(
                {
                    "behaviour": finding.behaviour,
                    "preset": finding.preset,
                    "subtype": finding.subtype,
                    "participants": list(finding.participants),
                    "start": iso_from_us(finding.start_us),
                    "end": iso_from_us(finding.end_us),
                    "score": round(finding.score, 4),
                    "reason": render(finding, language),
                    "latitude_deg": round(finding.latitude_deg, 6),
                    "longitude_deg": round(finding.longitude_deg, 6),
                    "state": finding.state,
                    "facts": dict(finding.facts),
                    "versions": dict(finding.versions),
                    "simulated": finding.simulated,
                }
            )
    else:
        table(
            ("behaviour", "preset", "MMSI", "from (UTC)", "to", "where", "score", "why"),
            [
                (
                    f"{f.behaviour} {f.subtype}".strip(),
                    f.preset,
                    " ".join(map(str, f.participants)),
                    iso_from_us(f.start_us)[:16],
                    iso_from_us(f.end_us)[11:16],
                    place(f.latitude_deg, f.longitude_deg),
                    f"{f.score:.2f}",
                    render(f, language),
                )
                for f in sorted(findings, key=lambda f: -f.score)
            ],
        )
    say(
        f"{len(findings):,} findings in {tally.observations:,} positions and {tally.statements:,} statements."
    )
    for reason, count in tally.rejects.most_common():
        say(f"{count:,} sentences could not be decoded: {reason}.")


def start_us(start: str) -> int | None:
    """A time given on the command line; None where none was. Raises UsageError."""
    from shiprider.measure.clock import us_from_iso
    from shiprider.model.errors import UsageError

    if not start:
        return None
    try:
        return us_from_iso(start)
    except ValueError:
        raise UsageError(
            f"--start {start!r} is not ISO 8601: write for example 2024-01-31T06:00:00Z."
        ) from None
