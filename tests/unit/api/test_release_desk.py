"""The release desk over HTTP: who may agree to what, what is stale, what is hidden, what the log says.

Expected answers are written by hand from issue and docs/sharing.md: widening needs two people, narrowing one.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shiprider.bootstrap.policies import open_policies
from shiprider.flow.ids import new_id
from shiprider.model.label import written
from shiprider.model.note import Note
from shiprider.model.observer import Observer
from shiprider.model.proposals import TearLineProposal
from shiprider.model.record import Draft
from shiprider.model.release_class import ReleaseClass
from shiprider.model.tear_line import TearLine, TearLineLink
from shiprider.ports.ledger import Filed
from shiprider.share.tear_line import opens

RESTRICTED = "policy=COALITION class=RESTRICTED rel=nations:COL,USA"
HOMES = """schema = 1
node = "node"

[[homes]]
node = "node"
nation = "COL"
"""
AGREEMENT = """
[[agreements]]
id = "EXAMPLE-1"
title = "Invented"
from = 2020-01-01
source = "this test"
parties = [
  {{ name = "COL", nation = "COL", standings = [{{ from = 2020-01-01, status = "in_force" }}] }},
  {{ name = "USA", nation = "USA", standings = [{{ from = 2020-01-01, status = "in_force" }}] }},
]

