"""A real node with a real server: AIS sentences made by the encoder, ingested, tracked, detected, served."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import numpy as np
import pytest

from shiprider.api.server import Server
from shiprider.api.site import Site, wall_clock_us
from shiprider.bootstrap.access import open_access
from shiprider.bootstrap.desk import open_desk
from shiprider.bootstrap.feeds import recording
from shiprider.bootstrap.node import OpenNode, open_node
from shiprider.flow.status import FeedState, NodeStatus
from shiprider.formats.ais.encoder import encode, merged, with_tag_blocks
from shiprider.settings import AccessSettings, Settings, WatchSettings

START_S = 1_700_000_000 // 3600 * 3600
XSS = "<IMG SRC=X ONERROR="
MEETING = (235000001, 235000002)
PASSING = 338000003


@dataclass(frozen=True)
class Running:
    """The node, its server and a client that carries the token."""

    opened: OpenNode
    server: Server
    client: httpx.Client
    site: Site

    def get(self, path: str, **params: object) -> httpx.Response:
        return self.client.get(f"/api/v1{path}", params=params)

    def post(self, path: str, body: object) -> httpx.Response:
        return self.client.post(f"/api/v1{path}", json=body)


def nmea() -> bytes:
    """Two hours: two vessels within 100 m of each other for 80 minutes, a third passes; each says who it is."""
    times = START_S + np.arange(0, 7200, 30)
    minutes = (times - START_S) / 60.0
    parts, stamps = [], []
    for number, mmsi in enumerate(MEETING):
        away = np.maximum(0, 20 - minutes) + np.maximum(0, minutes - 100)
        latitude = 16.0 + number * 0.0008 + (1 if number else -1) * away * 0.003
        speed = np.where(away > 0, 10.8, 0.4)
        fields = {
            "mmsi": mmsi,
            "lat": latitude,
            "lon": -74.5 + 0 * minutes,
            "speed": speed,
            "course": 0.0 * minutes,
        }
        parts.append(encode(1, fields))
        stamps.append(times)
    passing = {
        "mmsi": PASSING,
        "lat": 16.5 + 0 * minutes,
        "lon": -75.0 + minutes * 0.003,
        "speed": 10.4,
        "course": 90.0,
    }
    parts.append(encode(1, passing))
    stamps.append(times)
    said = {
        "mmsi": np.array([*MEETING, PASSING]), "imo": np.array([9074729, 0, 0]), "shipname": ["SANTA RITA", XSS, "SEA FOX"],
        "callsign": ["ABC1", "DEF2", "GHI3"], "ship_type": np.array([30, 70, 52]), "to_bow": np.array([20, 80, 15]),
        "to_stern": np.array([10, 20, 5]), "destination": ["CARTAGENA", "", ""],
    }  # fmt: skip
    parts.append(encode(5, said))
    stamps.append(np.full(3, START_S + 60))
    when = np.concatenate(stamps)
    order = np.argsort(when, kind="stable")
    everything = merged(parts, order)
    stations = (["COAST1"], np.zeros(len(order), np.int64))
    return (
        with_tag_blocks(everything, *stations, when[order]).data.tobytes() + b"!AIVDM,1,1,,A,rubbish,0*00\r\n"
    )


@pytest.fixture(scope="package")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("node")
    (folder / "day.nmea").write_bytes(nmea())
    settings = Settings(
        watch=WatchSettings(presets=("encounter/skylight", "encounter/starboard", "gap/gfw-raw")),
        access=AccessSettings(demo=True),
    )
    with open_node(folder, settings) as opened, open_access(folder, settings, opened.access_log) as access:
        opened.node.ingest([recording(str(folder / "day.nmea"))], lambda *_: None)
        opened.node.catch_up(lambda *_: None)
        state = NodeStatus(
            feeds=(FeedState(name="day", kind="file", condition="done", messages=723),),
            observations={0: 720},
        )
        site = Site(
            node=opened.settings.node,
            version="0",
            view=opened.view,
            review=opened.review(),
            status=lambda: state,
            access=access,
            desk=open_desk(opened, access),
            clock=wall_clock_us,
        )
        server = Server(site, host="127.0.0.1", port=0, static=folder / "static")
        server.start()
        headers = {"authorization": f"Bearer {server.token}", "x-officer": "Ana"}
        with httpx.Client(base_url=server.origin, headers=headers, timeout=30) as client:
            yield Running(opened, server, client, site)
        server.stop()


@pytest.fixture
def folder(running: Running) -> Path:
    return running.opened.folder
