"""A node with people of every role: real accounts, real passwords, a real server, real HTTP."""

import base64
import hashlib
import hmac
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from shiprider.api.server import Server
from shiprider.api.site import Site, wall_clock_us
from shiprider.bootstrap.access import open_access
from shiprider.bootstrap.desk import open_desk
from shiprider.bootstrap.feeds import recording
from shiprider.bootstrap.node import OpenNode, open_node
from shiprider.flow.access import Access
from shiprider.flow.ids import new_id
from shiprider.flow.sign_in import SignIn
from shiprider.flow.status import NodeStatus
from shiprider.formats.ais.encoder import encode, with_tag_blocks
from shiprider.model.account import Account
from shiprider.settings import AccessSettings, Settings, WatchSettings

PASSWORD = "correct horse battery staple"  # noqa: S105
SEED = bytes(range(20))
START_S = 1_700_000_000 // 3600 * 3600


def authenticator(seed: bytes, at_s: float, digits: int = 6) -> str:
    """RFC 6238 written again: what a telephone shows."""
    digest = hmac.new(seed, struct.pack(">Q", int(at_s) // 30), hashlib.sha1).digest()
    at = digest[19] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 10**digits:0{digits}d}"


def seed_of(shown: str) -> bytes:
    """What a person types into an authenticator, read as RFC 4648 says."""
    return base64.b32decode(shown + "=" * (-len(shown) % 8))


@dataclass
class Floor:
    """The node, its server, its people."""

    opened: OpenNode
    access: Access
    server: Server
    site: Site
    people: dict[str, Account] = field(default_factory=dict)
    clients: dict[str, httpx.Client] = field(default_factory=dict)

    def add(self, login: str, *roles: Any, nation: str = "COL", **more: Any) -> Account:
        account = Account(
            id=new_id(), login=login, name=login.title(), roles=roles, nation=nation, made_us=1, **more
        )
        self.people[login] = self.access.accounts.add(account)
        return account

    def client(self, login: str = "", purpose: str = "watch") -> httpx.Client:
        """A browser, signed in: through the front door's session, past the slow hash of each."""
        if login in self.clients:
            return self.clients[login]
        client = self.stranger()
        if login:
            sessions = self.sessions()
            cookie = sessions.begin_for(self.people[login], purpose=purpose, address="127.0.0.1")
            client.cookies.set("shiprider_session", cookie, domain="127.0.0.1")
        self.clients[login] = client
        return client

    def stranger(self) -> httpx.Client:
        headers = {"origin": self.server.origin}
        return httpx.Client(base_url=self.server.origin, headers=headers, timeout=30, verify=False)  # noqa: S501

    def sessions(self) -> Any:
        return self.server._server.config.app._sessions  # type: ignore[union-attr]

    def give_password(self, login: str) -> None:
        """As at the first sign-in."""
        sign_in = SignIn(self.access)
        sign_in.set_password(self.people[login], PASSWORD, SEED, authenticator(SEED, time.time() - 30))


def _nmea(start_s: int) -> bytes:
    import numpy as np

    times = start_s + np.arange(0, 7200, 30)
    minutes = (times - start_s) / 60.0
    parts = []
    for number, mmsi in enumerate((235000001, 235000002)):
        away = np.maximum(0, 20 - minutes) + np.maximum(0, minutes - 100)
        fields = {
            "mmsi": mmsi,
            "lat": 16.0 + number * 0.0008 + (1 if number else -1) * away * 0.003,
            "lon": -74.5 + 0 * minutes,
            "speed": np.where(away > 0, 10.8, 0.4),
            "course": 0.0 * minutes,
        }
        parts.append(encode(1, fields))
    out = b""
    for part in parts:
        out += with_tag_blocks(part, ["COAST1"], np.zeros(len(times), np.int64), times).data.tobytes()
    return b"".join(sorted(out.splitlines(keepends=True), key=lambda line: line.split(b"c:")[1][:10]))


def voyage(mmsi: int, name: str, latitude: float = 13.0, start_s: int = START_S) -> bytes:
    """Two hours of one vessel, far from the others, that says its name."""
    import numpy as np

    times = start_s + np.arange(0, 7200, 30)
    said = encode(5, {"mmsi": np.array([mmsi]), "shipname": [name], "ship_type": np.array([30])})
    sails = {
        "mmsi": mmsi,
        "lat": latitude + (times - start_s) / 1e5,
        "lon": -74.5 + 0 * times,
        "speed": 5.0,
        "course": 0.0,
    }
    return b"".join(
        with_tag_blocks(part, ["COAST1"], np.zeros(len(when), np.int64), when).data.tobytes()
        for part, when in ((said, times[:1]), (encode(1, sails), times))
    )


@contextmanager
def floor(
    folder: Path,
    *,
    data: bool = True,
    policy: str = "",
    node: str = "node",
    presets: tuple[str, ...] = ("encounter/skylight",),
    **access_settings: Any,
) -> Iterator[Floor]:
    """A node with nobody in it yet; with `data`, two meeting vessels and an alert on them; `policy` is a file's text."""
    start_s = START_S
    if data:
        (folder / "day.nmea").write_bytes(_nmea(start_s))
    if policy:
        (folder / "policy.toml").write_text(policy)
    settings = Settings(
        node=node,
        policy="policy.toml" if policy else "",
        nation="COL",
        watch=WatchSettings(presets=presets),
        access=AccessSettings(**access_settings),
    )
    with open_node(folder, settings) as opened, open_access(folder, settings, opened.access_log) as access:
        if data:
            opened.node.ingest([recording(str(folder / "day.nmea"))], lambda *_: None)
            opened.node.catch_up(lambda *_: None)
        status = NodeStatus()
        site = Site(
            node=node,
            version="0",
            view=opened.view,
            review=opened.review(),
            audit=opened.audit,
            status=lambda: status,
            access=access,
            desk=open_desk(opened, access),
            nation="COL",
            clock=wall_clock_us,
        )
        server = Server(site, host="127.0.0.1", port=0, static=folder / "static")
        server.start()
        made = Floor(opened, access, server, site)
        try:
            yield made
        finally:
            for client in made.clients.values():
                client.close()
            server.stop()
