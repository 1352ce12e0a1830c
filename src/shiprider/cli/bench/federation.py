"""Records and bundles a second over one link, from an alert to a partner's screen, a slow link; against TAXII.

Always true: both nodes are whole ones in processes of their own, over a real broker with TLS; what counts as arrived is
durable at the partner, by his signed acknowledgement, or on his screen, by his live push. The peer holds the same
objects in memory, without TLS, signatures or labels.
"""

import asyncio
import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from shiprider.cli.bench.table import Row, compared

if TYPE_CHECKING:
    from shiprider.bootstrap.node import OpenNode
    from shiprider.flow.exchange.exchange import Exchange

#: What two partners share in a busy simulated week, at scale 1.
RECORDS: Final = 20_000
#: Alerts whose way to the partner's screen is timed.
ALERTS: Final = 60
_BATCH: Final = 1_000
#: Objects in one envelope of the peer: as many as a bundle holds.
_ENVELOPE: Final = 100
_PATIENCE_S: Final = 600.0
#: 2026-01-01T00:00Z, when the simulated day begins.
_BEGAN_US: Final = 1_767_225_600_000_000


def run(scale: float = 1.0) -> list[Row]:
    """Two nodes over one link, at `scale` of a week's records."""
    from shiprider import settings
    from shiprider.bootstrap.coalition import DAY_LABEL, lay_out, members, settings_text
    from shiprider.bootstrap.exchange import open_exchange
    from shiprider.bootstrap.feeds import recording
    from shiprider.bootstrap.node import open_node
    from shiprider.bootstrap.simulations import simulation
    from shiprider.measure.clock import HOUR_US

    many = max(500, round(RECORDS * scale))
    with TemporaryDirectory() as place:
        folder = Path(place) / "coalition"
        folder.mkdir()
        nodes = members(folder)
        (folder / settings.FILE_NAME).write_text(settings_text(nodes[0], nodes), encoding="utf-8")
        lay_out(nodes)
        day = Path(place) / "day.nmea"
        play = simulation("demo", 3, _BEGAN_US)
        with day.open("wb") as out:
            for piece in play.slices(play.scenario.start_us, play.scenario.start_us + 3 * HOUR_US, HOUR_US):
                out.write(piece.data)
        with open_node(folder) as opened:
            opened.node.ingest([recording(str(day), label=DAY_LABEL)], lambda *_: None)
            opened.node.catch_up(lambda *_: None)
            _fill(opened, many, DAY_LABEL)
            rows = _slow(opened)
            exchange = open_exchange(opened)
            partner = subprocess.Popen(  # noqa: S603 (our own)
                [sys.executable, "-m", "shiprider", "run", str(nodes[1].folder), "--port", "0", "--json"],
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            try:
                line = partner.stdout.readline() if partner.stdout is not None else ""
                url = json.loads(line)["url"]
                ours = _catch_up(opened, exchange, many)
                peer, why = _peer(Path(place), min(many, 2_000))
                rows = [
                    compared(
                        "federation: records a second over one link, durable at the partner", ours[0], peer,
                        "medallion (TAXII)", "1/s", why or f"{ours[2]:,} records, target 1,000",
                    ),
                    Row(case="federation: bundles a second", ours=ours[1], unit="1/s", notes="100 records at most"),
                    Row(
                        case="federation: catch-up after a week without a link", ours=ours[2] / ours[0], unit="s",
                        notes=f"{ours[2]:,} records; first one durable after {ours[3]:.1f} s",
                    ),
                    *_to_the_screen(opened, url),
                    *rows,
                ]  # fmt: skip
            finally:
                exchange.stop()
                partner.terminate()
                partner.wait(60)
    return rows


def _fill(opened: "OpenNode", many: int, label: str) -> None:
    """Notes of some 300 bytes, as people and programs leave them on vessels."""
    from shiprider.adapters.feeds.file import wall_us
    from shiprider.model.label import written
    from shiprider.model.note import Note
    from shiprider.model.record import Draft
    from shiprider.ports.ledger import Filed

    text = written(label).text
    for start in range(0, many, _BATCH):
        opened.ledger.append(
            [
                Filed(
                    draft=Draft(
                        id=uuid.UUID(int=start + at).hex,
                        kind="note",
                        expected_revision=0,
                        schema=1,
                        author="bench",
                        valid_from_us=wall_us(),
                        label=text,
                        body=msgspec.json.encode(
                            Note(
                                subject_kind="vessel",
                                subject=str(200_000_000 + start + at),
                                text=f"seen {start + at} " + "with two men aboard and a red hull " * 6,
                            )
                        ),
                    ),
                    terms=(f"vessel:{200_000_000 + start + at}",),
                )
                for at in range(min(_BATCH, many - start))
            ]
        )


def _catch_up(opened: "OpenNode", exchange: "Exchange", many: int) -> tuple[float, float, int, float]:
    """Records a second, bundles a second, how many records, seconds to the first; from the link's return on."""
    begun = time.monotonic()
    exchange.start()
    first_s = 0.0
    while time.monotonic() - begun < _PATIENCE_S:
        time.sleep(0.02)
        state = next((each for each in exchange.states() if each.partner == "usa"), None)
        if state is None or not state.acknowledged.sequence:
            continue
        first_s = first_s or time.monotonic() - begun
        if state.acknowledged.sequence >= state.sent.sequence and _all_sent(opened, "usa", many):
            break
    took_s = time.monotonic() - begun - first_s
    records, bundles = _sent(opened, "usa")
    return records / took_s, bundles / took_s, records, first_s


def _all_sent(opened: "OpenNode", partner: str, many: int) -> bool:
    return _sent(opened, partner)[0] >= many


def _sent(opened: "OpenNode", partner: str) -> tuple[int, int]:
    from shiprider.flow.exchange.sent import Sent

    found = list(Sent(opened.ledger).newest_first(partner))
    return sum(len(each.records) for each in found), len(found)


def _slow(opened: "OpenNode") -> list[Row]:
    """What passes over 9.6 kbit/s, in which order: bytes and seconds until the alerts are there, and until all is."""
    from shiprider.adapters.feeds.file import wall_us
    from shiprider.bootstrap.partners import open_partners
    from shiprider.flow.exchange.dispatching import Dispatching
    from shiprider.flow.exchange.links import Pace
    from shiprider.formats.feed_bundle import encode

    partner = open_partners(opened.ledger, opened.settings).partner("nld")[1]
    dispatching = Dispatching(
        opened.ledger, opened.sight, opened.keys, node=opened.settings.node, clock=wall_us
    )
    pace = Pace.of(9.6)
    sizes: list[int] = []
    alerts_until = 0
    largest = 0
    while len(sizes) < 400:
        bundle = dispatching.next(partner, most_bytes=pace.bundle_bytes)
        if bundle is None:
            break
        sizes.append(len(encode(bundle)))
        largest = max(largest, sizes[-1])
        sent = dispatching.sent.last("nld")
        kinds = {dispatching.sent.record_at(place).kind for place in (sent.records if sent else ())}
        if "alert" in kinds:
            alerts_until = len(sizes)
    to_alerts, every = sum(sizes[:alerts_until]), sum(sizes)
    rate = 9_600 / 8
    return [
        Row(
            case="federation: 9.6 kbit/s, until the last alert is over", ours=to_alerts / rate, unit="s",
            notes=f"{to_alerts:,} bytes of {every:,} in {len(sizes)} bundles; lower is better",
        ),
        Row(
            case="federation: 9.6 kbit/s, longest a new alert waits", ours=pace.bundles * largest / rate, unit="s",
            notes=f"{pace.bundles} bundles of at most {largest:,} bytes on their way",
        ),
    ]  # fmt: skip


def _to_the_screen(opened: "OpenNode", url: str) -> list[Row]:
    """From an alert's revision being durable at one node to its push to a screen at the other."""
    import websockets

    from shiprider.model.record import Draft
    from shiprider.ports.ledger import Filed, Query

    origin, _, token = url.partition("/?token=")
    found = opened.ledger.find(Query("alert", limit=ALERTS))

    def revise(at: int) -> tuple[str, int]:
        record = opened.ledger.latest(found[at % len(found)].id)
        draft = Draft(
            id=record.id,
            kind="alert",
            expected_revision=record.revision,
            schema=record.schema,
            author="bench",
            valid_from_us=record.valid_from_us,
            valid_to_us=record.valid_to_us,
            label=record.label,
            body=record.body or b"",
        )
        opened.ledger.append([Filed(draft=draft, terms=("open",))])
        return record.id, record.revision + 1

    async def timed() -> list[float]:
        lags: list[float] = []
        address = origin.replace("http://", "ws://") + "/api/v1/live"
        headers = {"authorization": f"Bearer {token}"}
        async with websockets.connect(address, additional_headers=headers, max_size=None) as screen:
            await asyncio.sleep(2.0)
            for at in range(ALERTS):
                began = time.monotonic()
                record_id, revision = await asyncio.to_thread(revise, at)
                while True:
                    message = await asyncio.wait_for(screen.recv(), 60)
                    if isinstance(message, bytes):
                        continue
                    said = json.loads(message)
                    if said.get("type") == "alert" and said["alert"]["id"] == record_id:
                        break
                lags.append(time.monotonic() - began)
                del revision
        return lags

    lags = np.array(asyncio.run(timed()))
    notes = f"{len(lags)} alerts, over TLS and the partner's live push; lower is better"
    return [
        Row(
            case="federation: alert to a partner's screen, median",
            ours=float(np.median(lags)),
            unit="s",
            notes=notes,
        ),
        Row(
            case="federation: alert to a partner's screen, p99",
            ours=float(np.quantile(lags, 0.99)),
            unit="s",
            notes="target < 2",
        ),
    ]


# -- the peer ---------------------------------------------------------------------------------------------


def _peer(folder: Path, many: int) -> tuple[float | None, str]:
    """Objects a second posted to a TAXII server and read from it by a partner."""
    if importlib.util.find_spec("medallion") is None:
        return None, "peer absent: medallion is not installed"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    collection = str(uuid.UUID(int=7))
    (folder / "data.json").write_text(json.dumps(_collections(collection)))
    (folder / "medallion.json").write_text(
        json.dumps(
            {
                "backend": {
                    "module": "medallion.backends.memory_backend",
                    "module_class": "MemoryBackend",
                    "filename": str(folder / "data.json"),
                },
                "users": {"bench": "bench"},
                "taxii": {"max_page_size": _ENVELOPE},
            }
        )
    )
    with (folder / "medallion.log").open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 (the peer)
            [sys.executable, "-m", "medallion.scripts.run", "--host", "127.0.0.1", "--port", str(port),
             str(folder / "medallion.json")],
            stdout=log, stderr=log, env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        try:
            base = f"http://127.0.0.1:{port}/bench/collections/{collection}/objects/"
            return _exchanged(base, many), ""
        except (OSError, ValueError, KeyError) as error:
            return None, f"peer absent: {error}"
        finally:
            server.terminate()
            server.wait(30)


def _collections(collection: str) -> dict[str, Any]:
    return {
        "/discovery": {
            "title": "bench",
            "default": "http://127.0.0.1/bench/",
            "api_roots": ["http://127.0.0.1/bench/"],
        },
        "bench": {
            "information": {
                "title": "bench",
                "versions": ["application/taxii+json;version=2.1"],
                "max_content_length": 104_857_600,
            },
            "status": [],
            "collections": [
                {
                    "id": collection,
                    "title": "bench",
                    "can_read": True,
                    "can_write": True,
                    "media_types": ["application/stix+json;version=2.1"],
                    "objects": [],
                    "manifest": [],
                    "responses": [],
                }
            ],
        },
    }


def _exchanged(base: str, many: int) -> float:
    headers = {
        "Authorization": "Basic " + b64encode(b"bench:bench").decode(),
        "Accept": "application/taxii+json;version=2.1",
        "Content-Type": "application/taxii+json;version=2.1",
    }

    def ask(url: str, body: bytes | None = None) -> Any:
        request = urllib.request.Request(url, data=body, headers=headers)  # noqa: S310 (the loopback)
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.loads(answer.read())

    for _ in range(100):
        try:
            ask(base)
            break
        except urllib.error.HTTPError:
            break
        except OSError:
            time.sleep(0.2)
    envelopes = [_stix(range(at, min(at + _ENVELOPE, many))) for at in range(0, many, _ENVELOPE)]
    began = time.monotonic()
    for each in envelopes:
        ask(base, each)
    read = 0
    following = ""
    while True:
        page = ask(f"{base}?limit={_ENVELOPE}" + (f"&next={following}" if following else ""))
        read += len(page.get("objects", ()))
        following = page.get("next", "")
        if not page.get("more"):
            break
    took_s = time.monotonic() - began
    if read < many:
        raise ValueError(f"only {read} of {many} objects came back")
    return many / took_s


def _stix(numbers: Sequence[int]) -> bytes:
    made = "2026-01-01T00:00:00.000Z"
    objects = [
        {
            "type": "note",
            "spec_version": "2.1",
            "id": f"note--{uuid.uuid5(uuid.NAMESPACE_OID, str(n))}",
            "created": made,
            "modified": made,
            "content": f"seen {n} " + "with two men aboard and a red hull " * 6,
            "object_refs": [f"identity--{uuid.uuid5(uuid.NAMESPACE_OID, 'v' + str(n))}"],
        }
        for n in numbers
    ]
    return json.dumps({"objects": objects}).encode()
