"""The auditor's routes and the metrics: who is answered, that asking is logged, what is in the answer."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx
import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.api.authorising import Asker
from shiprider.api.server import Server
from shiprider.bootstrap.care import metrics
from shiprider.cli.serving import site_of
from shiprider.flow.browsing import alarm_id
from shiprider.model.access_entry import AccessEntry
from shiprider.model.browsing import BrowsingAlarm
from shiprider.model.record import Draft
from shiprider.ports.ledger import Filed

START_US = 1_767_225_600_000_000


def given_roles(monkeypatch: pytest.MonkeyPatch, *roles: str) -> None:
    """Who asks has these."""
    observer = Asker.observer.fget
    assert observer is not None
    monkeypatch.setattr(Asker, "roles", property(lambda _: roles))
    monkeypatch.setattr(
        Asker, "observer", property(lambda asker: msgspec.structs.replace(observer(asker), roles=roles))
    )


@pytest.fixture
def asked(running: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """The node with its access log, asked by an auditor: the demo's person is given the role."""
    site = replace(running.site, audit=running.opened.audit, metrics=metrics(running.opened))
    given_roles(monkeypatch, "auditor")
    server = Server(site, host="127.0.0.1", port=0)
    server.start()
    headers = {"authorization": f"Bearer {server.token}", "x-officer": "inspector"}
    with httpx.Client(base_url=server.origin + "/api/v1", headers=headers, timeout=30) as client:
        yield client
    server.stop()


def made(number: int, **fields: Any) -> AccessEntry:
    given = {"at_us": START_US + number, "who": "officer 1", "session": "s", "act": "read", "what": "x",
             "outcome": "allowed", "objects": (f"{number:032x}",), "count": 1}  # fmt: skip
    return AccessEntry(**{**given, **fields})


def test_entries_by_person_object_time_and_outcome(running: Any, asked: httpx.Client) -> None:
    log = running.opened.access_log
    last = log.append(
        [made(n) for n in range(30)]
        + [
            made(40, act="export", purpose="case work", case="C-7"),
            made(41, outcome="denied", why="Forbidden"),
        ]
    )
    found = asked.get("/audit/entries", params={"who": "officer 1", "limit": 20}).json()
    assert [e["sequence"] for e in found["entries"]] == list(range(last, last - 20, -1))
    rest = asked.get(
        "/audit/entries", params={"who": "officer 1", "limit": 20, "cursor": found["next_cursor"]}
    )
    assert [e["sequence"] for e in rest.json()["entries"]] == list(range(last - 20, last - 32, -1))
    assert rest.json()["next_cursor"] == ""
    for query, count in (
        ({"object": f"{7:032x}"}, 1),
        ({"act": "export", "case": "C-7"}, 1),
        ({"outcome": "denied", "who": "officer 1"}, 1),
        ({"start_us": START_US + 10, "end_us": START_US + 20}, 10),
        ({"who": "nobody"}, 0),
    ):
        assert len(asked.get("/audit/entries", params=query).json()["entries"]) == count, query
    (person,) = asked.get("/audit/people", params={"who": "officer 1"}).json()["people"]
    assert person["acts"] == {"read": 31, "export": 1} and person["why"] == {"Forbidden": 1}
    assert (person["purposes"], person["cases"]) == ({"case work": 1}, {"C-7": 1})


def test_asking_is_itself_logged(running: Any, asked: httpx.Client) -> None:
    before = running.opened.access_log.head().sequence
    asked.get("/audit/entries", params={"who": "officer 1"})
    asked.get("/audit/people", params={"object": "abc"})
    entries = [e for _, e in running.opened.access_log.since(before)]
    assert [(e.who, e.act, e.what, e.outcome) for e in entries] == [
        ("program", "read", "audit entries who='officer 1'", "allowed"),
        ("program", "read", "audit people object_id='abc'", "allowed"),
    ]


@pytest.mark.parametrize("route", ["entries", "people", "alarms", "head", "check"])
def test_who_is_no_auditor_is_refused_and_the_refusal_is_logged(
    running: Any, asked: httpx.Client, monkeypatch: pytest.MonkeyPatch, route: str
) -> None:
    for roles in (("watch_officer",), ("node_administrator",), ()):
        given_roles(monkeypatch, *roles)
        before = running.opened.access_log.head().sequence
        answer = asked.get(f"/audit/{route}")
        assert answer.status_code == 403
        (entry,) = [e for _, e in running.opened.access_log.since(before)]
        assert entry.outcome == "denied"


