"""`shiprider partner`: other nodes, introduced by a file and confirmed by people who compared fingerprints."""

from pathlib import Path

import click

from shiprider.model.errors import UsageError

NODE = click.option(
    "--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True
)
BY = click.option("--by", required=True, help="Who decides.")
JSON = click.option("--json", "as_json", is_flag=True, help="One object a line.")


@click.group(epilog="Example: shiprider partner introduce us.json --node ./node")
def command() -> None:
    """Partners' nodes: introduce this one, add, confirm and revoke others."""


@command.command(epilog="Example: shiprider partner introduce us.json --node ./node")
@click.argument("target", type=click.Path(path_type=Path))
@NODE
@JSON
def introduce(target: Path, folder: Path, as_json: bool) -> None:
    """Write this node's introduction to the new file TARGET, for a partner, and say its fingerprint."""
    import msgspec

    from shiprider.bootstrap.exchange import own_introduction
    from shiprider.bootstrap.files import write_new
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import json_line
    from shiprider.cli.serving import refuse_running
    from shiprider.model.introduction import fingerprint

    refuse_running(folder)
    with open_node(folder) as opened:
        told = own_introduction(opened)
    write_new(target, msgspec.json.format(msgspec.json.encode(told)) + b"\n")
    if as_json:
        json_line({"node": told.node, "fingerprint": fingerprint(told), "file": str(target)})
        return
    click.echo(
        f"{target} introduces {told.node!r}. Send it, and read this to the partner over another channel:"
    )
    click.echo(f"  {fingerprint(told)}")


@command.command(epilog="Example: shiprider partner add them.json --place 192.0.2.7:4250 --by 'Ana Ruiz'")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--place", default="", help="Address and port of its broker; without one it comes to ours.")
@BY
@NODE
@JSON
def add(file: Path, place: str, by: str, folder: Path, as_json: bool) -> None:
    """Take a partner's introduction in; nothing is exchanged before another person confirms it."""
    from shiprider.adapters.keys.files import ed25519_signed
    from shiprider.bootstrap.files import read_text
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.partners import open_partners
    from shiprider.cli.output import json_line
    from shiprider.cli.serving import refuse_running
    from shiprider.flow.exchange.partners import check_place, read_introduction
    from shiprider.model.introduction import fingerprint

    check_place(place)
    refuse_running(folder)
    told = read_introduction(read_text(str(file)).encode(), ed25519_signed)
    with open_node(folder) as opened:
        open_partners(opened.ledger, opened.settings).propose(told, place=place, who=by)
    if as_json:
        json_line({"node": told.node, "state": "introduced", "fingerprint": fingerprint(told)})
        return
    click.echo(
        f"{told.node!r} ({told.name}, {told.nation or told.organisation}) is introduced. Another person hears"
    )
    click.echo("its fingerprint from the partner and types it:")
    click.echo(f"  shiprider partner confirm {told.node} '…' --by NAME")


