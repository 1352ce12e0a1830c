"""`shiprider bench`: one table, ours beside the peers.

Always true: both sides of a row were measured in one run; a peer that is absent is a row that says so;
a benchmark that cannot run here says why and the others go on.
"""

import importlib
from typing import Any, Final

import click

#: name -> what it measures.
BENCHES: Final[dict[str, str]] = {
    "decode": "AIS bytes to columns, against aiscat, libais, pyais and wc -l",
    "ingest": "bytes to the durable lake, against pyais with pandas and parquet; peak memory",
    "behaviours": "each behaviour over many positions, against DuckDB SQL and MovingPandas",
    "detection": "recall against false alerts on simulated weeks, by behaviour",
    "access_log": "entries of the access log a second, signed and durable, against plain SQLite",
    "live": "messages a second live, and the time from arrival to alert",
    "ledger": "records a second, signed and durable, SQLite and PostgreSQL; reads under policy; restart",
    "federation": "records a second over one link, from an alert to a partner's screen, a slow link; against TAXII",
    "rerun": "a re-run over the lake on two simulated nodes against one thread",
}


@click.command(epilog="Example: shiprider bench decode --json")
@click.argument("name", type=click.Choice(["all", *BENCHES]), default="all")
@click.option(
    "--scale", type=click.FloatRange(min=0.001), default=1.0, show_default=True, help="Of the work."
)
@click.option("--json", "as_json", is_flag=True, help="One benchmark a line.")
def command(name: str, scale: float, as_json: bool) -> None:
    """Measure NAME (default: all). Times are not comparable between machines; ratios are."""
    from shiprider.cli.output import say, table

    for chosen in BENCHES if name == "all" else [name]:
        say(f"{chosen}: {BENCHES[chosen]} …")
        rows = importlib.import_module(f"shiprider.cli.bench.{chosen}").run(scale)
        if as_json:
            _json(chosen, rows)
            continue
        table(
            ("case", "ours", "peer", "peer's", "unit", "ratio", "notes"),
            [
                (r.case, _number(r.ours), r.peer_name, _number(r.peer), r.unit, _number(r.ratio), r.notes)
                for r in rows
            ],
        )


def _json(name: str, rows: list[Any]) -> None:
    import sys

    import msgspec

    from shiprider.cli.bench.table import Result

    sys.stdout.write(msgspec.json.encode(Result(name=name, rows=rows)).decode() + "\n")
    sys.stdout.flush()


def _number(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
