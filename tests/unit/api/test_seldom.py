"""What strangers make the server say: once, then their number once a minute."""

import io
import json
import logging
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from shiprider.api.seldom import LOGGERS, Seldom, speak_seldom
from shiprider.cli.logs import log_json


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    kept, level, stream = root.handlers[:], root.level, io.StringIO()
    log_json(stream)
    yield stream
    root.handlers[:] = kept
    root.setLevel(level)
    for name in LOGGERS:
        logger = logging.getLogger(name)
        logger.filters[:] = [each for each in logger.filters if not isinstance(each, Seldom)]


def _lines(out: io.StringIO) -> list[dict[str, Any]]:
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    return [each for each in told if each["logger"] in LOGGERS]


def test_broken_websockets_and_half_bodies_leave_few_lines_and_their_number(
    running: Any, out: io.StringIO
) -> None:
    speak_seldom(3.0)
    port = running.server.port
    host = f"Host: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\n"
    upgrade = f"GET /api/v1/live HTTP/1.1\r\n{host}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    half = f"POST /api/v1/sign-in/password HTTP/1.1\r\n{host}Content-Type: application/json\r\nContent-Length: 400\r\n\r\n{{"
    asked = (
        upgrade + "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        upgrade + "Sec-WebSocket-Key: x\r\n\r\n",
        half,
        "\x00\x01\r\n\r\n",
    )
    for _ in range(12):
        for each in asked:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(each.encode())
                if each is not half:
                    connection.recv(100)
    first = _lines(out)
    places = [each["line"] for each in first if "count" not in each]
    assert len(places) == len(set(places)) <= 8
    deadline = time.monotonic() + 10
    counted: list[dict[str, Any]] = []
    while time.monotonic() < deadline and sum(each["count"] for each in counted) < 12 * len(asked) - len(
        places
    ):
        time.sleep(0.2)
        counted = [each for each in _lines(out) if "count" in each]
    said = len(places) + sum(each["count"] for each in counted)
    assert said >= 12 * len(asked), "none is left out of the count"
    assert len(_lines(out)) <= 4 * len(places)


def test_the_first_of_a_kind_is_written_whole_and_another_error_is_another_kind(out: io.StringIO) -> None:
    speak_seldom(0.3)
    log = logging.getLogger("shiprider.api")
    for kind in (ValueError, ValueError, KeyError):
        try:
            raise kind("x")
        except (ValueError, KeyError):
            log.exception("request failed")
    lines = _lines(out)
    assert [(each["error"], bool(each["trace"])) for each in lines] == [
        ("ValueError", True),
        ("KeyError", True),
    ]
    time.sleep(0.7)
    assert [each["count"] for each in _lines(out)[2:]] == [1]
    time.sleep(0.7)
    log.warning("something else")
    assert len(_lines(out)) == 4
