"""The routes of partners: introduced and confirmed by two people, what each was sent, what is taken back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from beside import LABEL, Two, beside
from shiprider.model.introduction import fingerprint
from shiprider.model.label import written


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    with beside(tmp_path / "node") as made:
        yield made


def test_a_partner_is_introduced_by_one_and_confirmed_by_another(two: Two) -> None:
    told = two.usa.introduction()
    file = msgspec.json.encode(told).decode()
    assert two.ask("watch", "POST", "/partners", {"file": file}).status_code == 403
    altered = file.replace('"USA"', '"CUB"', 1)
    refused = two.ask("liaison", "POST", "/partners", {"file": altered})
    assert refused.status_code == 400 and "altered" in refused.json()["message"]
    assert two.ask("liaison", "POST", "/partners", {"file": file, "place": "nowhere"}).status_code == 400
    seen = two.ask("liaison", "POST", "/partners", {"file": file}).json()
    assert seen["state"] == "introduced" and seen["fingerprint"] == fingerprint(told)
    body = {
        "expected_revision": 1,
        "fingerprint": fingerprint(told),
        "clearance": "SECRET",
        "purposes": ["watch"],
    }
    path = f"/partners/{seen['id']}/confirm"
    assert two.ask("liaison", "POST", path, body).status_code == 403, "he introduced it"
    assert two.ask("admin", "POST", path, body).status_code == 403, "who runs the node confirms nobody"
    wrong = two.ask("legal", "POST", path, {**body, "fingerprint": "1" * 30})
    assert wrong.status_code == 400 and "fingerprint" in wrong.json()["message"]
    assert two.ask("legal", "POST", path, {**body, "expected_revision": 2}).status_code == 409
    assert two.ask("legal", "POST", path, {**body, "purposes": ["gossip"]}).status_code == 400
    assert two.ask("legal", "POST", path, body).json()["state"] == "confirmed"
    (listed,) = two.ask("admin", "GET", "/partners").json()["partners"]
    assert (listed["introduced_by"], listed["confirmed_by"], listed["link"]) == ("Liaison", "Legal", None)
    why = {"expected_revision": 2, "why": "their node was taken over"}
    ended = two.ask("liaison", "POST", f"/partners/{seen['id']}/end", why)
    assert ended.json()["state"] == "revoked"
    log = two.ask("auditor", "GET", "/audit/entries").json()["entries"]
    whats = [each["what"] for each in log if each["outcome"] == "allowed"]
    assert {"introduce a partner", "confirm a partner", "revoke a partner"} <= set(whats)


def test_own_introduction_is_what_a_partner_takes(two: Two) -> None:
    mine = two.ask("liaison", "GET", "/partners/own").json()
    from shiprider.adapters.keys.files import ed25519_signed
    from shiprider.flow.exchange.partners import read_introduction

    told = read_introduction(mine["file"].encode(), ed25519_signed)
    assert fingerprint(told) == mine["fingerprint"] and told.nation == "COL"
    assert two.ask("watch", "GET", "/partners/own").status_code == 403


def test_who_has_a_record_and_taking_it_back(two: Two) -> None:
    partner = two.meet()
    alert = two.labelled_alert()
    before = two.ask("watch", "GET", f"/partners/of/alert/{alert}").json()
    (line,) = before["partners"]
    assert before["is_ours"] and line["allowed"] and line["sent_us"] is None
    (listed,) = two.ask("watch", "GET", "/partners").json()["partners"]
    assert listed["waiting"] == 1
    body = {"kind": "alert", "id": alert, "reason": "retracted", "why": "the radar was miscalibrated"}
    nothing = two.ask("liaison", "POST", "/recalls", body)
    assert nothing.status_code == 400 and "never sent" in nothing.json()["message"]
    two.carry()
    (line,) = two.ask("watch", "GET", f"/partners/of/alert/{alert}").json()["partners"]
    assert line["sent_us"] is not None and line["recall"] is None
    page = two.ask("watch", "GET", f"/partners/{partner['id']}/shared").json()
    assert [(each["kind"], each["id"]) for each in page["items"]] == [("alert", alert)]
    assert two.usa.ledger.latest(alert).body is not None
    assert two.ask("watch", "POST", "/recalls", body).status_code == 403
    (ordered,) = two.ask("liaison", "POST", "/recalls", body).json()["recalls"]
    assert (ordered["sent_us"], ordered["answered_us"], ordered["ordered_by"]) == (None, None, "Liaison")
    two.carry()
    (standing,) = two.ask("watch", "GET", "/recalls").json()["recalls"]
    assert standing["sent_us"] and standing["answered_us"] and standing["partner"] == "usa"
    assert two.usa.ledger.latest(alert).body is None
    # What was retracted is not sent again with the next revision.
    two.floor.opened.ledger.append([_next_revision(two.floor.opened.ledger.latest(alert))])
    two.carry()
    assert two.usa.ledger.latest(alert).body is None
    assert two.ask("admin", "GET", "/recalls").status_code == 403


def test_nothing_of_what_he_may_not_read_is_listed_or_counted(two: Two) -> None:
    partner = two.meet()
    alert = two.labelled_alert()
    two.floor.add("guest", "watch_officer", clearance="UNCLASSIFIED")
    two.carry()
    two.ask(
        "liaison",
        "POST",
        "/recalls",
        {"kind": "alert", "id": alert, "reason": "corrected", "why": "the name was wrong"},
    )
    assert two.ask("guest", "GET", f"/partners/{partner['id']}/shared").json()["items"] == []
    assert two.ask("guest", "GET", "/recalls").json()["recalls"] == []
    # He sees the revision of before the label, which nobody was sent.
    (line,) = two.ask("guest", "GET", f"/partners/of/alert/{alert}").json()["partners"]
    assert (line["sent_us"], line["recall"]) == (None, None)
    (seen,) = two.ask("guest", "GET", "/partners").json()["partners"]
    assert seen["waiting"] == 0


def test_pages_of_what_was_sent(two: Two) -> None:
    partner = two.meet()
    for number in range(7):
        two.usa.count = number
        note = two.usa.note(written(LABEL).text, f"note {number}")
        two.floor.opened.ledger.append([_own_note(note, number)])
    two.carry()
    listed: list[str] = []
    cursor = ""
    while True:
        page = two.ask("watch", "GET", f"/partners/{partner['id']}/shared?limit=3&cursor={cursor}").json()
        listed += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert listed == [f"{number:032x}" for number in reversed(range(1, 8))]
    wrong = two.ask("watch", "GET", f"/partners/{partner['id']}/shared?cursor=nothing")
    assert wrong.status_code == 400


def test_what_a_partner_took_back_from_us(two: Two) -> None:
    two.meet()
    note = two.usa.note(written(LABEL).text, "a boat")
    two.carry()
    assert two.ask("watch", "GET", "/recalls/of-partners").json()["withdrawn"] == []
    home_only = written("policy=COALITION class=RESTRICTED rel=nations:USA").text
    two.usa.note(home_only, "a boat", id_=note.id, revision=1)
    two.carry()
    (gone,) = two.ask("watch", "GET", "/recalls/of-partners").json()["withdrawn"]
    assert (gone["partner"], gone["record"], gone["reason"]) == ("usa", note.id, "narrowed")


def _next_revision(record: Any) -> Any:
    from shiprider.model.record import Draft

    return Draft(
        id=record.id, kind=record.kind, expected_revision=record.revision, schema=record.schema, author="Watch",
        valid_from_us=record.valid_from_us, valid_to_us=record.valid_to_us, label=record.label, body=record.body,
    )  # fmt: skip


def _own_note(note: Any, number: int) -> Any:
    from shiprider.model.record import Draft

    return Draft(
        id=f"{number + 1:032x}", kind="note", expected_revision=0, schema=1, author="Watch",
        valid_from_us=note.valid_from_us, label=note.label, body=note.body,
    )  # fmt: skip
