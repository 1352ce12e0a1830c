"""The node's own broker: a nats-server with one account per partner, and nothing that is not on its lists.

Always true: only TLS 1.3 with a certificate of a confirmed partner gets in; a partner's account holds the two
streams between him and this node, and he may publish into the one, take from the other, and do nothing else; no
account sees another; the disk that a partner can fill is bounded, and full is refused, not overwritten.
"""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shiprider.formats.feed_bundle import MOST_BYTES
from shiprider.model.errors import StorageError, UsageError
from shiprider.ports.bus import LinkIdentity

#: Streams and subjects of a partner's account: what he is sent, what he sends.
TO: Final = "TO"
FROM: Final = "FROM"
GUEST: Final = "guest"
HOST: Final = "host"

_STARTS_WITHIN_S: Final = 10.0
_PLAIN_NAME: Final = re.compile(r"[0-9a-f]{32}\.node\.invalid")


@dataclass(frozen=True, slots=True)
class Guest:
    """A confirmed partner who may come: its node's name, its link certificate (PEM) and the name in that."""

    node: str
    name: str
    certificate: str


def program() -> str:
    """Where the nats-server is. Raises UsageError."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if found is None:
        raise UsageError("There is no nats-server on this machine: install Shiprider's requirements again.")
    return found


def permissions(guest: str) -> str:
    """What a partner may do in his account."""
    return f"""{{
        publish: {{ allow: ["from.records", "from.frames", "$JS.API.CONSUMER.MSG.NEXT.{TO}.records",
          "$JS.API.CONSUMER.MSG.NEXT.{TO}.frames", "$JS.ACK.{TO}.>"] }},
        subscribe: {{ allow: ["_INBOX_{guest}.>"] }}
      }}"""


#: In the broker's folder: which process it is.
_PID: Final = "server.pid"


class Broker:
    """A running nats-server; `close` ends it. Raises StorageError, UsageError.

    `identity_in` makes what this node shows in a partner's account, kept in a folder.
    """

    def __init__(
        self,
        folder: Path,
        own: LinkIdentity,
        guests: Sequence[Guest],
        identity_in: Callable[[Path], LinkIdentity],
        *,
        host: str,
        port: int,
        most_bytes_per_partner: int = 2 * 2**30,
    ) -> None:
        self._folder = folder
        self._own = own
        self._identity_in = identity_in
        self._host = host
        self._most_bytes = most_bytes_per_partner
        self.port: Final = port or _free_port(host)
        self._hosts: dict[str, LinkIdentity] = {}
        self._lock = threading.Lock()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._log = (folder / "server.log").open("ab")
        self._write(guests)
        self._process = self._started()

    def host_identity(self, guest_name: str) -> LinkIdentity:
        """With which this node itself comes into a partner's account."""
        with self._lock:
            return self._hosts[guest_name]

    def admit(self, guests: Sequence[Guest]) -> None:
        """From now on these partners, and no others: who is not among them is cut off."""
        with self._lock:
            self._write(guests)
            self._process.send_signal(signal.SIGHUP)

    def tend(self) -> None:
        """Start it again where it ended by itself. Raises StorageError."""
        with self._lock:
            if self._process.poll() is not None:
                self._process = self._started()

    @property
    def pid(self) -> int:
        """Of the server's process."""
        return self._process.pid

    def close(self) -> None:
        """End it, with what it holds on the disk."""
        _end(self._process)
        self._log.close()

    def _started(self) -> "subprocess.Popen[bytes]":
        self._end_predecessor()
        process = subprocess.Popen(  # noqa: S603 (our own program and files)
            [program(), "-c", str(self._config)],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
        )
        try:
            self._wait(process)
        except BaseException:
            _end(process)
            raise
        return process

    def _is_ours(self, pid: int) -> bool:
        try:
            return int((self._folder / _PID).read_text()) == pid
        except (OSError, ValueError):
            return False

    def _end_predecessor(self) -> None:
        """A node that was killed leaves its broker behind: it would hold the port, and take no orders from us."""
        try:
            pid = int((self._folder / _PID).read_text())
        except (OSError, ValueError):
            return
        if str(self._config).encode() not in _words_of(pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
            until = time.monotonic() + _STARTS_WITHIN_S
            while time.monotonic() < until and str(self._config).encode() in _words_of(pid):
                time.sleep(0.05)
            if str(self._config).encode() in _words_of(pid):
                os.kill(pid, signal.SIGKILL)

    @property
    def _config(self) -> Path:
        return self._folder / "server.conf"

    def _write(self, guests: Sequence[Guest]) -> None:
        trusted = [self._own.pem]
        accounts: list[str] = []
        for guest in sorted(guests, key=lambda each: each.node):
            name = guest.name
            if not _PLAIN_NAME.fullmatch(name):
                raise UsageError(f"The link certificate of {guest.node!r} has no usable name.")
            if name not in self._hosts:
                self._hosts[name] = self._identity_in(self._folder / "accounts" / name)
            own = self._hosts[name]
            trusted += [guest.certificate, own.pem]
            short = name.partition(".")[0]
            accounts.append(f"""
  P_{short}: {{
    jetstream: {{ max_mem: 0, max_file: {self._most_bytes}, max_streams: 4, max_consumers: 8 }}
    limits: {{ max_conn: 8, max_subs: 64, max_payload: {MOST_BYTES + 65536} }}
    users: [
      {{ user: "{own.name}" }},
      {{ user: "{name}", permissions: {permissions(short)} }}
    ]
  }}""")
        pool = self._folder / "trusted.pem"
        _replace(pool, "".join(pem if pem.endswith("\n") else pem + "\n" for pem in trusted))
        _replace(
            self._config,
            f"""# Written by Shiprider; changes here are lost.
listen: "{self._host}:{self.port}"
server_name: "{self._own.name}"
pid_file: "{self._folder / _PID}"
max_payload: {MOST_BYTES + 65536}
max_connections: 256
max_control_line: 4096
write_deadline: "60s"
jetstream {{ store_dir: "{self._folder / "streams"}", sync_interval: "1s" }}
tls {{
  cert_file: "{self._own.file}"
  key_file: "{self._own.key_file}"
  ca_file: "{pool}"
  verify_and_map: true
  min_version: "1.3"
  timeout: 10
}}
accounts {{{"".join(accounts)}
  NOBODY: {{ users: [{{ user: "nobody.{self._own.name}" }}] }}
}}
""",
        )

    def _wait(self, process: "subprocess.Popen[bytes]") -> None:
        until = time.monotonic() + _STARTS_WITHIN_S
        place = "127.0.0.1" if self._host in ("0.0.0.0", "::") else self._host  # noqa: S104 (compared)
        while time.monotonic() < until:
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection((place, self.port), 0.5):
                # Another program on the port would answer too: ours has said who it is by then, or has ended.
                if self._is_ours(process.pid):
                    return
            time.sleep(0.05)
        raise StorageError(
            f"The broker does not start on {self._host}:{self.port}: see {self._folder / 'server.log'}."
        )


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _words_of(pid: int) -> list[bytes]:
    """The command line of a process; nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return []


def _free_port(host: str) -> int:
    with socket.socket() as found:
        found.bind((host, 0))
        return int(found.getsockname()[1])


def _replace(path: Path, text: str) -> None:
    part = path.with_suffix(path.suffix + ".part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
