"""Every route over real HTTP on a real node: what a watch officer asks, down to the raw sentence."""

import hashlib
from typing import Any

import pytest
from pyais import decode as pyais_decode

Running = Any

#: What `conftest.nmea` says.
START_S = 1_700_000_000 // 3600 * 3600
MEETING, PASSING, XSS = (235000001, 235000002), 338000003, "<IMG SRC=X ONERROR="


def alert_of(running: Running, mmsi: int = MEETING[0]) -> dict:  # type: ignore[type-arg]
    page = running.get("/alerts", mmsi=mmsi, state="new,taken,dismissed,escalated,merged").json()
    assert page["total"] >= 1
    return page["alerts"][0]


def test_the_meeting_is_one_alert_with_its_reason_in_two_languages(running: Running) -> None:
    alert = alert_of(running)
    assert [v["mmsi"] for v in alert["participants"]] == list(MEETING)
    assert alert["behaviour"] == "encounter" and len(alert["findings"]) == 2
    # The sentence calls each vessel by name, class and flag, as far as it gave them.
    for vessel in alert["participants"]:
        particulars = ", ".join(
            part for part in (vessel["ship_type_text"] if vessel["ship_type"] else "", vessel["flag"]) if part
        )
        called = vessel["name"] or f"{vessel['mmsi']:09d}"
        assert f"{called} ({particulars})" in alert["reason"]
    spanish = running.get(
        "/alerts", mmsi=MEETING[0], lang="es", state="new,taken,dismissed,escalated,merged"
    ).json()
    assert spanish["alerts"][0]["reason"] != alert["reason"]
    assert spanish["alerts"][0]["behaviour_text"] == "encuentro"
    accepted = running.client.get(
        f"/api/v1/alerts/{alert['id']}", headers={"accept-language": "fr, es;q=0.8, en;q=0.5"}
    )
    assert accepted.json()["alert"]["behaviour_text"] == "encuentro"


def test_an_alert_opens_down_to_the_raw_sentence(running: Running) -> None:
    """Alert → finding → evidence → observation → sentence; the sentence decoded by pyais gives the same numbers."""
    detail = running.get(f"/alerts/{alert_of(running)['id']}").json()
    raws = [raw for each in detail["finding"]["evidence"] for raw in each["raws"]]
    assert raws
    for raw in (raws[0], raws[-1]):
        seen = running.get(f"/observations/{raw}").json()
        (sentence,) = seen["sentences"]
        message = pyais_decode(sentence["text"].split("\\")[-1].encode())
        assert seen["mmsi"] == message.mmsi
        assert seen["fields"]["latitude_deg"] == pytest.approx(message.lat, abs=1e-6)
        assert seen["fields"]["speed_mps"] == pytest.approx(message.speed * 1852 / 3600, rel=1e-5)
        assert seen["message"]["lat"] == pytest.approx(message.lat, abs=1e-6)
        assert seen["nature"] == "declared" and seen["receiver"].endswith("COAST1")
        stored = (running.opened.folder / "day.nmea").read_bytes()
        assert stored[sentence["file_offset"] :].startswith(sentence["text"].encode())
        assert len(sentence["sha256"]) == 64 and sentence["file"].endswith("day.nmea")
        assert hashlib.sha256(sentence["text"].encode()).hexdigest() == sentence["sha256"]


def test_vessels_are_found_by_name_mmsi_imo_and_callsign(running: Running) -> None:
    for text, matched in (("rita", "name"), ("2350000", "mmsi"), ("90747", "imo"), ("abc", "callsign")):
        hits = running.get("/vessels", q=text).json()["vessels"]
        assert [h["matched"] for h in hits if h["vessel"]["mmsi"] == MEETING[0]] == [matched]
    assert running.get("/vessels", q="NOBODY").json() == {"vessels": []}


