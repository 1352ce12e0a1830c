"""Live push over a real WebSocket: the binary layout read again by hand, deltas, thinning, attacks, rate."""

import asyncio
import json
import struct
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import websockets

from shiprider.api.live import BYTES_PER_S, Follower, LiveView, NamedVessels
from shiprider.flow.picture import Picture
from shiprider.model.tables import STATEMENTS, TRACK_POINTS

Running = Any
T0 = 1_700_000_000_000_000
NONE = np.zeros(0, np.int64)
WORLD = (-180.0, -90.0, 180.0, 90.0)


def parse(frame: bytes) -> dict[str, Any]:
    """Read a frame from docs/api.md alone."""
    magic, kind, flags, zero, view, n, m, total, time_us = struct.unpack_from("<4sBBHIIIIq", frame)
    assert magic == b"SRP1" and zero == 0
    found: dict[str, Any] = {"kind": kind, "flags": flags, "view": view, "total": total, "time_us": time_us}
    at = 32
    columns = (
        [("latitude", "<i4", n), ("longitude", "<i4", n), ("count", "<u4", n)]
        if kind == 2
        else [
            ("slot", "<i4", n), ("latitude", "<i4", n), ("longitude", "<i4", n), ("mmsi", "<i4", n), ("removed", "<i4", m),
            ("course", "<u2", n), ("heading", "<u2", n), ("speed", "<u2", n), ("age", "<u2", n), ("length", "<u2", n),
            ("class", "u1", n), ("flags_of", "u1", n),
        ]
    )  # fmt: skip
    for name, form, count in columns:
        size = np.dtype(form).itemsize
        assert at % size == 0
        found[name] = np.frombuffer(frame, form, count, at)
        at += size * count
    assert at == len(frame)
    return found


def points(
    mmsi: np.ndarray, latitude: np.ndarray, longitude: np.ndarray, time_us: Any, **more: Any
) -> pa.Table:
    n = len(mmsi)
    time = pa.array(np.broadcast_to(time_us, n).astype(np.int64)).cast(TRACK_POINTS.field("time").type)
    columns = {
        "time": time, "received": time, "track": pa.array(mmsi * 16), "claimed_id": pa.array(mmsi), "latitude_deg": pa.array(latitude),
        "longitude_deg": pa.array(longitude), "raw": pa.array(np.arange(n)), "flaws": pa.array(np.zeros(n, np.int32)),
        **{name: pa.array(np.broadcast_to(value, n)) for name, value in more.items()},
    }  # fmt: skip
    return pa.table(
        [columns.get(f.name, pa.nulls(n, f.type)).cast(f.type) for f in TRACK_POINTS], schema=TRACK_POINTS
    )


def picture(n: int = 10) -> Picture:
    made = Picture()
    mmsi = 235000000 + np.arange(n)
    made.take_points(
        points(mmsi, np.linspace(-10, 10, n), np.linspace(0, 20, n), T0, speed_mps=np.float32(5.125),
               course_deg=np.float32(359.999), nature=np.int8(3))
    )  # fmt: skip
    return made


def follow(made: Picture, follower: Follower, room: int = BYTES_PER_S) -> dict[str, Any] | None:
    assert made.newest_us is not None
    frame = follower.next_frame(made.rows(follower.asked.bbox), NONE, NONE, made.newest_us, room)
    assert frame is None or len(frame) <= max(room, 32 + 28)
    return None if frame is None else parse(frame)


