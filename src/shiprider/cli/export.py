"""`shiprider export`: findings and alerts for those who run other software."""

from pathlib import Path

import click


@click.command(
    epilog="Example: shiprider export alerts.json --format stix --by analyst --reason 'request 7' --node ./node"
)
@click.argument("target", type=click.Path(path_type=Path))
@click.option(
    "--format", "format_", type=click.Choice(["stix", "misp", "geojson", "csv"]), default="stix", show_default=True
)  # fmt: skip
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--by", required=True, help="Login of who takes it out: what he may export goes in.")
@click.option("--reason", required=True, help="For whom and why.")
@click.option("--purpose", default="investigation", show_default=True, help="One of the node's purposes.")
@click.option("--kind", "kinds", multiple=True, type=click.Choice(["finding", "alert"]), help="Only these.")
@click.option("--behaviour", "behaviours", multiple=True, help="Only these.")
@click.option("--mmsi", multiple=True, type=click.IntRange(1, 999_999_999), help="Only of these vessels.")
@click.option("--since", default="", help="Only what lasted beyond this time, ISO 8601.")
@click.option("--until", default="", help="Only what began before this time, ISO 8601.")
@click.option("--json", "as_json", is_flag=True, help="Print one object about the file.")
def command(
    target: Path,
    format_: str,
    folder: Path,
    by: str,
    reason: str,
    purpose: str,
    kinds: tuple[str, ...],
    behaviours: tuple[str, ...],
    mmsi: tuple[int, ...],
    since: str,
    until: str,
    as_json: bool,
) -> None:
    """Write findings and alerts to the new file TARGET; the label of what is in it stands inside."""
    from shiprider.bootstrap.interchange import export_disclosures
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import json_line, progress, say
    from shiprider.cli.serving import refuse_running
    from shiprider.flow.interchange.disclosing import KINDS, Wanted
    from shiprider.flow.interchange.writing import words

    wanted = Wanted(
        kinds=tuple(kind for kind in KINDS if kind in kinds) or KINDS,
        behaviours=behaviours,
        mmsi=mmsi,
        start_us=_time(since),
        end_us=_time(until),
    )
    refuse_running(folder)
    with open_node(folder) as opened, progress("export", quiet=as_json) as advance:
        count, label = export_disclosures(
            opened,
            format_,
            target,
            wanted,
            by=by,
            purpose=purpose,
            reason=reason,
            told=lambda done, of: advance(done / max(of, 1), f"{done:,} of {of:,}"),
        )
    if as_json:
        json_line({"file": str(target), "records": count, "label": label, "marking": words(label)})
        return
    say(f"{count:,} findings and alerts in {target}.")
    if count:
        say(f"All of it together is {words(label)}.")


def _time(text: str) -> int | None:
    from shiprider.measure.clock import us_from_iso
    from shiprider.model.errors import UsageError

    if not text:
        return None
    try:
        return us_from_iso(text)
    except ValueError:
        raise UsageError(
            f"{text[:40]!r} is no time: write ISO 8601, 2026-01-31T06:00:00Z for example."
        ) from None