def test_a_log_that_cannot_be_written_gives_no_answer(
    running: Any, asked: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shiprider.model.errors import DiskFull

    def full(_: Any) -> int:
        raise DiskFull("The disk is full: free space.")

    monkeypatch.setattr(running.opened.access_log, "append", full)
    assert asked.get("/audit/entries").status_code in (503, 507)


def test_alarms_in_words_and_the_head(running: Any, asked: httpx.Client) -> None:
    alarm = BrowsingAlarm(who="officer 1", role="watch_officer", sign="burst", from_us=START_US, to_us=START_US + 9,
                          sequence=3, count=30, usual=4.0, limit=22.0, objects=("a" * 32,))  # fmt: skip
    ledger: SqliteLedger = running.opened.ledger
    draft = Draft(id=alarm_id(alarm), kind="browsing_alarm", expected_revision=0, schema=1, author="node",
                  valid_from_us=START_US, body=msgspec.json.encode(alarm))  # fmt: skip
    ledger.append([Filed(draft=draft, terms=("who:officer 1",))])
    for language, words in (("en", "opened 30 objects"), ("es", "abrió 30 objetos")):
        (told,) = asked.get("/audit/alarms", params={"lang": language, "who": "officer 1"}).json()["alarms"]
        assert words in told["text"] and told["objects"] == ["a" * 32]
    head = asked.get("/audit/head").json()
    checked = asked.get("/audit/check").json()
    assert checked["sequence"] > head["sequence"] - 5 and len(head["hash"]) == 64
    assert head["segments"][-1]["closed"] is False
    assert asked.get("/audit/entries", params={"cursor": "x"}).status_code == 400


def test_metrics_are_prometheus_text_and_name_no_person(
    running: Any, asked: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    running.opened.access_log.append([made(1), made(2, outcome="denied")])
    answer = asked.get("/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith(
        "text/plain; version=0.0.4"
    )
    found = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert found[("shiprider_observations_total",)] == 720 and found[("shiprider_decode_errors",)] == 1
    (feed,) = running.opened.node.status().feeds
    assert found[("shiprider_feed_messages_total", ("feed", feed.name))] == feed.messages
    assert found[("shiprider_feed_condition", ("condition", "done"), ("feed", feed.name))] == 1
    assert found[("shiprider_accesses_total", ("act", "read"), ("outcome", "denied"))] >= 1
    assert found[("shiprider_sessions",)] == 0, "a program with the token has none"
    assert found[("shiprider_ledger_records_total",)] == running.opened.ledger.head().sequence
    assert found[("shiprider_spool_bytes",)] > 1000
    for word in ("officer 1", "inspector", "SANTA RITA", "ABC1"):
        assert word not in answer.text


def test_metrics_count_the_sessions_that_are_open(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the server that is asked: two browsers come in, one of them signs out."""
    given_roles(monkeypatch, "node_administrator")
    server = Server(replace(running.site, metrics=metrics(running.opened)), host="127.0.0.1", port=0)
    server.start()
    headers = {"authorization": f"Bearer {server.token}"}

    def counted() -> float:
        answer = httpx.get(f"{server.origin}/api/v1/metrics", headers=headers, timeout=30)
        families = {family.name: family for family in text_string_to_metric_families(answer.text)}
        return families["shiprider_sessions"].samples[0].value

    browsers = [
        httpx.Client(base_url=server.origin, headers={"origin": server.origin}, timeout=30) for _ in "ab"
    ]
    try:
        assert counted() == 0
        for browser in browsers:
            assert browser.get("/", params={"token": server.token}).status_code == 303
        assert counted() == 2
        assert browsers[0].post("/api/v1/sign-out", json={}).status_code < 300
        assert counted() == 1
    finally:
        for browser in browsers:
            browser.close()
        server.stop()


def test_a_served_node_is_measured(running: Any) -> None:
    """What `shiprider run` hands its server."""
    site = site_of(running.opened, running.site.access)
    assert site.metrics is not None and b"shiprider_sessions 7.0" in site.metrics(7)


def test_metrics_are_for_auditors_and_administrators(
    running: Any, asked: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    for roles, status in ((("watch_officer",), 403), (("node_administrator",), 200), (("auditor",), 200)):
        given_roles(monkeypatch, *roles)
        assert asked.get("/metrics").status_code == status


def test_a_node_without_an_access_log_says_so(running: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    given_roles(monkeypatch, "auditor")
    assert running.client.get("/api/v1/audit/entries").status_code == 404
    assert running.client.get("/api/v1/metrics").status_code == 404
