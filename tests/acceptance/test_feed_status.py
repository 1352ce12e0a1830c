"""What the status says of feeds that are in trouble, of a real node that runs."""

import json
import os
import signal
import socket
import time
import urllib.request

GOOD = b"!AIVDM,1,1,,A,13u?etPv2;0n:dDPwUM1U1Cb069D,0*24\r\n"


def test_every_feed_in_trouble_has_its_sentence_and_garbage_costs_nothing(shiprider, spawn, tmp_path):  # type: ignore[no-untyped-def]
    folder = tmp_path / "node"
    watched = tmp_path / "watched"
    watched.mkdir()
    (watched / "picture.nmea").write_bytes(b"%PDF-1.7 no recording\n")
    assert shiprider("init", folder).code == 0
    server = socket.create_server(("127.0.0.1", 0))
    closed = socket.create_server(("127.0.0.1", 0))
    refusing = closed.getsockname()[1]
    closed.close()
    with (folder / "shiprider.toml").open("a") as settings:
        settings.write(
            f'[[feeds]]\nname = "garbage"\nkind = "tcp"\nport = {server.getsockname()[1]}\n'
            f'[[feeds]]\nname = "refused"\nkind = "tcp"\nport = {refusing}\n'
            '[[feeds]]\nname = "gone"\nkind = "file"\npath = "nowhere.nmea"\n'
            f'[[feeds]]\nname = "drop"\nkind = "folder"\npath = "{watched}"\n'
        )
    process = spawn("run", folder, "--port", "0", "--json")
    base = json.loads(process.stdout.readline())["url"].rstrip("/")
    token = json.loads((folder / "node.address").read_text())["token"]

    def status():  # type: ignore[no-untyped-def]
        asked = urllib.request.Request(f"{base}/api/v1/status", headers={"Authorization": f"Bearer {token}"})
        return json.load(urllib.request.urlopen(asked, timeout=20))

    line, _ = server.accept()
    line.sendall(b"hello, this is no AIS\r\n")
    time.sleep(0.5)
    for number in range(300):
        line.sendall(os.urandom(500).replace(b"!", b"?") + b"\na,b,c,%d\r\n" % number)
    line.sendall(GOOD)
    end = time.monotonic() + 60
    told = status()
    while time.monotonic() < end and (
        told["counts"]["observations"] < 1 or not any("PDF" in notice for notice in told["notices"])
    ):
        time.sleep(0.2)
        told = status()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    server.close()
    line.close()
    feeds = {feed["name"]: feed for feed in told["feeds"]}
    assert told["counts"]["observations"] == 1
    assert told["counts"]["quarantine"] == 0
    assert feeds["garbage"]["state"] == "live"
    assert f"127.0.0.1:{refusing} cannot be reached" in feeds["refused"]["text"]
    assert any("PDF" in notice for notice in told["notices"])
    assert any("nowhere.nmea is not there" in notice for notice in told["notices"])
    assert "nowhere.nmea is not there" in err
    assert process.returncode == 0, err
    assert "Traceback" not in err
