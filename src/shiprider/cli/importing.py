"""`shiprider import`: what other software wrote, taken in as reports with a grade and a label."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from shiprider.flow.interchange.importing import Imported

NODE = click.option(
    "--node", "folder", type=click.Path(path_type=Path), default=Path("node"), show_default=True
)
BY = click.option("--by", required=True, help="Who has it taken in.")
SOURCE = click.option("--source", default="", help="Whom it is from; the file's name where not given.")
GRADE = click.option(
    "--grade",
    default="",
    help="Of the source where it says none: A to F for its reliability, 1 to 6, C3 for example.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="Print one object about what was taken in.")


@click.group(epilog="Example: shiprider import stix reports.json --by analyst --source JIATF --node ./node")
def command() -> None:
    """Take in what other software wrote. Nothing of it is trusted: it is kept as text, with its source."""


@command.command(epilog="Example: shiprider import stix reports.json --by analyst --source JIATF --grade B2")
@click.argument("file", type=click.Path(path_type=Path))
@BY
@SOURCE
@GRADE
@NODE
@JSON
def stix(file: Path, by: str, source: str, grade: str, folder: Path, as_json: bool) -> None:
    """Take in FILE: a STIX 2.1 bundle."""
    _file("stix", file, by, source, grade, folder, as_json)


@command.command(epilog="Example: shiprider import misp events.json --by analyst --source 'their MISP'")
@click.argument("file", type=click.Path(path_type=Path))
@BY
@SOURCE
@GRADE
@NODE
@JSON
def misp(file: Path, by: str, source: str, grade: str, folder: Path, as_json: bool) -> None:
    """Take in FILE: MISP events as JSON."""
    _file("misp", file, by, source, grade, folder, as_json)


@command.command(
    epilog="Example: shiprider import taxii https://taxii.example.org/taxii2/ --by analyst --token-file token.txt"
)
@click.argument("url")
@BY
@SOURCE
@GRADE
@click.option("--login", default="", help="For a server that asks for a name too.")
@click.option(
    "--token-file", type=click.Path(path_type=Path), help="The token or password, in a file of its own."
)
@click.option("--since", default="", help="Only what was added there after this time, ISO 8601.")
@click.option(
    "--private",
    "private",
    multiple=True,
    help="A network of your own in which the server may be, 10.1.0.0/16.",
)
@click.option("--authority", default="", help="A file with the certificates that vouch for the server.")
@NODE
@JSON
def taxii(
    url: str,
    by: str,
    source: str,
    grade: str,
    login: str,
    token_file: Path | None,
    since: str,
    private: tuple[str, ...],
    authority: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Take in what the TAXII 2.1 server at URL has: a discovery, an API root or a collection."""
    from shiprider.bootstrap.files import read_text
    from shiprider.bootstrap.interchange import import_taxii
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import say
    from shiprider.cli.serving import refuse_running

    refuse_running(folder)
    secret = read_text(str(token_file)).strip() if token_file else ""
    with open_node(folder) as opened:
        done, last = import_taxii(
            opened,
            url,
            by=opened.own(by),
            source=source,
            grade=grade,
            since=since,
            login=login,
            secret=secret,
            private_addresses=private,
            authority=authority,
            told=lambda so_far: None if as_json else say(f"{so_far.total:,} objects so far."),
        )
    tell(done, as_json, since=last)
    if last and not as_json:
        say(f"Next time: --since {last}")


def _file(format_: str, file: Path, by: str, source: str, grade: str, folder: Path, as_json: bool) -> None:
    from shiprider.bootstrap.interchange import import_file
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import say
    from shiprider.cli.serving import refuse_running

    refuse_running(folder)
    with open_node(folder) as opened:
        done = import_file(
            opened,
            format_,
            file,
            source=source,
            by=opened.own(by),
            grade=grade,
            told=lambda count: None if as_json else say(f"{count:,} objects so far."),
        )
    tell(done, as_json)


def tell(done: "Imported", as_json: bool, **more: Any) -> None:
    """What became of it."""
    from shiprider.cli.output import json_line, say

    if as_json:
        told = {
            "new": done.new,
            "revised": done.revised,
            "known": done.known,
            "older": done.older,
            "unreadable": done.unreadable,
        }
        json_line({**told, **more})
        return
    say(
        f"{done.new:,} new and {done.revised:,} revised reports; {done.known:,} were known, {done.older:,} older."
    )
    for name, why in done.failed[:20]:
        say(f"Kept unread: {name}: {why}")
    if done.unreadable:
        say(f"{done.unreadable:,} could not be read and are kept: shiprider foreign --unreadable.")