def test_the_layout_and_its_units() -> None:
    made = picture()
    said = {
        "time": [T0],
        "claimed_id": [235000003],
        "ship_type": [71],
        "to_bow_m": [100],
        "to_stern_m": [85],
        "name": ["A"],
        "raw": [1],
    }
    made.take_statements(
        pa.table(
            {
                f.name: pa.array(said.get(f.name, [None]), pa.int64() if f.name == "time" else f.type).cast(
                    f.type
                )
                for f in STATEMENTS
            }
        )
    )
    frame = follow(made, Follower(LiveView(view=7, bbox=WORLD)))
    assert frame is not None
    assert (frame["kind"], frame["view"], frame["total"], frame["flags"]) == (0, 7, 10, 2)
    assert frame["time_us"] == T0
    np.testing.assert_array_equal(frame["mmsi"], 235000000 + np.arange(10))
    np.testing.assert_array_equal(frame["latitude"], np.round(np.linspace(-10, 10, 10) * 1e7))
    assert set(frame["speed"]) == {512} and set(frame["heading"]) == {65535}
    # 359.999 degrees is north again.
    assert set(frame["course"]) == {0} and set(frame["age"]) == {0}
    assert frame["length"][3] == 185 and frame["class"][3] == 1 and frame["class"][4] == 0
    assert set(frame["flags_of"]) == {1}


def test_only_what_changed_and_what_left() -> None:
    made = picture()
    follower = Follower(LiveView(view=1, bbox=(-1.0, -11.0, 21.0, 11.0)))
    assert follow(made, follower)["kind"] == 0  # type: ignore[index]
    assert follow(made, follower) is None
    made.take_points(
        points(np.array([235000002, 235000005]), np.array([0.0, 50.0]), np.array([1.0, 1.0]), T0 + 10**6)
    )
    frame = follow(made, follower)
    assert frame is not None and frame["kind"] == 1
    assert (list(frame["mmsi"]), list(frame["removed"]), frame["total"]) == ([235000002], [5], 9)
    assert follow(made, follower) is None
    # Late data never moves a vessel back.
    made.take_points(points(np.array([235000002]), np.array([9.0]), np.array([9.0]), T0 - 10**6))
    assert follow(made, follower) is None


def test_a_new_alert_changes_the_flag_of_a_vessel_that_did_not_move() -> None:
    made, follower = picture(), Follower(LiveView(view=1, bbox=WORLD))
    follow(made, follower)
    frame = parse(
        follower.next_frame(made.rows(WORLD), np.array([235000004]), np.array([235000004]), T0, 9999) or b""
    )
    assert (list(frame["mmsi"]), list(frame["flags_of"])) == ([235000004], [1 | 2 | 16])


def test_more_than_the_limit_become_cells_whose_counts_add_up() -> None:
    made = picture(500)
    follower = Follower(LiveView(view=3, bbox=WORLD, limit=100))
    frame = follow(made, follower)
    assert frame is not None and (frame["kind"], frame["flags"] & 1, frame["total"]) == (2, 1, 500)
    assert frame["count"].sum() == 500 and len(frame["count"]) < 100
    mean = (frame["latitude"] * frame["count"].astype(np.int64)).sum() / 500
    assert mean == pytest.approx(0.0, abs=10)
    assert follow(made, follower) is None


def test_fifty_thousand_vessels_come_in_turns_and_none_is_left_out() -> None:
    """Latest wins: each second at most 200 kB; all are there after 50,000 * 28 / 200,000 = 7 s, in 8 frames."""
    rng = np.random.default_rng(1)
    made, mmsi = Picture(), 200_000_000 + np.arange(50_000)
    made.take_points(points(mmsi, rng.uniform(-60, 60, 50_000), rng.uniform(-180, 180, 50_000), T0))
    follower = Follower(LiveView(view=1, bbox=WORLD, limit=60_000))
    seen: dict[int, int] = {}
    for _ in range(8):
        frame = follow(made, follower)
        assert frame is not None
        seen.update(zip(frame["slot"].tolist(), frame["mmsi"].tolist(), strict=True))
    assert len(seen) == 50_000 and follow(made, follower) is None
    # Everything moves twice: only the newest is sent.
    for second in (1, 2):
        made.take_points(points(mmsi, np.full(50_000, float(second)), np.zeros(50_000), T0 + second * 10**6))
    latitudes: list[int] = []
    for _ in range(8):
        latitudes += (follow(made, follower) or {"latitude": np.zeros(0)})["latitude"].tolist()
    assert latitudes == [20_000_000] * 50_000


