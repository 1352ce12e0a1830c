"""`shiprider init`: make a node's folder with its settings."""

from pathlib import Path

import click

from shiprider.model.errors import UsageError


@click.command(epilog="Example: shiprider init ./node --name watchfloor")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("node"))
@click.option("--name", default="node", show_default=True, help="What the node is called in its records.")
@click.option(
    "--alone",
    is_flag=True,
    help="For one person at this machine: the start-up URL signs in by itself, without accounts; loopback only.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one object instead of a sentence.")
def command(folder: Path, name: str, alone: bool, as_json: bool) -> None:
    """Make a node in FOLDER (default: ./node)."""
    import json

    from shiprider import settings

    path = folder / settings.FILE_NAME
    if path.exists():
        raise UsageError(f"{path} exists already: that folder is a node; nothing was changed.")
    text = settings.TEMPLATE.format(node=name.replace("\\", "").replace('"', ""))
    if alone:
        text = text.replace("# [access]", "[access]\ndemo = true", 1)
    settings.parse(text, str(path))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Ledger, lake and spool are content: nobody else of this machine reads them past the log.
        folder.chmod(0o700)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made into a node ({error.strerror}): choose another folder."
        ) from error
    from shiprider.bootstrap.access import first_administrator, open_access
    from shiprider.bootstrap.folder import load_settings
    from shiprider.cli.run import say_first

    with open_access(folder, load_settings(folder)) as access:
        first = None if alone else first_administrator(access)
    if as_json:
        made: dict[str, object] = {"node": name, "folder": str(folder), "settings": str(path)}
        if first is not None:
            made["administrator"] = {"login": first[0].login, "code": first[1]}
        click.echo(json.dumps(made))
        return
    click.echo(f"Made node {name!r} in {folder}.")
    if first is not None:
        say_first(first[0].login, first[1])
    click.echo(f"Next: shiprider ingest RECORDING --node {folder}, then shiprider run {folder}")
