"""`shiprider evidence`: a finding as a package that verifies offline."""

from pathlib import Path

import click


@click.command(
    epilog="Example: shiprider evidence 0f3c… case-12.zip --by custodian --reason 'order 12' --node ./node"
)
@click.argument("finding")
@click.argument("target", type=click.Path(path_type=Path))
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--by", required=True, help="Login of who takes the evidence out: what he may export goes in.")
@click.option("--reason", required=True, help="For which case or order.")
@click.option("--purpose", default="evidence", show_default=True, help="One of the node's purposes.")
@click.option("--json", "as_json", is_flag=True, help="Print one object about the package.")
def command(
    finding: str, target: Path, folder: Path, by: str, reason: str, purpose: str, as_json: bool
) -> None:
    """Write the package of FINDING (a record's id) to the new file TARGET: bytes, records, proofs, custody."""
    from shiprider.bootstrap.evidence import export_evidence
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import json_line, say
    from shiprider.cli.serving import refuse_running
    from shiprider.measure.clock import iso_from_us

    refuse_running(folder)
    with open_node(folder) as opened:
        package = export_evidence(opened, finding, target, by=by, reason=reason, purpose=purpose)
    told = {
        "file": str(target),
        "sha256": package.sha256,
        "records": package.records,
        "observations": package.observations,
        "missing": package.missing,
        "withheld_records": package.withheld_records,
        "withheld_observations": package.withheld_observations,
        "unsealed": package.unsealed,
        "no_time_stamp": package.no_stamp,
        "unwitnessed_since": iso_from_us(package.unwitnessed_since_us)
        if package.unwitnessed_since_us
        else "",
    }
    if as_json:
        json_line(told)
        return
    say(
        f"{told['records']} records and {told['observations']} observations in {target}, SHA-256 {package.sha256}."
    )
    if package.missing:
        say(f"{package.missing} observations are past their retention: the package names them.")
    if package.withheld_records or package.withheld_observations:
        say(
            f"{package.withheld_records} records and {package.withheld_observations} observations may not be exported "
            f"by {by}: they are left out, and the package says so."
        )
    if package.unsealed:
        say(f"{package.unsealed} observations are not sealed in the log: the package says why.")
    if package.no_stamp:
        say(f"No time stamp: {package.no_stamp}")
    if told["unwitnessed_since"]:
        say(f"Unwitnessed since {told['unwitnessed_since']}.")