def test_one_vessel_with_all_that_is_known(running: Running) -> None:
    vessel = running.get(f"/vessels/{MEETING[0]}").json()
    assert vessel["vessel"] == {
        "mmsi": MEETING[0], "name": "SANTA RITA", "ship_type": 30, "ship_type_text": "fishing", "flag": "GBR",
    }  # fmt: skip
    assert vessel["observations"] == 240
    (static,) = vessel["static"]
    assert (static["imo"], static["imo_valid"], static["callsign"], static["length_m"]) == (
        9074729,
        True,
        "ABC1",
        30,
    )
    assert static["destination"] == "CARTAGENA"
    assert (vessel["first_heard_us"], vessel["last_heard_us"]) == (START_S * 10**6, (START_S + 7170) * 10**6)
    assert len(vessel["findings"]) == 2
    multi = running.get(f"/observations/{static['raw']}").json()
    assert len(multi["sentences"]) == 2 and multi["message"]["shipname"] == "SANTA RITA"


def test_tracks_are_thinned_and_known_then(running: Running) -> None:
    span = {"start_us": START_S * 10**6, "end_us": (START_S + 7200) * 10**6}
    (track,) = running.get(f"/vessels/{PASSING}/tracks", **span, points=50).json()["tracks"]
    assert len(track["time_us"]) == 50 or not track["thinned"]
    assert track["time_us"] == sorted(track["time_us"])
    half = running.get(f"/vessels/{PASSING}/tracks", **span, known_us=(START_S + 3600) * 10**6).json()[
        "tracks"
    ][0]
    assert max(half["time_us"]) <= (START_S + 3600) * 10**6 < max(track["time_us"])
    assert running.get("/vessels/1/tracks").json() == {"tracks": []}


def test_the_picture_then_and_now(running: Running) -> None:
    at = (START_S + 3600) * 10**6
    for mode in ("then", "now"):
        picture = running.get("/picture", time_us=at, mode=mode).json()
        assert {v["mmsi"] for v in picture["vessels"]} == {*MEETING, PASSING}
        assert all(v["time_us"] <= at for v in picture["vessels"])
    boxed = running.get("/picture", time_us=at, bbox="-76,16.4,-74.6,17").json()
    assert [v["mmsi"] for v in boxed["vessels"]] == [PASSING]
    assert running.get("/picture", time_us=at, bbox="170,16,-170,17").json()["vessels"] == []
    assert running.get("/picture", time_us=(START_S - 3600) * 10**6).json()["total"] == 0


def test_status_quarantine_reception_and_names(running: Running) -> None:
    status = running.get("/status").json()
    assert status["counts"]["vessels"] == 3 and status["feeds"][0]["text"] == "read to its end"
    assert START_S * 10**6 < status["picture_us"] <= (START_S + 7170) * 10**6 and not status["simulated"]
    quarantine = running.get("/quarantine").json()
    assert quarantine["total"] == 1 and "rubbish" in quarantine["reasons"][0]["example"]
    reception = running.get("/reception", bbox="-80,10,-70,20").json()
    assert sum(c["received"] for c in reception["cells"]) > 0
    assert all(len(c["ring"]) >= 5 for c in reception["cells"])
    assert running.get("/reception", bbox="0,0,1,1").json()["cells"] == []
    coarse = running.get("/reception", resolution=2).json()
    assert sum(c["received"] for c in coarse["cells"]) == sum(
        c["received"] for c in running.get("/reception").json()["cells"]
    )
    names = running.get("/vessels/names", mmsi=f"{MEETING[0]},{MEETING[1]},5").json()["names"]
    assert names == {str(MEETING[0]): "SANTA RITA", str(MEETING[1]): XSS}