def test_classes_and_simulated_are_filtered() -> None:
    made = picture()
    assert follow(made, Follower(LiveView(view=1, bbox=WORLD, simulated=False)))["total"] == 0  # type: ignore[index]
    assert follow(made, Follower(LiveView(view=1, bbox=WORLD, classes=[4])))["total"] == 0  # type: ignore[index]
    assert follow(made, Follower(LiveView(view=1, bbox=WORLD, classes=[0])))["total"] == 10  # type: ignore[index]


# -- the real socket ----------------------------------------------------------------------------------


def talk(running: Running, conversation: Callable[[Any], Any], **more: Any) -> Any:
    async def run() -> Any:
        url = f"ws://127.0.0.1:{running.server.port}/api/v1/live"
        headers = {"authorization": f"Bearer {running.server.token}", **more.pop("headers", {})}
        async with websockets.connect(url, additional_headers=headers, **more) as socket:
            return await asyncio.wait_for(conversation(socket), 20)

    return asyncio.run(run())


async def until(socket: Any, wanted: Callable[[Any], bool]) -> Any:
    while True:
        message = await socket.recv()
        content = parse(message) if isinstance(message, bytes) else json.loads(message)
        if wanted(content):
            return content


def view(number: int = 1, **more: Any) -> str:
    return json.dumps({"type": "view", "view": number, "bbox": [-76, 15, -74, 17], **more})


def test_a_view_gets_its_snapshot_and_a_new_view_its_own(running: Running) -> None:
    async def conversation(socket: Any) -> Any:
        await socket.send(view(5, zoom=6.5, classes=None, mode="live"))
        first = await until(socket, lambda c: c.get("view") == 5)
        await socket.send(view(6, bbox=[-76, 16.4, -74.6, 17]))
        second = await until(socket, lambda c: c.get("view") == 6)
        await socket.send(view(7, bbox=[0, 0, 1, 1]))
        return first, second, await until(socket, lambda c: c.get("view") == 7)

    first, second, third = talk(running, conversation)
    assert first["kind"] == 0 and set(first["mmsi"]) == {235000001, 235000002, 338000003}
    assert list(second["mmsi"]) == [338000003]
    assert (third["kind"], third["total"], len(third["slot"])) == (0, 0, 0)


def test_a_past_time_and_the_status_are_pushed(running: Running) -> None:
    at = (1_700_000_000 // 3600 * 3600 + 1800) * 10**6

    async def conversation(socket: Any) -> Any:
        await socket.send(view(2, mode="then", time_us=at))
        past = await until(socket, lambda c: c.get("view") == 2)
        return past, await until(socket, lambda c: c.get("type") == "status")

    past, status = talk(running, conversation)
    assert past["time_us"] == at and len(past["slot"]) == 3
    assert status["status"]["counts"]["vessels"] == 3


def test_a_decision_reaches_every_screen(running: Running) -> None:
    alert = running.get("/alerts", state="new,taken,dismissed,escalated,merged").json()["alerts"][0]
    step = "reopen" if alert["state"] != "new" else "take"

    async def conversation(socket: Any) -> Any:
        await until(socket, lambda c: c.get("type") == "status")
        path = f"/alerts/{alert['id']}/{step}"
        answer = await asyncio.to_thread(running.post, path, {"expected_revision": alert["revision"]})
        assert answer.status_code == 200, answer.text
        return await until(socket, lambda c: c.get("type") == "alert")

    event = talk(running, conversation)
    assert (event["event"], event["alert"]["id"]) == ("changed", alert["id"])
    assert event["alert"]["revision"] == alert["revision"] + 1


@pytest.mark.parametrize(
    "wrong",
    ["", "{", "[]", "5", '{"type": "view"}', view(-1), view(2**32), view(bbox=[0, 5, 1, 1]), view(bbox=[0, 0, 1]),
     view(bbox=[0, 0, 1, 91]), view(mode="odd"), view(mode="then"), view(limit=0), view(limit=10**9), view(more=1),
     view(classes=["x"]), '{"type": "view", "view": 1, "bbox": [0, 0, NaN, 1]}', "[" * 5000, b"\x00\x01", b""],
)  # fmt: skip
def test_a_wrong_view_is_one_sentence_and_the_connection_lives(running: Running, wrong: Any) -> None:
    async def conversation(socket: Any) -> Any:
        await socket.send(wrong)
        complaint = await until(socket, lambda c: c.get("type") == "error")
        await socket.send(view(9))
        return complaint, await until(socket, lambda c: c.get("view") == 9)

    complaint, good = talk(running, conversation)
    assert complaint["error"] == "bad_view" and complaint["message"] and good["kind"] == 0


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": "http://evil.example"}, 403),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "", "cookie": "shiprider_session=x"}, 401),
    ],
)
def test_the_socket_has_the_same_gate(running: Running, headers: dict[str, str], status: int) -> None:
    async def conversation(socket: Any) -> Any:
        return await socket.recv()

    with pytest.raises(websockets.InvalidStatus) as refused:
        talk(running, conversation, headers=headers)
    assert refused.value.response.status_code == status


