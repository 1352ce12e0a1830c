"""`shiprider doctor`: is this machine, and this node, in order?"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from shiprider.bootstrap.node import OpenNode

#: (what, is it in order, what was found or what to do).
Finding = tuple[str, bool, str]


@click.command(epilog="Example: shiprider doctor --node ./node")
@click.option(
    "--node", "folder", type=click.Path(path_type=Path), help="Check this node too: hashes, chain, disk."
)
@click.option("--json", "as_json", is_flag=True, help="One check a line.")
def command(folder: Path | None, as_json: bool) -> None:
    """Check this machine; with --node, read that node's spool and ledger against their hashes."""
    from shiprider.cli.output import json_line, table

    found = [*_machine(), *(_node(folder) if folder else [])]
    if as_json:
        for what, good, text in found:
            json_line({"check": what, "ok": good, "text": text})
    else:
        table(("", "check", "found"), [("ok" if good else "LOOK", what, text) for what, good, text in found])
    if not all(good for _, good, _ in found):
        raise SystemExit(1)


def _machine() -> list[Finding]:
    import os
    import shutil
    import sys
    import tempfile
    import time
    from importlib.resources import files

    free = shutil.disk_usage(Path.cwd()).free
    static = Path(str(files("shiprider.api").joinpath("static", "index.html")))
    cache = os.access(Path(str(files("shiprider"))), os.W_OK) or bool(os.environ.get("NUMBA_CACHE_DIR"))
    return [
        ("Python", sys.version_info >= (3, 11), sys.version.split()[0]),
        ("processors", True, str(os.cpu_count())),
        (
            "disk",
            free > 2 << 30,
            f"{free / 2**30:.1f} GiB free here; a day of a busy coast takes about 1 GiB",
        ),
        (
            "compiled code is kept",
            cache,
            "yes" if cache else "no: set NUMBA_CACHE_DIR to a folder that can be written",
        ),
        ("temporary folder", os.access(tempfile.gettempdir(), os.W_OK), tempfile.gettempdir()),
        ("watch floor is built", static.is_file(), "yes" if static.is_file() else "no: `make web`"),
        ("clock", time.time() > 1_767_225_600, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())),
        _try("packaged coast", _coast),
    ]


def _coast() -> str:
    from shiprider.adapters.geography.coast import load_coast

    return load_coast().version


def _try(what: str, check: Callable[[], str]) -> Finding:
    from shiprider.model.errors import ShipriderError

    try:
        return what, True, check()
    except ShipriderError as error:
        return what, False, str(error)


def _node(folder: Path) -> list[Finding]:
    from shiprider.bootstrap.checkups import checkups
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.serving import running
    from shiprider.flow.terms import of_record
    from shiprider.model.errors import ShipriderError

    api = running(folder)
    if api is not None:
        told = api.ask("GET", "/status")
        return [("node", True, f"{told['node']} is running"), *((n, False, "") for n in told["notices"])]
    try:
        with open_node(folder) as opened:
            return [
                ("settings", True, opened.settings.node),
                _try("spool", lambda: f"{sum(1 for _ in opened.spool.verify())} segments match their hashes"),
                _try("spool's seals", lambda: _sealed(opened)),
                _try(
                    "ledger",
                    lambda: f"{opened.ledger.verify(of_record).sequence:,} records, the chain is whole",
                ),
                _try(
                    "access log",
                    lambda: f"{opened.access_log.verify().sequence:,} entries, the chain is whole",
                ),
                _try("lake", lambda: _reached(opened)),
                *((check.what, check.good, check.text) for check in checkups(opened)),
            ]
    except ShipriderError as error:
        return [("node", False, str(error)), *_unopened(folder)]


def _sealed(opened: "OpenNode") -> str:
    """The spool against what the ledger says it was. Raises CorruptStore."""
    from shiprider.cli.output import progress

    with progress("seals") as advance:
        return opened.node.stores.seals.compare(advance).sentence()


def _reached(opened: "OpenNode") -> str:
    """How far the lake is. Raises CorruptStore where it is further than the spool."""
    from shiprider.flow.ingest import check_spool_holds

    end, position = opened.spool.end(), opened.node.stores.ingest_writer.position
    check_spool_holds(end, position)
    return (
        "complete up to the spool's end"
        if position == end
        else "behind the spool: the next run goes on from there"
    )


def _unopened(folder: Path) -> list[Finding]:
    """Of a node that does not open: what its parts say each on its own, so that the broken one is named."""
    from shiprider.bootstrap.access_log import check_access_log
    from shiprider.bootstrap.folder import ACCESS_LOG

    def log() -> str:
        return f"{check_access_log(folder).sequence:,} entries, the chain is whole"

    return [_try("access log", log)] if (folder / ACCESS_LOG).is_dir() else []
