"""`shiprider tracks`: who is in a node, and where one vessel was."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider tracks 366123456 --node ./node --json")
@click.argument("vessel", required=False, metavar="[VESSEL]")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--since", default="", metavar="TIME", help="ISO 8601, UTC; a day before --until by default.")
@click.option("--until", default="", metavar="TIME", help="ISO 8601, UTC; the newest by default.")
@click.option("--known", default="", metavar="TIME", help="Only what the node had received by then.")
@click.option("--points", type=click.IntRange(2, 100_000), default=1000, show_default=True)
@click.option("--limit", type=click.IntRange(1, 200), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def command(
    vessel: str | None,
    folder: Path,
    since: str,
    until: str,
    known: str,
    points: int,
    limit: int,
    as_json: bool,
) -> None:
    """Search vessels by name, MMSI, IMO or callsign; with an MMSI, print where that vessel was."""
    from shiprider.cli.output import json_line, say, table
    from shiprider.cli.serving import node_api
    from shiprider.detect.reasons import place
    from shiprider.measure.clock import DAY_US, iso_from_us
    from shiprider.model.errors import UsageError

    with node_api(folder) as api:
        if not vessel:
            raise UsageError("Say which vessel: a name, MMSI, IMO number or callsign, or a part of one.")
        if vessel and vessel.isdigit() and len(vessel) == 9:
            newest = api.ask("GET", "/status")["picture_us"]
            end = _time(until) if until else int(newest or 0) + 1
            begin = _time(since) if since else end - DAY_US
            found = api.ask(
                "GET",
                f"/vessels/{vessel}/tracks",
                start_us=begin,
                end_us=end,
                known_us=_time(known) if known else None,
                points=points,
            )
            for part in found["tracks"]:
                rows = [
                    {
                        "track": part["track"],
                        "time": iso_from_us(t),
                        "latitude_deg": lat,
                        "longitude_deg": lon,
                        "raw": raw,
                    }
                    for t, lat, lon, raw in zip(
                        part["time_us"], part["latitude_deg"], part["longitude_deg"], part["raw"], strict=True
                    )
                ]
                if as_json:
                    for row in rows:
                        json_line(row)
                else:
                    table(
                        ("track", "time (UTC)", "place"),
                        [(r["track"], r["time"], place(r["latitude_deg"], r["longitude_deg"])) for r in rows],
                    )
            return
        hits = api.ask("GET", "/vessels", q=vessel or "", limit=limit)["vessels"]
    if as_json:
        for hit in hits:
            json_line(hit)
        return
    table(
        ("MMSI", "name", "flag", "type", "IMO"),
        [
            (
                h["vessel"]["mmsi"],
                h["vessel"]["name"],
                h["vessel"]["flag"],
                h["vessel"]["ship_type_text"],
                h["imo"] or "",
            )
            for h in hits
        ],
    )
    say(f"{len(hits)} vessels; give an MMSI to see where one was.")


def _time(text: str) -> int:
    from shiprider.cli.detect import start_us

    found = start_us(text)
    return found if found is not None else 0