def test_the_socket_refuses_another_host(running: Running) -> None:
    import socket as sockets

    request = (
        "GET /api/v1/live HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Authorization: Bearer {running.server.token}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    )
    with sockets.create_connection(("127.0.0.1", running.server.port), timeout=10) as raw:
        raw.sendall(request.encode())
        assert raw.recv(100).split()[1] == b"421"


def test_a_client_that_sends_too_much_is_let_go_and_others_are_not(running: Running) -> None:
    async def conversation(socket: Any) -> Any:
        try:
            await socket.send("x" * 200_000)
            await until(socket, lambda c: False)
        except websockets.ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None

    assert talk(running, conversation) in (1009, None)
    assert running.get("/status").status_code == 200


# -- what was shown stands in the access log --------------------------------------------------------


def test_vessels_are_named_at_once_then_once_a_minute_and_again_after_an_hour() -> None:
    named, n = NamedVessels(), 25_000
    told: list[tuple[float, int]] = []

    def tick(now_s: float) -> None:
        due = named.due(now_s)
        if len(due):
            told.append((now_s, len(due)))
            named.named(due, now_s)

    shown = np.arange(n, dtype=np.int64)
    for second in range(200):
        named.add(shown[second * 1000 : (second + 1) * 1000] if second else shown[:15_000])
        tick(float(second))
    assert told == [(0.0, 10_000), (60.0, 10_000), (120.0, 5_000)] and not named.waiting
    named.add(shown)
    tick(1000.0)
    assert not named.waiting and len(told) == 3
    tick(3600.0)
    named.add(shown)
    tick(3601.0)
    assert told[3:] == []
    named.add(np.array([n + 1]))
    tick(3700.0)
    assert told[3:] == [(3700.0, 1)]
    named.add(shown)
    tick(3800.0)
    assert told[4:] == [(3800.0, 10_000)], "an hour after the first they are named again"


def test_what_was_not_written_is_still_to_be_named() -> None:
    named = NamedVessels()
    named.add(np.arange(5, dtype=np.int64))
    assert len(named.due(0.0)) == len(named.due(0.0)) == 5 == named.waiting


def test_the_log_names_every_vessel_that_was_pushed_and_the_filters(running: Running) -> None:
    log = running.opened.access_log
    before = log.head().sequence

    async def conversation(socket: Any) -> Any:
        await socket.send(view(classes=[0, 1]))
        empty = await until(socket, lambda c: isinstance(c, dict) and c.get("kind") == 0)
        await socket.send(view(2))
        return empty, await until(socket, lambda c: isinstance(c, dict) and c.get("view") == 2)

    _, frame = talk(running, conversation)
    assert len(frame["mmsi"])
    wanted = sorted({str(each) for each in frame["mmsi"]})
    # What came after the first is named when the minute is over, or the connection.
    for _ in range(100):
        entries = [each for _, each in log.since(before)]
        named = [o for each in entries if each.what == "WS /api/v1/live vessels" for o in each.objects]
        if len(named) == len(wanted):
            break
        time.sleep(0.1)
    assert [each.asked for each in entries if each.what == "WS /api/v1/live"] == ["classes=0,1", ""]
    assert sorted(named) == wanted
