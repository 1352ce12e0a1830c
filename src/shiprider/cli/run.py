"""`shiprider run`: a node with its feeds and its watch floor."""

import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import click

from shiprider.cli.compiling import announced

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shiprider.adapters.certificates.own import OwnCertificates
    from shiprider.bootstrap.node import OpenNode
    from shiprider.ports.feed import Feed


@click.command(epilog="Example: shiprider run ./node")
@click.argument("folder", type=click.Path(path_type=Path), default=Path("node"))
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Instead of the settings' port; 0 takes a free one."
)
@click.option("--log-json", is_flag=True, help="Log to standard error, one JSON object a line.")
@click.option("--json", "as_json", is_flag=True, help="Print one object with the address when it is up.")
@announced
def command(folder: Path, port: int | None, log_json: bool, as_json: bool) -> None:
    """Run the node in FOLDER (default: ./node) until it is interrupted."""
    if log_json:
        from shiprider.cli.logs import log_json as begin_log

        begin_log()
    from shiprider.bootstrap.feeds import live_feed
    from shiprider.bootstrap.node import open_node
    from shiprider.cli.output import progress, say
    from shiprider.cli.stopping import stop_on_signal

    with open_node(folder) as opened:
        settings = opened.settings
        declared = settings.feeds
        files = [live_feed(f, folder) for f in declared if f.kind == "file"]
        live = [live_feed(f, folder) for f in declared if f.kind != "file"]
        with stop_on_signal(opened.node.stop) as stopped:
            if files:
                with progress("ingest") as advance:
                    status = opened.node.ingest(files, advance)
                for sentence in status.stopped_feeds.values():
                    say(sentence)
            with progress("detect") as advance:
                opened.node.catch_up(advance)
            if not stopped():
                at = settings.api.place[1] if port is None else port
                serve(opened, folder, live, at, as_json=as_json)


def serve(
    opened: "OpenNode",
    folder: Path,
    live: "Sequence[Feed]",
    port: int,
    *,
    as_json: bool,
    demo: bool = False,
    ready: "Callable[[str], None] | None" = None,
) -> None:
    """The watch floor beside the node's own loop, until the node stops."""
    from importlib.resources import files

    from shiprider.api.server import Server
    from shiprider.bootstrap.access import duties_of, first_administrator, open_access
    from shiprider.bootstrap.care import caretaker
    from shiprider.bootstrap.certificates import own_certificates
    from shiprider.bootstrap.exchange import open_exchange
    from shiprider.cli.output import json_line
    from shiprider.cli.serving import announced, site_of

    settings = opened.settings
    static = Path(str(files("shiprider.api").joinpath("static")))
    with open_access(folder, settings, opened.access_log) as access:
        first = None if settings.access.demo else first_administrator(access)
        certificates = own_certificates(folder, settings)
        exchange = open_exchange(opened)
        server = Server(
            site_of(
                opened,
                access,
                demo=demo or settings.access.demo,
                certificates=certificates,
                links=exchange.states,
            ),
            host=settings.api.place[0],
            port=port,
            static=static,
            names=certificates.names if certificates else settings.api.names,
            tls=certificates.context if certificates else None,
        )
        server.start()
        care = caretaker(opened, duties_of(access))
        care.start()
        exchange.start()
        ended = threading.Event()
        if certificates is not None:
            renewing = threading.Thread(target=_renew, args=(certificates, ended), name="tls", daemon=True)
            renewing.start()
        try:
            with announced(folder, server, str(certificates.authority_file) if certificates else ""):
                if as_json:
                    said = {"url": server.url, "port": server.port}
                    if first is not None:
                        said["administrator"] = {"login": first[0].login, "code": first[1]}
                    if certificates is not None:
                        said["fingerprint"] = certificates.fingerprint
                    json_line(said)
                else:
                    if first is not None:
                        say_first(first[0].login, first[1])
                    if certificates is not None:
                        click.echo(f"Its authority is {certificates.authority_file}, SHA-256 fingerprint")
                        click.echo(f"  {certificates.fingerprint}")
                    click.echo(f"The watch floor is at {server.url}")
                    click.echo("Ctrl-C ends it.")
                sys.stdout.flush()
                if ready is not None:
                    ready(server.url)
                opened.node.run(live)
        finally:
            ended.set()
            exchange.stop()
            care.stop()
            server.stop()


def say_first(login: str, code: str) -> None:
    """The first administrator's way in, shown once."""
    click.echo(f"The first sign-in: login {login}, one-time code {code}")
    click.echo(
        "It is shown this once, is good for a week, and opens one thing: making the administrator's way in."
    )


#: A certificate is looked at twice a day.
_RENEWAL_S = 43_200.0


def _renew(certificates: "OwnCertificates", ended: threading.Event) -> None:
    import logging

    from shiprider.model.errors import ShipriderError

    while not ended.wait(_RENEWAL_S):
        try:
            certificates.renew()
        except (OSError, ShipriderError):
            logging.getLogger("shiprider.tls").exception("the certificate was not renewed")
