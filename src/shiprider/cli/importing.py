"""`shiprider import`: what other software wrote, taken in as reports with a grade and a label."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from shiprider.cli.serving import Api

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

#: Unreadable objects that are named in the terminal; all are kept and listed by `shiprider foreign --unreadable`.
_NAMED = 20


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
    from shiprider.bootstrap.interchange import open_taxii
    from shiprider.cli.output import say
    from shiprider.cli.serving import node_api
    from shiprider.flow.interchange.collecting import collect

    secret = read_text(str(token_file)).strip() if token_file else ""
    server = open_taxii(url, login=login, secret=secret, private_addresses=private, authority=authority)
    done: Counter[str] = Counter()
    with node_api(folder) as api:
        take = _taker(api, "stix", by, grade, done, as_json, keep="true")
        last = collect(server, take, source=source, since=since)
    _tell(done, as_json, since=last)
    if last and not as_json:
        say(f"Next time: --since {last}")


def _file(format_: str, file: Path, by: str, source: str, grade: str, folder: Path, as_json: bool) -> None:
    from shiprider.cli.serving import node_api
    from shiprider.formats.foreign import MOST_BYTES
    from shiprider.model.errors import UsageError

    try:
        with file.open("rb") as given:
            data = given.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror}): check the file.") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"{file} has more than {MOST_BYTES:,} bytes: split it into several.")
    done: Counter[str] = Counter()
    with node_api(folder) as api:
        _taker(api, format_, by, grade, done, as_json)(data, source or file.name)
    _tell(done, as_json)


def _taker(
    api: "Api", format_: str, by: str, grade: str, done: Counter[str], quiet: bool, **more: str
) -> Callable[[bytes, str], None]:
    """What hands bytes to the node and counts what became of them."""
    from dataclasses import replace

    from shiprider.cli.output import say

    api = replace(api, officer=by)

    def take(data: bytes, source: str) -> None:
        told = api.hand("/foreign-reports", data, format=format_, source=source[:200], grade=grade, **more)
        for name in ("new", "revised", "known", "older", "unreadable"):
            done[name] += told[name]
        if quiet:
            return
        for each in told["unread"][:_NAMED]:
            say(f"Kept unread: {each['foreign_id']}: {each['why']}")
        say(f"{source}: {done.total() - done['unreadable']:,} objects so far.")

    return take


def _tell(done: Counter[str], as_json: bool, **more: Any) -> None:
    """What became of all of it."""
    from shiprider.cli.output import json_line, say

    if as_json:
        json_line(
            {**{name: done[name] for name in ("new", "revised", "known", "older", "unreadable")}, **more}
        )
        return
    say(
        f"{done['new']:,} new and {done['revised']:,} revised reports; "
        f"{done['known']:,} were known, {done['older']:,} older."
    )
    if done["unreadable"]:
        say(f"{done['unreadable']:,} could not be read and are kept: shiprider foreign --unreadable.")
