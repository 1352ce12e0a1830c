"""The doctor's checks: clocks, disk trend, expiry; figures by hand."""

import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from shiprider.adapters.certificates.expiry import expiries
from shiprider.adapters.time_sources.network import offset_s
from shiprider.flow import checkup
from shiprider.flow.disk_trend import FOR_EVER_DAYS, DiskHistory, Reading, days_left
from shiprider.measure.clock import DAY_US, HOUR_US
from shiprider.model.errors import StorageError, UsageError

GIB = 1 << 30
NOW = 1_767_225_600_000_000


def falling(hours: int, per_day: float, start: float = 100.0) -> list[Reading]:
    return [Reading(NOW + n * HOUR_US, round((start - per_day * n / 24) * GIB)) for n in range(hours)]


def test_a_disk_that_loses_ten_a_day_with_forty_left_lasts_four_days() -> None:
    readings = falling(6 * 24 + 1, 10.0)
    assert readings[-1].free_bytes == 40 * GIB
    assert days_left(readings) == pytest.approx(4.0, rel=1e-3)
    told = checkup.disk(readings, readings[-1].free_bytes)
    assert not told.good and "full in 4.0 days" in told.text


def test_a_back_up_made_and_removed_does_not_turn_the_trend() -> None:
    readings = falling(97, 2.0)
    for n in range(40, 60):
        readings[n] = Reading(readings[n].at_us, readings[n].free_bytes - 30 * GIB)
    assert days_left(readings) == pytest.approx(92 / 2.0, rel=0.1)


def test_no_past_no_trend_and_a_disk_that_does_not_fill_lasts() -> None:
    assert days_left([]) is None and days_left(falling(5, 10.0)) is None
    assert days_left(falling(100, 0.0)) == FOR_EVER_DAYS == days_left(falling(100, -1.0))
    assert checkup.disk([], GIB).good


def test_the_disks_history_keeps_an_hours_readings_of_a_week(tmp_path: Path) -> None:
    history = DiskHistory(tmp_path / "state" / "disk.history")
    kept = [history.note(Reading(NOW + n * HOUR_US // 4, n)) for n in range(8 * 24 * 4)]
    assert sum(kept) == 8 * 24
    held = history.read()
    assert len(held) == 7 * 24 and held[-1].at_us - held[0].at_us == 7 * DAY_US - HOUR_US
    (tmp_path / "state" / "disk.history").write_text(f"{NOW} 5\ngarbage\n12 x\n{NOW + 5} 7")
    assert history.read() == [Reading(NOW, 5), Reading(NOW + 5, 7)]


@pytest.mark.parametrize(
    ("shift_s", "good", "words"),
    [
        (0.8, True, "0.8 s"),
        (-4.0, True, "-4.0"),
        (-60.0, False, "60 s in the future"),
        (1200.0, False, "20 min old"),
    ],
)
def test_the_clock_against_the_feeds(shift_s: float, good: bool, words: str) -> None:
    draw = random.Random(1)
    told = checkup.clock_by_feeds([shift_s + draw.uniform(-0.01, 0.01) for _ in range(101)])
    assert told.good is good and words in told.text


def test_a_clock_that_was_set_back() -> None:
    assert not checkup.clock_by_log(NOW, NOW + 10_000_000).good
    assert checkup.clock_by_log(NOW, NOW - 1).good and checkup.clock_by_log(NOW, 0).good
    assert checkup.clock_by_feeds([-99.0] * 5).good  # too few to tell


def test_what_expires() -> None:
    assert not checkup.expiry("c", NOW - 1, NOW).good
    assert not checkup.expiry("c", NOW + 29 * DAY_US, NOW).good
    assert checkup.expiry("c", NOW + 31 * DAY_US, NOW).good
    assert checkup.key_age("ab" * 16, NOW - 300 * DAY_US, NOW).good
    assert not checkup.key_age("ab" * 16, NOW - 340 * DAY_US, NOW).good


def test_certificates_in_a_folder_are_found_and_keys_are_not_read(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "node")])
    end = datetime(2027, 3, 1, tzinfo=UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(end - timedelta(days=90)).not_valid_after(end)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "node.pem").write_bytes(made.public_bytes(Encoding.PEM))
    (tmp_path / "tls" / "note.pem").write_text("no certificate")
    (tmp_path / "tls" / "node.key").write_bytes(made.public_bytes(Encoding.PEM))
    assert expiries(tmp_path) == [("tls/node.pem", round(end.timestamp() * 1e6))]


# -- time sources: real sockets, answers by hand ----------------------------------------------------------


@pytest.fixture
def ntp() -> Iterator[Callable[[Callable[[bytes, float], bytes]], str]]:
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))

    def start(answer: Callable[[bytes, float], bytes]) -> str:
        def serve() -> None:
            data, peer = server.recvfrom(512)
            server.sendto(answer(data, time.time()), peer)

        threading.Thread(target=serve, daemon=True).start()
        return f"ntp://127.0.0.1:{server.getsockname()[1]}"

    yield start
    server.close()


def packet(asked: bytes, now: float, *, first: int = 0x24, stratum: int = 2, echo: bool = True) -> bytes:
    def stamp(t: float) -> bytes:
        return struct.pack(">II", int(t) + 2_208_988_800, int((t % 1) * 2**32))

    head = bytes([first, stratum, 6, 0xEC]) + bytes(12)
    return head + bytes(8) + (asked[40:48] if echo else bytes(8)) + stamp(now) + stamp(now)


def test_ntp_tells_how_far_the_clock_is_off(ntp: Callable[..., str]) -> None:
    assert offset_s(ntp(lambda asked, now: packet(asked, now + 90.0))) == pytest.approx(90.0, abs=0.2)


@pytest.mark.parametrize("wrong", [{"first": 0x23}, {"stratum": 0}, {"stratum": 16}, {"echo": False}])
def test_what_is_no_answer_of_a_synchronised_server_is_refused(
    ntp: Callable[..., str], wrong: dict[str, int]
) -> None:
    with pytest.raises(StorageError, match="gave no time"):
        offset_s(ntp(lambda asked, now: packet(asked, now, **wrong)))  # type: ignore[arg-type]


def test_http_tells_it_to_a_second() -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response_only(200)
            self.send_header("Date", format_datetime(datetime.now(UTC) - timedelta(seconds=30), usegmt=True))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    assert offset_s(f"http://127.0.0.1:{server.server_port}") == pytest.approx(-30.0, abs=0.8)
    server.shutdown()
    server.server_close()
    assert not checkup.clock_by_source("ntp://x", -30.0).good and checkup.clock_by_source("ntp://x", 1.0).good
    for wrong in ("time", "ftp://x", "ntp://"):
        with pytest.raises(UsageError):
            offset_s(wrong)


def test_a_log_that_begins_after_what_it_tells_of_was_replaced() -> None:
    assert checkup.beginning("ledger", NOW, "the first bytes", NOW + 1).good
    assert checkup.beginning("ledger", NOW + HOUR_US, "the first bytes", 0).good
    assert checkup.beginning("ledger", 0, "the first bytes", NOW).good
    told = checkup.beginning("ledger", NOW + HOUR_US, "the first bytes", NOW)
    assert not told.good and "was replaced" in told.text
