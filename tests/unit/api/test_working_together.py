"""Requests, chat, timelines, acknowledgements and adopted orders over HTTP, with a partner's node behind them."""

from collections.abc import Iterator
from typing import Any

import pytest

from coalition import TO_USA
from partnered import Partnered, partnered
from shiprider.flow.working.acknowledging import Acknowledging
from shiprider.flow.working.chat import Chat, Room
from shiprider.flow.working.requests import Requests
from shiprider.model.orders import Watchlist, WatchlistEntry
from shiprider.model.record import Draft
from shiprider.model.wording import Wording
from shiprider.ports.ledger import Filed

API = "/api/v1"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partnered]:
    with partnered(tmp_path_factory.mktemp("pair"), data=True) as made:
        made.floor.add("liaison", "liaison_officer", clearance="secret", cases=("K-7",))
        made.floor.add("watch", "watch_officer", clearance="secret", cases=("K-7",))
        made.floor.add("outside", "watch_officer", clearance="secret")
        made.floor.add("guest", "liaison_officer", clearance="secret", nation="NLD")
        yield made


def asked(pair: Partnered, **more: Any) -> dict[str, Any]:
    body = {"to": ["usa"], "question": {"text": "Who owns it?"}, **more}
    answer = pair.floor.client("liaison").post(f"{API}/requests", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_a_request_is_asked_answered_and_closed(pair: Partnered) -> None:
    liaison = pair.floor.client("liaison")
    fixed = {"template": "is_it_yours", "arguments": {"vessel": 235000001}, "language": "es"}
    made = asked(pair, question=fixed, urgency="immediate", subject_kind="vessel", subject="235000001")
    assert made["number"] == f"COL-{made['id'][:6].upper()}"
    assert made["question"] == {
        "text": "Do you confirm that 235000001 (GBR) flies your flag?", "language": "en", "template": "is_it_yours",
        "sent_text": "¿Confirman que 235000001 enarbola su pabellón?", "sent_language": "es",
    }  # fmt: skip
    assert made["marking"]["banner"] == "RESTRICTED // REL TO COL, USA"
    assert (made["direction"], made["waits"], made["may_end"], made["may_answer"]) == (
        "asked_by_us",
        True,
        True,
        False,
    )
    pair.exchange()
    said = Wording(text="Es nuestro.", language="es")
    Requests(pair.usa.pen()).answer(made["id"], "answered", said, author="Bo Lee")
    pair.exchange()
    now = liaison.get(f"{API}/requests/{made['id']}", params={"words": "nl", "lang": "es"}).json()
    assert now["question"]["text"] == "Bevestigt u dat 235000001 (GBR) onder uw vlag vaart?"
    assert (now["waits"], now["answers"][0]["said"]["language"]) == (False, "es")
    assert now["addressed"][0]["reply_text"] == "respondida" and now["addressed"][0]["took_us"] > 0
    ended = liaison.post(f"{API}/requests/{made['id']}/end", json={"expected_revision": 1, "state": "closed"})
    assert (ended.status_code, ended.json()["state"], ended.json()["may_end"]) == (201, "closed", False)
    again = liaison.post(f"{API}/requests/{made['id']}/end", json={"expected_revision": 2, "state": "closed"})
    assert (again.status_code, again.json()["error"]) == (409, "conflict")
    (times,) = liaison.get(f"{API}/answer-times").json()["times"]
    assert (times["node"], times["answered"]) == ("usa", 1) and times["median_us"] == now["addressed"][0][
        "took_us"
    ]


def test_lists_are_filtered_paged_and_the_same_for_everybody_who_sees_them(pair: Partnered) -> None:
    liaison = pair.floor.client("liaison")
    first, second = asked(pair), asked(pair, wanted_us=2**52)
    waiting = liaison.get(f"{API}/requests", params={"direction": "asked_by_us", "stands": "waiting"}).json()
    assert [each["id"] for each in waiting["requests"]][:2] == [second["id"], first["id"]]
    page = liaison.get(f"{API}/requests", params={"stands": "waiting", "limit": 1}).json()
    rest = liaison.get(
        f"{API}/requests", params={"stands": "waiting", "limit": 1, "cursor": page["next_cursor"]}
    ).json()
    assert [page["requests"][0]["id"], rest["requests"][0]["id"]] == [second["id"], first["id"]]
    assert liaison.get(f"{API}/requests", params={"stands": "lost"}).status_code == 400
    assert liaison.get(f"{API}/requests", params={"cursor": "f" * 32}).status_code == 400
    guest = pair.floor.client("guest")
    assert guest.get(f"{API}/requests").json()["total"] == 0
    assert guest.get(f"{API}/correspondents").json() == {"partners": []}
    assert guest.get(f"{API}/answer-times").json()["times"] == []
    assert guest.get(f"{API}/requests/{first['id']}").status_code == 404


def test_what_cannot_go_is_refused_in_one_sentence_and_nothing_is_written(pair: Partnered) -> None:
    liaison, head = pair.floor.client("liaison"), pair.ledger.head()
    (alert,) = liaison.get(f"{API}/alerts").json()["alerts"]
    for more, status, word in (
        ({"subject_kind": "alert", "subject": alert["id"]}, 403, "does not let usa read this request"),
        ({"to": ["per"]}, 400, "no confirmed partner"),
        ({"question": {"text": " "}}, 400, "empty"),
        ({"question": {"template": "who_is"}}, 400, "filled with vessel"),
        ({"question": {"template": "who_is", "text": "x", "arguments": {"vessel": 5}}}, 400, "Leave the text out"),
        ({"label": "class=SECRET"}, 400, "no policy"),
        ({"wanted_us": 1}, 400, "has passed"),
        ({"agreement": "no name,at all"}, 400, "is no name"),
        ({"agreement": "x|tlp=CLEAR"}, 400, "is no name"),
        ({"agreement": "unknown"}, 403, "does not let usa"),
        ({"case": "K\0"}, 403, ""),
        ({"subject_kind": "case", "subject": "a\nb"}, 400, "printable"),
        ({"subject_kind": "vessel", "subject": "-1"}, 400, "MMSI"),
        ({"subject_kind": "area", "subject": "' OR 1=1"}, 404, "no area"),
        ({"classification": "COSY"}, 400, ""),
        ({"to": []}, 400, ""),
    ):  # fmt: skip
        body = {"to": ["usa"], "question": {"text": "Who?"}, **more}
        answer = liaison.post(f"{API}/requests", json=body)
        assert (answer.status_code, word in answer.text) == (status, True), (more, answer.text)
    assert pair.ledger.head() == head


def test_chat_on_a_case(pair: Partnered) -> None:
    watch = pair.floor.client("watch")
    body = {"room_kind": "case", "room": "K-7", "said": {"text": "Fog."}, "to": ["usa"]}
    made = watch.post(f"{API}/chat", json=body)
    assert made.status_code == 201, made.text
    pair.exchange()
    call = Wording(text="Please call our watch floor.", template="call_us")
    Chat(pair.usa.pen(cases=("K-7",))).say(
        Room("case", "K-7"), call, author="Bo Lee", reply_to=made.json()["id"]
    )
    pair.exchange()
    found = watch.get(f"{API}/chat", params={"room_kind": "case", "room": "K-7", "words": "fr"}).json()
    newest, first = found["messages"]
    assert (newest["said"]["text"], newest["said"]["language"]) == (
        "Veuillez appeler notre salle de veille.",
        "fr",
    )
    assert (newest["node"], newest["reply_to"], newest["reply_text"]) == ("usa", first["id"], "Fog.")
    outside = pair.floor.client("outside")
    assert outside.get(f"{API}/chat", params={"room_kind": "case", "room": "K-7"}).json()["messages"] == []
    assert outside.post(f"{API}/chat", json=body).status_code == 403
    assert outside.get(f"{API}/cases").json()["cases"] == []
    (partner,) = outside.get(f"{API}/correspondents").json()["partners"]
    assert partner["cases"] == []
    (partner,) = watch.get(f"{API}/correspondents").json()["partners"]
    assert partner == {"node": "usa", "name": "USA", "nation": "USA", "organisation": "", "cases": ["K-7"]}
    (case,) = watch.get(f"{API}/cases").json()["cases"]
    assert case == {"name": "K-7", "nodes": ["col", "usa"], "partners": ["usa"]}


def test_the_timeline_of_the_case_page_by_page(pair: Partnered) -> None:
    watch = pair.floor.client("watch")
    whole = watch.get(f"{API}/timeline", params={"case": "K-7"}).json()
    assert {each["node"] for each in whole["events"]} == {"col", "usa"}
    assert [each["valid_us"] for each in whole["events"]] == sorted(
        (each["valid_us"] for each in whole["events"]), reverse=True
    )
    assert whole["events"][-1]["text"] == "Fog." and whole["events"][-1]["kind_text"] == "message"
    found, cursor = [], ""
    while True:
        page = watch.get(f"{API}/timeline", params={"case": "K-7", "limit": 1, "cursor": cursor}).json()
        found += page["events"]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert found == whole["events"]
    assert watch.get(f"{API}/timeline", params={"case": "K-7", "cursor": "x"}).status_code == 400
    nothing = pair.floor.client("outside").get(f"{API}/timeline", params={"case": "K-7"}).json()
    none = pair.floor.client("outside").get(f"{API}/timeline", params={"case": "K-9"}).json()
    assert nothing == {**none, "case": "K-7"} and nothing["events"] == []


def test_an_alert_is_seen_on_two_floors(pair: Partnered) -> None:
    watch = pair.floor.client("watch")
    (alert,) = watch.get(f"{API}/alerts").json()["alerts"]
    stored = pair.ledger.latest(alert["id"])
    place = f"{API}/alerts/{alert['id']}"
    before = watch.get(f"{place}/acknowledgements").json()
    assert before == {"acknowledgements": [], "waiting": [], "may_acknowledge": True}, (
        "it is released to nobody"
    )
    draft = Draft(
        id=stored.id, kind="alert", expected_revision=stored.revision, schema=1, author="Ana Ruiz",
        valid_from_us=stored.valid_from_us, label=TO_USA, body=stored.body or b"",
    )  # fmt: skip
    pair.ledger.append([Filed(draft=draft)])
    assert watch.get(f"{place}/acknowledgements").json()["waiting"] == ["usa"]
    pair.exchange()
    Acknowledging(pair.usa.pen()).acknowledge(alert["id"], author="Bo Lee")
    pair.exchange()
    mine = watch.post(f"{place}/acknowledge", json={"text": "Looking."})
    assert mine.status_code == 201, mine.text
    found = mine.json()
    assert [(e["node"], e["author"], e["on_watch"], e["current"]) for e in found["acknowledgements"]] == [
        ("usa", "Bo Lee", True, True), ("col", "Watch", True, True),
    ]  # fmt: skip
    assert (found["waiting"], found["may_acknowledge"]) == ([], False)
    assert watch.post(f"{place}/acknowledge", json={}).status_code == 409
    assert pair.floor.client("guest").get(f"{place}/acknowledgements").status_code == 404


def test_a_partners_watchlist_is_adopted_and_let_go(pair: Partnered) -> None:
    body = Watchlist(name="PATROL", entries=(WatchlistEntry(mmsi=235000001),))
    order = pair.usa.record("watchlist", body, TO_USA)
    pair.exchange()
    watch = pair.floor.client("watch")
    (offered,) = watch.get(f"{API}/adoptions").json()["orders"]
    assert (offered["node"], offered["name"], offered["size"], offered["state"]) == (
        "usa",
        "PATROL",
        1,
        "offered",
    )
    taken = {"order": order.id, "kind": "watchlist", "digest": offered["digest"], "mode": "pin"}
    assert pair.floor.client("liaison").post(f"{API}/adoptions", json=taken).status_code == 403
    wrong = {**taken, "digest": "0" * 64}
    assert watch.post(f"{API}/adoptions", json=wrong).status_code == 409
    (now,) = watch.post(f"{API}/adoptions", json=taken).json()["orders"]
    assert (now["state"], now["adopted_by"]) == ("pinned", "Watch")
    (given,) = pair.floor.opened.node.stores.given().watchlist
    assert given.list_name == f"PATROL (usa {order.id[:8]})"
    place = f"{API}/adoptions/{now['adoption']}/end"
    assert watch.post(place, json={"expected_revision": 2}).status_code == 409
    (ended,) = watch.post(place, json={"expected_revision": now["adoption_revision"]}).json()["orders"]
    assert ended["state"] == "ended" and pair.floor.opened.node.stores.given().watchlist == ()


def test_fixed_messages_are_listed_in_the_readers_language(pair: Partnered) -> None:
    watch = pair.floor.client("watch")
    listed = watch.get(f"{API}/fixed-messages", params={"use": "chat", "words": "pt"}).json()
    assert listed["language"] == "pt"
    arrives = next(each for each in listed["messages"] if each["template"] == "arrives")
    assert arrives["text"] == "A nossa unidade chega a {place} às {at}."
    assert arrives["arguments"] == [{"name": "place", "type": "place"}, {"name": "at", "type": "time"}]
    spanish = watch.get(f"{API}/fixed-messages", params={"use": "answer", "lang": "es"}).json()
    assert spanish["language"] == "es"


def test_what_is_read_is_in_the_access_log(pair: Partnered) -> None:
    made = asked(pair)
    pair.floor.client("liaison").get(f"{API}/requests/{made['id']}")
    pair.floor.client("watch").get(f"{API}/timeline", params={"case": "K-7"})
    entries = [each for _, each in pair.floor.opened.access_log.since(0, limit=10_000)]
    told = [(each.what, made["id"] in each.objects) for each in entries]
    assert ("GET /api/v1/requests/{request_id}", True) in told
    timeline = [each for each in entries if each.what == "GET /api/v1/timeline" and each.who == "watch"]
    assert 'case="K-7"' in timeline[-1].asked and timeline[-1].objects