@command.command(
    epilog="Example: shiprider partner confirm usa '12345 67890 …' --clearance SECRET --by 'Luz Paz'"
)
@click.argument("partner")
@click.argument("typed")
@click.option("--clearance", default="UNCLASSIFIED", show_default=True, help="Highest class it may be sent.")
@click.option("--community", "communities", multiple=True, help="A community it belongs to.")
@click.option("--purpose", "purposes", multiple=True, required=True, help="What it reads for.")
@BY
@NODE
@JSON
def confirm(
    partner: str,
    typed: str,
    clearance: str,
    communities: tuple[str, ...],
    purposes: tuple[str, ...],
    by: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Confirm PARTNER by its fingerprint, as the partner read it to you: from then on the two exchange."""
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.partners import open_partners
    from shiprider.cli.output import json_line
    from shiprider.cli.serving import refuse_running
    from shiprider.model.label import Classification

    if clearance not in Classification.__members__:
        raise UsageError(
            f"{clearance[:40]!r} is no class: use one of {', '.join(Classification.__members__)}."
        )
    refuse_running(folder)
    with open_node(folder) as opened:
        known = opened.settings.access.purposes
        for purpose in purposes:
            if purpose not in known:
                raise UsageError(f"{purpose[:40]!r} is no purpose here: use one of {', '.join(known)}.")
        open_partners(opened.ledger, opened.settings).confirm(
            partner, typed, who=by, clearance=clearance, communities=communities, purposes=purposes
        )
    if as_json:
        json_line({"node": partner, "state": "confirmed"})
    else:
        click.echo(f"{partner!r} is confirmed.")


@command.command(epilog="Example: shiprider partner revoke usa --why 'their ship was lost' --by 'Ana Ruiz'")
@click.argument("partner")
@click.option("--why", required=True, help="For the log.")
@click.option("--left", is_flag=True, help="It left by itself; nothing is held against it.")
@BY
@NODE
def revoke(partner: str, why: str, left: bool, by: str, folder: Path) -> None:
    """Exchange nothing more with PARTNER."""
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.partners import open_partners
    from shiprider.cli.serving import refuse_running

    refuse_running(folder)
    with open_node(folder) as opened:
        open_partners(opened.ledger, opened.settings).end(
            partner, "left" if left else "revoked", who=by, why=why
        )
    click.echo(f"Nothing more is exchanged with {partner!r}.")


@command.command(epilog="Example: shiprider partner case usa K-7 --by 'Ana Ruiz' --agreed-by 'Luz Paz'")
@click.argument("partner")
@click.argument("case")
@click.option("--agreed-by", default="", help="The second person; taking a partner into a case needs one.")
@click.option("--leave", is_flag=True, help="Take it out again; what it was sent stays until it is recalled.")
@BY
@NODE
@JSON
def case(partner: str, case: str, agreed_by: str, leave: bool, by: str, folder: Path, as_json: bool) -> None:
    """Take PARTNER into CASE: it is then sent what of that case is labelled for it."""
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.partners import open_partners
    from shiprider.cli.output import json_line
    from shiprider.cli.serving import refuse_running

    refuse_running(folder)
    with open_node(folder) as opened:
        partners = open_partners(opened.ledger, opened.settings)
        if leave:
            made = partners.out_of_case(partner, case, who=by)
        else:
            made = partners.into_case(partner, case, who=by, second=agreed_by)
    if as_json:
        json_line({"node": partner, "cases": made.cases})
    else:
        click.echo(f"{partner!r} is in the cases: {', '.join(made.cases) or 'none'}.")


@command.command("list", epilog="Example: shiprider partner list --node ./node")
@NODE
@JSON
def list_(folder: Path, as_json: bool) -> None:
    """Every partner there ever was."""
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.partners import open_partners
    from shiprider.cli.output import json_line, table
    from shiprider.cli.serving import refuse_running
    from shiprider.model.introduction import fingerprint

    refuse_running(folder)
    with open_node(folder) as opened:
        found = [partner for _, partner in open_partners(opened.ledger, opened.settings).all()]
    if as_json:
        for each in found:
            told = each.introduction
            json_line(
                {
                    "node": each.node,
                    "name": told.name,
                    "nation": told.nation,
                    "state": each.state,
                    "clearance": each.clearance,
                    "purposes": each.purposes,
                    "cases": each.cases,
                    "place": each.place,
                    "fingerprint": fingerprint(told),
                    "introduced_by": each.introduced_by,
                    "confirmed_by": each.confirmed_by,
                }
            )
        return
    table(
        ("node", "name", "nation", "state", "clearance", "broker", "confirmed by"),
        [
            (
                p.node,
                p.introduction.name,
                p.introduction.nation,
                p.state,
                p.clearance,
                p.place or "ours",
                p.confirmed_by,
            )
            for p in found
        ],
    )