[[agreements.sharing]]
id = "one"
shared_by = ["COL"]
shared_with = ["USA"]
kinds = [{kinds}]
purposes = ["counterdrug"]
highest = "{highest}"
onward = "never"
"""
WHY = "The arrangement binds us since today."


def rules(kinds: str = '"finding"', highest: str = "RESTRICTED") -> str:
    return HOMES + AGREEMENT.format(kinds=kinds, highest=highest)


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with people.floor(tmp_path_factory.mktemp("node")) as made:
        made.add("liaison", "liaison_officer", clearance="secret")
        made.add("legal", "legal_adviser", clearance="secret")
        made.add("analyst", "intelligence_analyst", clearance="secret")
        made.add("watch", "watch_officer", clearance="restricted")
        made.add("guest", "liaison_officer", nation="USA", clearance="secret")
        made.add("keeper", "node_administrator")
        made.add("auditor", "auditor")
        made.folder = tmp_path_factory.getbasetemp()
        yield made


def log(floor: Any) -> list[tuple[str, str, str]]:
    """(act, what, who) of all that was allowed."""
    entries = (entry for _, entry in floor.access.log.since(0, limit=10_000))
    return [(e.act, e.what, e.who) for e in entries if e.outcome == "allowed"]


def labelled(floor: Any, label: str) -> str:
    """A note under a label from its first revision on; its id."""
    (alert,) = floor.client("watch").get("/api/v1/alerts").json()["alerts"]
    body = msgspec.json.encode(Note(subject_kind="alert", subject=alert["id"], text="A note."))
    draft = Draft(
        id=new_id(), kind="note", expected_revision=0, schema=1, author="Watch", valid_from_us=1,
        label=written(label).text, body=body,
    )  # fmt: skip
    floor.opened.ledger.append([Filed(draft=draft, terms=(f"alert:{alert['id']}",))])
    return draft.id


def step(floor: Any, who: str, path: str, proposal: dict[str, Any], name: str) -> Any:
    body = {"expected_revision": proposal["revision"]}
    return floor.client(who).post(f"/api/v1/{path}/{proposal['id']}/{name}", json=body)


def usa_reads(floor: Any, label: str, kind: str) -> bool:
    """What the policy in force answers a liaison officer of the other nation."""
    officer = Observer(
        name="x", roles=("liaison_officer",), nation="USA", clearance="secret", purpose="counterdrug"
    )
    of = ReleaseClass(label=written(label).text, origin="node", kind=kind)
    return bool(floor.opened.policy_in_force().decide(officer, "read", [of], floor.access.clock())[0].allowed)


# -- policy ---------------------------------------------------------------------------------------


def test_a_wider_policy_takes_two_people_and_a_narrower_one_takes_one(floor: Any) -> None:
    labelled(floor, RESTRICTED)
    liaison = floor.client("liaison")
    made = liaison.post("/api/v1/policy/changes", json={"rules": rules(kinds='"note"'), "why": WHY})
    assert made.status_code == 201, made.text
    proposal = made.json()
    (line,) = [each for each in proposal["effect"]["released"] if each["count"]]
    assert (line["nation"], line["kind"], line["count"], line["purposes"]) == (
        "USA",
        "note",
        1,
        ["counterdrug"],
    )
    assert proposal["effect"]["people_needed"] == 2 and not proposal["may_agree"]

    assert step(floor, "liaison", "policy/changes", proposal, "agree").status_code == 403
    assert step(floor, "analyst", "policy/changes", proposal, "agree").status_code == 403
    assert not usa_reads(floor, RESTRICTED, "note")
    agreed = step(floor, "legal", "policy/changes", proposal, "agree")
    assert agreed.status_code == 200 and agreed.json()["decided_by"] == "Legal"
    assert usa_reads(floor, RESTRICTED, "note")
    assert step(floor, "legal", "policy/changes", agreed.json(), "agree").status_code == 409

    narrower = liaison.post("/api/v1/policy/changes", json={"rules": HOMES, "why": WHY}).json()
    assert narrower["effect"]["people_needed"] == 1 and narrower["effect"]["withheld"]
    assert step(floor, "liaison", "policy/changes", narrower, "agree").status_code == 200
    assert not usa_reads(floor, RESTRICTED, "note")
    whats = log(floor)
    for what, who in (
        ("propose policy", "liaison"),
        ("agree to policy", "legal"),
        ("agree to policy", "liaison"),
    ):
        assert ("policy", what, who) in whats


def test_a_door_that_opens_on_an_empty_room_takes_two_people(floor: Any) -> None:
    """No watchlist is labelled here at all: the rules alone are wider."""
    body = {"rules": rules(kinds='"watchlist"'), "why": WHY}
    proposal = floor.client("liaison").post("/api/v1/policy/changes", json=body).json()
    released = proposal["effect"]["released"]
    assert released and all(each["count"] in (0, None) for each in released)
    assert {each["kind"] for each in released} == {"watchlist"}
    assert step(floor, "liaison", "policy/changes", proposal, "agree").status_code == 403
    assert step(floor, "liaison", "policy/changes", proposal, "withdraw").json()["state"] == "withdrawn"


def test_what_would_release_more_than_was_shown_is_shown_again(floor: Any) -> None:
    body = {"rules": rules(kinds='"note"', highest="CONFIDENTIAL"), "why": WHY}
    proposal = floor.client("liaison").post("/api/v1/policy/changes", json=body).json()
    labelled(floor, RESTRICTED.replace("RESTRICTED", "CONFIDENTIAL"))
    refused = step(floor, "legal", "policy/changes", proposal, "agree")
    assert refused.status_code == 409 and "shown" in refused.json()["message"]
    (listed,) = [
        each
        for each in floor.client("legal").get("/api/v1/policy/changes").json()["changes"]
        if each["id"] == proposal["id"]
    ]
    assert listed["stale"] and not listed["may_agree"]
    again = step(floor, "legal", "policy/changes", proposal, "show-again").json()
    assert again["proposed_by"] == "Liaison" and again["revision"] == 2 and not again["stale"]
    # Who has looked at the first showing alone cannot agree to the second.
    assert step(floor, "legal", "policy/changes", proposal, "agree").status_code == 409
    # Whoever proposed it is still who did.
    assert step(floor, "liaison", "policy/changes", again, "agree").status_code == 403
    assert step(floor, "legal", "policy/changes", again, "agree").status_code == 200


def test_another_policy_in_the_meantime_makes_a_proposal_stale(floor: Any) -> None:
    liaison = floor.client("liaison")
    first = liaison.post("/api/v1/policy/changes", json={"rules": HOMES, "why": WHY}).json()
    second = liaison.post(
        "/api/v1/policy/changes", json={"rules": HOMES + "# a comment\n", "why": WHY}
    ).json()
    assert step(floor, "legal", "policy/changes", first, "agree").status_code == 200
    assert step(floor, "legal", "policy/changes", second, "agree").status_code == 409
    assert step(floor, "legal", "policy/changes", second, "refuse").json()["state"] == "refused"


def test_nobody_agrees_to_what_is_hidden_from_him(floor: Any) -> None:
    higher = RESTRICTED.replace("RESTRICTED", "SECRET")
    labelled(floor, higher)
    floor.add("cleared-less", "legal_adviser", clearance="restricted")
    body = {"rules": rules(kinds='"note"', highest="SECRET"), "why": WHY}
    proposal = floor.client("liaison").post("/api/v1/policy/changes", json=body).json()
    assert "SECRET" in {each["marking"]["level"] for each in proposal["effect"]["released"] if each["count"]}
    seen = floor.client("cleared-less").get("/api/v1/policy/changes").json()["changes"][0]
    assert seen["id"] == proposal["id"]
    counted = [each for each in seen["effect"]["released"] if each["count"]]
    assert all(each["marking"]["level"] not in ("SECRET", "CONFIDENTIAL") for each in counted)
    assert step(floor, "cleared-less", "policy/changes", proposal, "agree").status_code == 403
    assert step(floor, "liaison", "policy/changes", proposal, "withdraw").status_code == 200


def test_what_a_decider_is_shown_does_not_tell_what_is_hidden_from_him(floor: Any) -> None:
    """A record more that he may not see, under a label and for a purpose that nothing else has, changes no byte."""
    floor.add("cleared-low", "legal_adviser", clearance="restricted")
    low, text = floor.client("cleared-low"), rules(kinds='"note"', highest="SECRET")
    proposal = floor.client("liaison").post("/api/v1/policy/changes", json={"rules": text, "why": WHY}).json()

    def shown() -> tuple[bytes, bytes]:
        effect = low.post("/api/v1/policy/effect", json={"rules": text})
        return effect.content, low.get("/api/v1/policy/changes").content

    before = shown()
    for label in (
        "SECRET rel=nations:COL,USA",
        "SECRET rel=nations:COL,USA,HND purpose=counterdrug,planning",
    ):
        labelled(floor, f"policy=COALITION class={label}")
        assert shown() == before
    # Only the act tells: he would else agree to what he did not see (docs/decisions/0008).
    assert step(floor, "cleared-low", "policy/changes", proposal, "agree").status_code == 403
    assert step(floor, "liaison", "policy/changes", proposal, "withdraw").status_code == 200


def test_a_narrowing_is_not_told_to_whom_it_hides_the_record_from(floor: Any) -> None:
    note = labelled(floor, RESTRICTED)
    watch = floor.client("watch")
    before = watch.get("/api/v1/relabellings").content
    higher = RESTRICTED.replace("RESTRICTED", "SECRET")
    body = {"kind": "note", "id": note, "expected_revision": 1, "label": higher, "why": WHY}
    made = floor.client("liaison").post("/api/v1/relabellings", json=body)
    assert made.status_code == 201 and made.json()["state"] == "done", made.text
    assert made.json()["id"] in floor.client("liaison").get("/api/v1/relabellings").text
    assert watch.get("/api/v1/relabellings").content == before


def test_the_rules_are_the_nodes_own_peoples(floor: Any) -> None:
    guest = floor.client("guest")
    assert guest.get("/api/v1/policy").status_code == 404
    assert guest.get("/api/v1/policy/changes").status_code == 404
    assert guest.post("/api/v1/policy/changes", json={"rules": HOMES, "why": WHY}).status_code == 404
    assert floor.client("watch").get("/api/v1/policy").status_code == 200


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("schema = 1\nnode = ", "not valid TOML"),
        (rules().replace('node = "node"', 'node = "other"'), "this node is"),
        (rules(highest="SECRETISH"), "cannot be meant"),
    ],
)
def test_a_policy_that_cannot_be_meant_is_one_sentence(floor: Any, text: str, says: str) -> None:
    answer = floor.client("liaison").post("/api/v1/policy/changes", json={"rules": text, "why": WHY})
    assert answer.status_code == 400 and says in answer.json()["message"]


def test_the_newest_policy_in_force_is_the_nodes_after_a_restart(floor: Any) -> None:
    now = floor.opened.policies.now()
    again = open_policies(floor.opened.folder, floor.opened.settings, floor.opened.ledger).now()
    assert now.change and (again.change, again.text) == (now.change, now.text)
    assert again.policy.version == now.policy.version


def test_what_cannot_be_logged_does_not_happen(floor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from shiprider.model.errors import StorageError

    def fails(_: Any) -> None:
        raise StorageError("no room")

    proposal = (
        floor.client("liaison")
        .post("/api/v1/policy/changes", json={"rules": HOMES + "# again\n", "why": WHY})
        .json()
    )
    before = (floor.opened.ledger.head(), floor.opened.policies.now().digest)
    with monkeypatch.context() as patched:
        patched.setattr(floor.access.log, "append", fails)
        assert step(floor, "legal", "policy/changes", proposal, "agree").status_code == 503
    assert (floor.opened.ledger.head(), floor.opened.policies.now().digest) == before


# -- tear-lines -----------------------------------------------------------------------------------


def asked(floor: Any, **more: Any) -> dict[str, Any]:
    (alert,) = floor.client("watch").get("/api/v1/alerts").json()["alerts"]
    made = {"coarsen_position_deg": 0.5, "coarsen_time_s": 3600, "pseudonyms": True, "drop_source": True}
    return {
        "kind": "alert", "original": alert["id"], "recipient": "key-west", "label": RESTRICTED, "rules": made, **more
    }  # fmt: skip


def test_a_tear_line_is_made_by_two_people_and_bound_to_its_original(floor: Any) -> None:
    analyst, ledger = floor.client("analyst"), floor.opened.ledger
    shown = analyst.post("/api/v1/tear-lines/preview", json=asked(floor)).json()
    rows = {row["field"]: row for row in shown["rows"]}
    # 16.0008 N: its cell of half a degree begins at 16.0, so its centre is 16.25.
    assert rows["latitude_deg"]["released"] == "16.25" and rows["finding"]["released"] is None
    proposal = analyst.post("/api/v1/tear-lines", json=asked(floor, why=WHY)).json()
    assert proposal["preview"]["rows"] == shown["rows"]
    assert step(floor, "analyst", "tear-lines", proposal, "agree").status_code == 403
    done = step(floor, "legal", "tear-lines", proposal, "agree").json()
    assert done["state"] == "done"

    record = ledger.latest(done["tear_line"])
    body = json.loads(record.body)
    assert record.label == written(RESTRICTED).text
    original = ledger.latest(proposal["preview"]["original"])
    assert original.id not in record.body.decode() and original.digest not in record.body.decode()
    assert "235000001" not in record.body.decode() and body["content"]["latitude_deg"] == 16.25
    (link,) = [each for each in ledger.of_kind("tear_line_link") if done["tear_line"] in each.body.decode()]
    assert link.label == original.label
    assert opens(
        msgspec.json.decode(record.body, type=TearLine), msgspec.json.decode(link.body, type=TearLineLink)
    )
    ledger.verify()


def test_one_who_proposed_a_tear_line_does_not_make_it_though_he_may_release(floor: Any) -> None:
    proposal = floor.client("liaison").post("/api/v1/tear-lines", json=asked(floor, why=WHY)).json()
    answer = step(floor, "liaison", "tear-lines", proposal, "agree")
    assert answer.status_code == 403 and "second person" in answer.json()["hint"]
    assert step(floor, "liaison", "tear-lines", proposal, "withdraw").json()["state"] == "withdrawn"


def test_a_revised_original_and_a_delay_hold_a_tear_line_back(floor: Any) -> None:
    late = asked(floor, why=WHY)
    proposal = floor.client("analyst").post("/api/v1/tear-lines", json=late).json()
    revision = proposal["preview"]["original_revision"]
    floor.client("watch").post(
        f"/api/v1/alerts/{late['original']}/take", json={"expected_revision": revision}
    )
    answer = step(floor, "legal", "tear-lines", proposal, "agree")
    assert answer.status_code == 409 and "revised" in answer.json()["message"]
    assert step(floor, "legal", "tear-lines", proposal, "refuse").json()["state"] == "refused"


# -- labels ---------------------------------------------------------------------------------------


def test_a_tear_line_that_cannot_be_made_says_why_and_keeps_no_other_back(floor: Any) -> None:
    proposal = floor.client("analyst").post("/api/v1/tear-lines", json=asked(floor, why=WHY)).json()
    record = floor.opened.ledger.latest(proposal["id"])
    body = msgspec.json.decode(record.body, type=TearLineProposal)
    draft = Draft(
        id=new_id(), kind=record.kind, expected_revision=0, schema=1, author="Analyst", valid_from_us=1, label=record.label,
        body=msgspec.json.encode(msgspec.structs.replace(body, to="class=SECRET")),
    )  # fmt: skip
    floor.opened.ledger.append([draft])
    answer = floor.client("legal").get("/api/v1/tear-lines")
    assert answer.status_code == 200
    broken, whole = answer.json()["proposals"][:2]
    assert (broken["id"], broken["preview"], broken["may_agree"]) == (draft.id, None, False)
    assert broken["trouble"].startswith("The tear-line's label has no policy")
    assert (whole["id"], whole["trouble"], whole["may_agree"]) == (proposal["id"], "", True)
    assert whole["preview"]["rows"]


@pytest.mark.parametrize("path", ["tear-lines", "relabellings"])
def test_a_proposal_about_something_hidden_is_like_none(floor: Any, path: str) -> None:
    """Also where its id is known: the same answers as for an id that never was, in every byte but the id."""
    higher = RESTRICTED.replace("RESTRICTED", "SECRET")
    note = labelled(floor, higher)
    if path == "tear-lines":
        rule = {"replace_text": [{"field": "text", "text": "Something was seen."}]}
        body = {
            "kind": "note",
            "original": note,
            "recipient": "x",
            "label": RESTRICTED,
            "rules": rule,
            "why": WHY,
        }
    else:
        body = {"kind": "note", "id": note, "expected_revision": 1, "label": RESTRICTED, "why": WHY}
    made = floor.client("liaison").post(f"/api/v1/{path}", json=body)
    assert made.status_code == 201, made.text
    proposal = made.json()["id"]
    if "lowly" not in floor.people:
        floor.add("lowly", "legal_adviser", clearance="restricted")
    lowly, none = floor.client("lowly"), "f" * 32
    assert proposal not in lowly.get(f"/api/v1/{path}").text and note not in lowly.get(f"/api/v1/{path}").text
    for name in ("agree", "refuse", "withdraw"):
        for revision in (1, 7):
            answers = [
                lowly.post(f"/api/v1/{path}/{each}/{name}", json={"expected_revision": revision})
                for each in (proposal, none)
            ]
            assert answers[0].status_code == answers[1].status_code == 404
            assert answers[0].text.replace(proposal, none) == answers[1].text
    assert step(floor, "legal", path, made.json(), "refuse").json()["state"] == "refused"


def test_narrower_by_one_wider_by_two(floor: Any) -> None:
    note, ledger = labelled(floor, RESTRICTED), floor.opened.ledger
    analyst, liaison = floor.client("analyst"), floor.client("liaison")
    narrow = RESTRICTED.replace("COL,USA", "COL")
    body = {"kind": "note", "id": note, "expected_revision": 1, "label": narrow, "why": WHY}
    assert analyst.post("/api/v1/relabellings", json={**body, "expected_revision": 2}).status_code == 409
    assert analyst.post("/api/v1/relabellings", json=body).json()["state"] == "done"
    record = ledger.latest(note)
    assert (record.revision, record.label) == (2, written(narrow).text)

    # An analyst does not ask for a wider one; a liaison officer does, and another person agrees.
    wide = {**body, "expected_revision": 2, "label": RESTRICTED}
    assert analyst.post("/api/v1/relabellings", json=wide).status_code == 403
    proposal = liaison.post("/api/v1/relabellings", json=wide).json()
    assert proposal["state"] == "proposed" and ledger.latest(note).revision == 2
    assert step(floor, "liaison", "relabellings", proposal, "agree").status_code == 403
    assert step(floor, "legal", "relabellings", proposal, "agree").json()["state"] == "done"
    again = ledger.latest(note)
    assert (again.revision, again.label, again.body) == (3, written(RESTRICTED).text, record.body)
    alert = json.loads(again.body)["subject"]
    shown = floor.client("liaison").get(f"/api/v1/alerts/{alert}").json()["notes"]
    assert next(each for each in shown if each["id"] == note)["marking"] == {
        "level": "RESTRICTED", "banner": "RESTRICTED // REL TO COL, USA", "portion": "(R // REL TO COL, USA)",
    }  # fmt: skip
    ledger.verify()


def test_view_as_answers_as_the_policy_does_and_shows_no_more_than_the_asker_sees(floor: Any) -> None:
    note = labelled(floor, RESTRICTED)
    body = {"kind": "note", "id": note, "role": "liaison_officer", "nation": "USA", "clearance": "restricted", "purpose": "x"}  # fmt: skip
    answer = floor.client("watch").post("/api/v1/view-as", json=body).json()
    assert set(answer["lines"][0]) == {"kind", "id", "marking", "decisions"}
    read = answer["lines"][0]["decisions"][0]
    assert (read["action"], read["allowed"]) == ("read", False)
    spanish = floor.client("watch").post("/api/v1/view-as?lang=es", json=body).json()
    assert spanish["lines"][0]["marking"]["banner"] == "RESTRINGIDO // DIVULGABLE A COL, USA"
    own = {**body, "nation": "COL"}
    assert (
        floor.client("watch").post("/api/v1/view-as", json=own).json()["lines"][0]["decisions"][0]["allowed"]
    )
    assert floor.client("watch").post("/api/v1/view-as", json={**body, "id": "0" * 32}).status_code == 404


# -- keys -----------------------------------------------------------------------------------------


def test_the_administrator_makes_a_new_key_and_writes_one_off(floor: Any) -> None:
    keeper = floor.client("keeper")
    (first,) = keeper.get("/api/v1/keys").json()["keys"]
    assert first["due_us"] - first["from_us"] == 365 * 86_400 * 1_000_000
    keys = keeper.post("/api/v1/keys/rotate", json={"active": first["key_id"]}).json()["keys"]
    assert [each["state"] for each in keys] == ["active", "retired"] and keys[0]["endorsed"]
    # Somebody who looked at the first one does not write off the second.
    lost = {"active": first["key_id"], "why": "The disk was stolen."}
    assert keeper.post("/api/v1/keys/lost", json=lost).status_code == 409
    keys = keeper.post("/api/v1/keys/lost", json={**lost, "active": keys[0]["key_id"]}).json()["keys"]
    assert [each["state"] for each in keys] == ["active", "lost", "retired"] and not keys[0]["endorsed"]
    assert keys[1]["reason"] == "The disk was stolen."
    told = floor.client("auditor").get("/api/v1/me/notices").json()["notices"]
    assert any("written" in each["text"] or "lost" in each["text"] for each in told)
    floor.opened.ledger.verify()


def test_a_name_that_nobody_proved_decides_nothing(people: Any, tmp_path: Path) -> None:
    """In a demonstration everybody says any name: two names are not two people."""
    with people.floor(tmp_path, data=False, demo=True) as demo:
        client = demo.stranger()
        client.headers["authorization"] = f"Bearer {demo.server.token}"
        client.headers["x-officer"] = "Ana"
        answer = client.post("/api/v1/policy/changes", json={"rules": HOMES, "why": WHY})
        assert answer.status_code in (403, 404)