def test_the_life_of_an_alert_over_http(running: Running) -> None:
    alert = alert_of(running)
    path = f"/alerts/{alert['id']}"
    taken = running.post(f"{path}/take", {"expected_revision": alert["revision"], "text": "looking"}).json()
    assert (taken["state"], taken["holder"]) == ("taken", "Ana")
    stale = running.post(
        f"{path}/dismiss", {"expected_revision": alert["revision"], "reason": "known_vessel"}
    )
    assert stale.status_code == 409 and stale.json()["error"] == "conflict" and "Ana" in stale.json()["hint"]
    gone = running.post(
        f"{path}/dismiss", {"expected_revision": taken["revision"], "reason": "lawful_explained"}
    ).json()
    assert gone["state"] == "dismissed" and gone["dismissed_reason"] == "lawful_explained"
    assert alert["id"] not in [a["id"] for a in running.get("/alerts").json()["alerts"]]
    back = running.post(f"{path}/undo", {"expected_revision": gone["revision"]}).json()
    assert back["state"] == "taken"
    note = running.post(
        "/notes", {"subject_kind": "alert", "subject": alert["id"], "text": "agent called"}
    ).json()
    detail = running.get(path).json()
    kinds = [step["kind"] for step in detail["history"]]
    # The node is shared with other tests, which may have decided on this alert before.
    assert [k for k in kinds if k in ("taken", "dismissed", "undone")][-3:] == [
        "taken",
        "dismissed",
        "undone",
    ]
    assert [n["id"] for n in detail["notes"]] == [note["id"]]
    log = running.get("/watch-log").json()["entries"]
    assert [e["alert"] for e in log[:3]] == [alert["id"]] * 3
    running.post(f"{path}/reopen", {"expected_revision": back["revision"]})


def test_orders_logbook_and_handover_over_http(running: Running) -> None:
    ring = [[-76, 15], [-74, 15], [-74, 17], [-76, 17]]
    area = running.post("/areas", {"name": "Box", "ring": ring}).json()
    assert area["ring"][0] == area["ring"][-1]
    running.post(
        "/watchlists",
        {"name": "TOI", "entries": [{"mmsi": PASSING, "reason": "tip"}, {"name": "santa rita"}]},
    )
    assert running.get(f"/vessels/{PASSING}").json()["watchlists"] == ["TOI"]
    assert running.get(f"/vessels/{MEETING[0]}").json()["watchlists"] == ["TOI"]
    running.post("/legal-holds", {"case": "C-1", "reason": "seizure", "mmsi": [PASSING]})
    assert running.get("/legal-holds").json()["legal_holds"][0]["case"] == "C-1"
    settings = running.get("/settings").json()
    changed = running.client.put(
        "/api/v1/settings", json={"expected_revision": settings["revision"], "theme": "red"}
    )
    assert changed.json()["theme"] == "red"
    assert running.post("/watch-log", {"text": "fog from 0400"}).status_code == 201
    summary = running.get("/handover/summary").json()
    signed = running.post(
        "/handover",
        {"digest": summary["digest"], "to_us": summary["to_us"], "relieved_by": "Luis", "text": "quiet"},
    )
    assert signed.status_code == 201 and signed.json()["digest"] == summary["digest"]
    assert running.get("/handover").json()["handovers"][0]["relieved_by"] == "Luis"
    assert running.get("/calibration").json()["model"] == "prior"


def test_findings_pages_and_history(running: Running) -> None:
    page = running.get("/findings", limit=1).json()
    assert page["total"] == 2 and page["next_cursor"]
    rest = running.get("/findings", limit=1, cursor=page["next_cursor"]).json()
    assert rest["findings"][0]["id"] != page["findings"][0]["id"]
    one = page["findings"][0]
    history = running.get(f"/findings/{one['id']}/history").json()
    assert [f["revision"] for f in history["findings"]] == list(range(1, one["revision"] + 1))
    assert running.get(f"/findings/{one['id']}", known_us=1).status_code == 404
    assert running.get("/findings", behaviour="gap").json()["total"] == 0


def test_what_a_vessel_says_is_data_and_never_markup(running: Running) -> None:
    """A name with a tag in it comes back as JSON text with `nosniff`; no answer of the API is HTML."""
    for path in (f"/vessels/{MEETING[1]}", f"/vessels?q={XSS}", "/alerts", "/findings"):
        answer = running.client.get(f"/api/v1{path}")
        assert answer.status_code == 200 and XSS in answer.text.replace("\\u003c", "<")
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["x-content-type-options"] == "nosniff"
    wrong = running.client.get("/api/v1/vessels/names?mmsi=<script>alert(1)</script>")
    assert wrong.status_code == 400 and wrong.headers["content-type"].startswith("application/json")
