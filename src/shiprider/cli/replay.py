"""`shiprider replay`: a recording sent again at its own pace, as if it were live."""

from pathlib import Path

import click


@click.command(epilog="Example: shiprider replay recording.nmea --udp 127.0.0.1:10110 --speed 10")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--udp", "to", default="", metavar="HOST:PORT", help="Send datagrams there; else standard output."
)
@click.option("--speed", type=click.FloatRange(min=0.01), default=1.0, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one object at the end (to stderr).")
def command(file: Path, to: str, speed: float, as_json: bool) -> None:
    """Send FILE (NMEA with tag blocks; plain) at the pace of its time stamps."""
    import json
    import socket
    import sys
    import time

    from shiprider.cli.output import say
    from shiprider.formats.ais.stamps import stamped_pieces
    from shiprider.model.errors import InputError, UsageError

    if not file.is_file():
        raise UsageError(f"{file} does not exist: check the name.")
    address = _address(to) if to else None
    out = socket.socket(socket.AF_INET, socket.SOCK_DGRAM) if address else None
    begun: tuple[float, int] | None = None
    lines = 0
    with file.open("rb") as source:
        for stamp, piece in stamped_pieces(source):
            if stamp:
                begun = begun or (time.monotonic(), stamp)
                time.sleep(max(0.0, begun[0] + (stamp - begun[1]) / 1e6 / speed - time.monotonic()))
            for line in piece.splitlines(keepends=True):
                if out is not None and address is not None:
                    out.sendto(line, address)
                else:
                    sys.stdout.buffer.write(line)
                lines += 1
            sys.stdout.flush()
    if begun is None:
        raise InputError(f"{file} has no time stamps (c:) to keep pace with: it was sent at once.")
    if as_json:
        print(json.dumps({"lines": lines, "speed": speed}), file=sys.stderr)
    else:
        say(f"{lines:,} lines sent.")


def _address(text: str) -> tuple[str, int]:
    from shiprider.model.errors import UsageError

    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise UsageError(f"--udp {text!r} is no address: write for example 127.0.0.1:10110.")
    return host, int(port)
