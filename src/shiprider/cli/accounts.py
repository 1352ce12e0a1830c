"""`shiprider accounts`: who may sign in, and a new one-time code for whoever lost his way in."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider accounts --node ./node --code administrator")
@click.option("--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True)
@click.option("--code", "login", default="", help="Make a new one-time code for this login.")
@click.option("--json", "as_json", is_flag=True, help="One object a line.")
def command(folder: Path, login: str, as_json: bool) -> None:
    """List the accounts of a node, or let somebody in anew: the node must be stopped.

    A new code forgets the password, the authenticator and the passkeys of that login, and stands in the
    access log.
    """
    from shiprider.bootstrap.access import open_access, renewed_code
    from shiprider.bootstrap.folder import load_settings, node_lock
    from shiprider.cli.output import json_line, table

    settings = load_settings(folder)
    with node_lock(folder), open_access(folder, settings) as access:
        if login:
            code = renewed_code(access, login)
            if as_json:
                json_line({"login": login, "code": code})
            else:
                click.echo(f"The one-time code of {login}, shown this once and good for a week: {code}")
            return
        people = access.accounts.all()
    if as_json:
        for each in people:
            json_line(
                {"login": each.login, "name": each.name, "roles": list(each.roles), "disabled": each.disabled}
            )
        return
    rows = [
        (each.login, each.name, ", ".join(each.roles), each.nation, "disabled" if each.disabled else "")
        for each in people
    ]
    table(("login", "name", "roles", "nation", ""), rows)
