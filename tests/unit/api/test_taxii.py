"""The TAXII 2.1 server, asked by OASIS' own client and by hand: who reads what, pages, filters, handing in, errors."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
import stix2
from msgspec import structs
from requests.exceptions import HTTPError
from taxii2client.common import TokenAuth, _HTTPConnection
from taxii2client.exceptions import AccessError
from taxii2client.v21 import ApiRoot, Collection, Server, as_pages

from shiprider.flow import api_tokens
from shiprider.flow.ids import new_id
from shiprider.measure.clock import DAY_US
from shiprider.model.label import written
from shiprider.model.publication import Publication
from shiprider.model.record import Draft
from shiprider.ports.ledger import Filed

MEDIA = "application/taxii+json;version=2.1"
READABLE = "/taxii2/api/collections/alerts-and-findings/"
INBOX = "/taxii2/api/collections/inbox/"
ROLES = {
    "analyst": "intelligence_analyst", "liaison": "liaison_officer", "officer": "watch_officer", "evaluator": "evaluator",
    "auditor": "auditor", "admin": "node_administrator",
}  # fmt: skip


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with people.floor(tmp_path_factory.mktemp("node")) as made:
        for login, role in ROLES.items():
            made.add(login, role, clearance="SECRET")
        made.add("uncleared", "intelligence_analyst")
        made.add("guest", "intelligence_analyst", nation="USA", clearance="SECRET")
        made.secrets = {login: token(made, login) for login in made.people}
        made.secret_record = finding(made, "policy=COALITION class=SECRET rel=nations:COL")
        yield made


def token(floor: Any, login: str, **given: Any) -> str:
    name, purpose, days = (
        given.get("name", "their TAXII client"),
        given.get("purpose", "watch"),
        given.get("days", 30),
    )
    return api_tokens.make(floor.access, floor.people[login], name, purpose, days)[1]


def finding(floor: Any, label: str) -> str:
    """A finding as the node's own, under another label."""
    ledger = floor.opened.ledger
    (record,) = ledger.of_kind("finding")[:1]
    import msgspec

    body = msgspec.json.decode(record.body, type=Publication)
    draft = Draft(
        id=new_id(), kind="finding", expected_revision=0, schema=1, author="watch", valid_from_us=record.valid_from_us,
        label=written(label).text, body=msgspec.json.encode(body),
    )  # fmt: skip
    return str(ledger.append([Filed(draft=draft)])[0].id)


def conn(floor: Any, login: str) -> Any:
    return _HTTPConnection(user=login, password=floor.secrets[login], verify=False, version="2.1")


def ask(floor: Any, login: str, path: str, *, method: str = "GET", **more: Any) -> Any:
    headers = {"authorization": f"Bearer {floor.secrets[login]}", "accept": MEDIA, **more.pop("headers", {})}
    with floor.stranger() as client:
        del client.headers["origin"]
        return client.request(method, path, headers=headers, **more)


def collection(floor: Any, login: str, path: str = READABLE) -> Any:
    """The client asks by the id alone."""
    listed = ask(floor, "officer", "/taxii2/api/collections/").json()["collections"]
    (id_,) = [each["id"] for each in listed if f"/{each['alias']}/" in path]
    return Collection(f"{floor.server.origin}/taxii2/api/collections/{id_}/", conn=conn(floor, login))


# -- the client of OASIS ----------------------------------------------------------------------------


def test_from_discovery_to_objects(floor: Any) -> None:
    server = Server(f"{floor.server.origin}/taxii2/", user="analyst", password=floor.secrets["analyst"])
    assert server.title == "Shiprider node" and server.default.url == f"{floor.server.origin}/taxii2/api/"
    (root,) = server.api_roots
    readable, inbox = root.collections
    assert (readable.can_read, readable.can_write, inbox.can_read, inbox.can_write) == (
        True,
        False,
        False,
        True,
    )
    objects = readable.get_objects()["objects"]
    bundle = stix2.parse(
        {"type": "bundle", "id": f"bundle--{'1' * 8}-1111-4111-8111-111111111111", "objects": objects}
    )
    kinds = [each.type for each in bundle.objects]
    assert kinds.count("report") == 2 and kinds.count("grouping") == 1 and kinds.count("sighting") == 4
    (grouping,) = [each for each in bundle.objects if each.type == "grouping"]
    assert "235000001" in grouping.name and grouping.confidence > 0


def test_a_bearer_opens_the_same(floor: Any) -> None:
    made = ApiRoot(f"{floor.server.origin}/taxii2/api/", auth=TokenAuth(floor.secrets["analyst"]))
    assert made.title == "Shiprider node"


def test_pages_by_the_client_hold_everything(floor: Any) -> None:
    made = collection(floor, "analyst")
    whole = {(each["id"], each.get("modified")) for each in made.get_objects()["objects"]}
    found = [e for page in as_pages(made.get_objects, per_request=3) for e in page.get("objects", [])]
    assert {(each["id"], each.get("modified")) for each in found} == whole and len(whole) > 9
    entries = [e for page in as_pages(made.get_manifest, per_request=4) for e in page.get("objects", [])]
    assert {each["id"] for each in entries} == {id_ for id_, _ in whole}
    assert all(each["media_type"] == "application/stix+json;version=2.1" for each in entries)


def test_filters(floor: Any) -> None:
    made = collection(floor, "analyst")
    found = made.get_objects(type=["report", "grouping"])["objects"]
    assert sorted(each["type"] for each in found) == ["grouping", "report", "report"]
    one = found[0]
    (same,) = made.get_object(one["id"])["objects"]
    assert same == one and made.object_versions(one["id"])["versions"] == [one["modified"]]
    assert made.get_objects(id=one["id"])["objects"] == [one]
    assert made.get_objects(id=one["id"], version=one["modified"])["objects"] == [one]
    assert made.get_objects(id=one["id"], version="2001-01-01T00:00:00.000Z") == {
        "more": False
    } or not made.get_objects(id=one["id"], version="2001-01-01T00:00:00.000Z").get("objects")
    assert not made.get_objects(spec_version="2.0").get("objects")
    assert made.get_objects(spec_version="2.1", type="report")["objects"]
    vessel = made.get_objects(type="identity")["objects"][-1]
    assert made.get_object(vessel["id"])["objects"][0] == vessel


def test_only_what_was_added_since(floor: Any) -> None:
    answer = ask(floor, "analyst", f"{READABLE}objects/")
    last = answer.headers["x-taxii-date-added-last"]
    later = ask(floor, "analyst", f"{READABLE}objects/", params={"added_after": last})
    assert later.status_code == 200 and later.json() == {} and "x-taxii-date-added-last" not in later.headers
    made = finding(floor, "policy=COALITION class=RESTRICTED rel=nations:COL")
    new = ask(
        floor, "analyst", f"{READABLE}objects/", params={"added_after": last, "match[type]": "report"}
    ).json()
    assert [each["extensions"].popitem()[1]["record"] for each in new["objects"]] == [made]


def test_each_reads_what_he_may_and_nothing_tells_of_the_rest(floor: Any) -> None:
    def records(login: str) -> set[str]:
        found = collection(floor, login).get_objects(type="report").get("objects", [])
        return {each["extensions"].popitem()[1]["record"] for each in found}

    assert floor.secret_record in records("analyst") and floor.secret_record in records("liaison")
    assert floor.secret_record not in records("uncleared") and records("uncleared")
    # Another nation, with which there is no agreement: an empty collection, as on a node with nothing.
    guest = ask(floor, "guest", f"{READABLE}objects/")
    assert (guest.status_code, guest.json()) == (200, {}) and "x-taxii-date-added-first" not in guest.headers
    assert ask(floor, "guest", f"{READABLE}manifest/").json() == {}
    hidden = collection(floor, "analyst").get_objects(type="report")["objects"]
    secret = next(
        e for e in hidden if e["extensions"][next(iter(e["extensions"]))]["record"] == floor.secret_record
    )
    answers = [
        ask(floor, "uncleared", f"{READABLE}objects/{id_}/")
        for id_ in (secret["id"], "report--11111111-1111-5111-8111-111111111111")
    ]
    assert answers[0].status_code == 404 and answers[0].content == answers[1].content
    assert dict(answers[0].headers) == dict(answers[1].headers)


@pytest.mark.parametrize("login", ["officer", "evaluator", "auditor", "admin"])
def test_whose_role_does_not_export_reads_nothing(floor: Any, login: str) -> None:
    with pytest.raises((HTTPError, AccessError)):
        collection(floor, login).get_objects()
    answer = ask(floor, login, f"{READABLE}objects/")
    assert answer.status_code == 403 and answer.headers["content-type"].startswith("application/taxii+json")


def test_what_left_is_in_the_access_log_with_its_purpose(floor: Any) -> None:
    before = floor.opened.access_log.head().sequence
    ask(floor, "analyst", f"{READABLE}objects/", params={"match[type]": "grouping"})
    ((_, entry),) = floor.opened.access_log.since(before, act="export")
    alert = floor.opened.ledger.of_kind("alert")[0].id
    assert (entry.who, entry.purpose, entry.outcome) == (
        "analyst",
        "watch",
        "allowed",
    ) and alert in entry.objects
    assert "235000001" in entry.objects and entry.session.startswith("token ")


# -- handing in ---------------------------------------------------------------------------------------


def test_the_client_hands_in_and_asks_what_became_of_it(floor: Any) -> None:
    note = stix2.Note(content="=SEEN()", object_refs=["identity--11111111-1111-4111-8111-111111111111"])
    envelope = {"objects": [json.loads(note.serialize()), {"type": "note", "id": "note--x"}]}
    status = collection(floor, "officer", INBOX).add_objects(envelope, wait_for_completion=True)
    assert (status.status, status.total_count, status.success_count, status.failure_count) == (
        "complete",
        2,
        1,
        1,
    )
    assert "cannot be read" in status.failures[0]["message"]
    again = ask(floor, "officer", f"/taxii2/api/status/{status.id}/")
    assert again.json()["id"] == status.id
    assert ask(floor, "analyst", f"/taxii2/api/status/{status.id}/").status_code == 404, "it is another's"
    found = floor.client("officer").get("/api/v1/foreign-reports?state=readable").json()["reports"]
    mine = next(each for each in found if each["foreign_id"] == note.id)
    assert (mine["source"], mine["text"], mine["taken_in_by"]) == ("taxii:officer", "=SEEN()", "Officer")
    assert mine["reliability"] + mine["credibility"] == "F6"
    raw = floor.client("officer").get(f"/api/v1/foreign-reports/{mine['id']}/raw")
    assert json.loads(raw.content)["content"] == "=SEEN()"
    assert (
        raw.headers["content-disposition"].startswith("attachment")
        and raw.headers["content-type"] == "application/octet-stream"
    )


def test_what_others_wrote_names_no_record_in_the_access_log(floor: Any) -> None:
    alert = floor.opened.ledger.of_kind("alert")[0].id
    planted = {
        "type": "identity", "id": "identity--22222222-2222-4222-8222-222222222222", "name": alert,
        "external_references": [{"source_name": "mmsi", "external_id": "235000001"}, {"source_name": "x", "external_id": alert}],
    }  # fmt: skip
    body = json.dumps({"objects": [planted]}).encode()
    ask(floor, "officer", f"{INBOX}objects/", method="POST", content=body, headers={"content-type": MEDIA})
    before = floor.opened.access_log.head().sequence
    answer = floor.client("officer").get("/api/v1/foreign-reports?mmsi=235000001")
    (report,) = answer.json()["reports"]
    assert report["title"] == alert
    floor.client("officer").get(f"/api/v1/foreign-reports/{report['id']}")
    entries = [entry for _, entry in floor.opened.access_log.since(before)]
    assert [(e.act, e.objects) for e in entries] == [("search", (report["id"],)), ("read", (report["id"],))]
    assert "235000001" in entries[0].asked


def test_what_was_handed_in_is_not_handed_out(floor: Any) -> None:
    everything = collection(floor, "analyst").get_objects()["objects"]
    assert all(each["type"] != "note" for each in everything)


@pytest.mark.parametrize("login", ["evaluator", "auditor", "admin"])
def test_who_may_not_hand_in(floor: Any, login: str) -> None:
    answer = ask(
        floor, login, f"{INBOX}objects/", method="POST", content=b"{}", headers={"content-type": MEDIA}
    )
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("path", "headers", "body", "status"),
    [
        (INBOX, {"content-type": "application/json"}, b'{"objects":[]}', 415),
        (INBOX, {"content-type": "text/plain"}, b'{"objects":[]}', 415),
        (INBOX, {"content-type": MEDIA, "accept": "application/taxii+json;version=2.0"}, b'{"objects":[]}', 406),
        (INBOX, {"content-type": MEDIA}, b"{", 400), (INBOX, {"content-type": MEDIA}, b"[" * 100_000, 400),
        (INBOX, {"content-type": MEDIA}, b'{"objects":7}', 400), (READABLE, {"content-type": MEDIA}, b'{"objects":[]}', 403),
        ("/taxii2/api/collections/x/", {"content-type": MEDIA}, b'{"objects":[]}', 404),
        (INBOX, {"content-type": MEDIA}, b" " * ((8 << 20) + 1), 413),
    ],
)  # fmt: skip
def test_handing_in_wrongly(floor: Any, path: str, headers: Any, body: bytes, status: int) -> None:
    answer = ask(floor, "officer", f"{path}objects/", method="POST", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert (
        told["http_status"] == str(status)
        and told["title"]
        and answer.headers["content-type"].startswith("application/taxii+json")
    )


# -- asking wrongly -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "status"),
    [("limit=0", 400), ("limit=x", 400), ("limit=-1", 400), ("limit=²", 400), ("next=x", 400), ("next=" + "f" * 32 + ".1.1", 400),
     ("added_after=x", 400), ("added_after=99999-01-01", 400), ("match[id]=x", 200), ("match[type]=%00", 200), ("match[version]=x", 200),
     ("limit=999999999", 200)],
)  # fmt: skip
def test_questions_that_cannot_be_meant(floor: Any, query: str, status: int) -> None:
    answer = ask(floor, "analyst", f"{READABLE}objects/?{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/taxii+json")


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/taxii+json;version=2.0",
        "text/html",
        "application/vnd.oasis.taxii+json",
    ],
)
@pytest.mark.parametrize("path", ["/taxii2/", "/taxii2/api/", f"{READABLE}objects/", f"{READABLE}manifest/"])
def test_what_is_not_taxii_21_is_not_answered(floor: Any, path: str, accept: str) -> None:
    assert ask(floor, "analyst", path, headers={"accept": accept}).status_code == 406


# -- tokens -------------------------------------------------------------------------------------------


def basic(login: str, secret: str) -> str:
    return f"Basic {base64.b64encode(f'{login}:{secret}'.encode()).decode()}"


def test_nobody_gets_in_without_a_token_of_his(floor: Any) -> None:
    secret = floor.secrets["analyst"]
    wrong = [
        "", "Basic", "Basic !!", "Bearer", f"Bearer {secret}x", f"Bearer {secret[:-1]}", basic("liaison", secret), basic("", secret),
        basic("analyst", "shiprider-"), f"Digest {secret}", basic("analyst", "correct horse battery staple"), "Bearer " + "a" * 5000,
        f"Basic {base64.b64encode(b'nocolon').decode()}", f"Basic {base64.b64encode(bytes([255, 58, 255])).decode()}",
    ]  # fmt: skip
    with floor.stranger() as client:
        for given in wrong:
            answer = client.get("/taxii2/", headers={"authorization": given} if given else {})
            assert answer.status_code == 401 and "Basic" in answer.headers["www-authenticate"], given
            assert answer.headers["content-type"].startswith("application/taxii+json")
        assert client.get("/taxii2/", headers={"authorization": basic("ANALYST", secret)}).status_code == 200


def test_a_persons_own_password_opens_nothing(floor: Any, people: Any) -> None:
    floor.give_password("analyst")
    try:
        with floor.stranger() as client:
            answer = client.get("/taxii2/", headers={"authorization": basic("analyst", people.PASSWORD)})
        assert answer.status_code == 401
    finally:
        floor.people["analyst"] = floor.access.accounts.find(login="analyst")
        floor.secrets["analyst"] = token(floor, "analyst")


@pytest.mark.parametrize(
    "path",
    ["/api/v1/alerts", "/api/v1/me", "/api/v1/session", "/api/v1/foreign-reports", "/api/v1/me/tokens"],
)
def test_a_token_opens_the_exchange_alone(floor: Any, path: str) -> None:
    assert ask(floor, "analyst", path).status_code == 403


def test_a_token_exports_a_file(floor: Any) -> None:
    answer = ask(floor, "analyst", "/api/v1/export?format=geojson&reason=request+7")
    found = answer.json()
    assert answer.headers["content-type"].startswith("application/geo+json") and len(found["features"]) >= 2
    assert ask(floor, "officer", "/api/v1/export?reason=x").status_code == 403


def test_it_ends_by_its_time_by_being_revoked_and_with_its_account(floor: Any) -> None:
    floor.add("leaver", "intelligence_analyst")
    floor.secrets["leaver"] = token(floor, "leaver", days=1)
    assert ask(floor, "leaver", "/taxii2/").status_code == 200
    (made,) = floor.access.accounts.tokens(floor.people["leaver"].id)
    late = structs.replace(
        floor.access.accounts.tokens(floor.people["leaver"].id)[0], until_us=made.made_us + DAY_US
    )
    assert late.until_us == made.until_us
    api_tokens.revoke(floor.access, floor.people["leaver"], made.id)
    assert ask(floor, "leaver", "/taxii2/").status_code == 401
    floor.secrets["leaver"] = token(floor, "leaver")
    floor.people["leaver"] = floor.access.accounts.change(
        structs.replace(floor.people["leaver"], disabled=True)
    )
    assert ask(floor, "leaver", "/taxii2/").status_code == 401


def test_one_that_is_past_its_time(floor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    account = floor.people["analyst"]
    _, secret = api_tokens.make(floor.access, account, "x", "watch", 1)
    assert api_tokens.found(floor.access, secret) is not None

    class Later:
        accounts = floor.access.accounts

        @staticmethod
        def clock() -> int:
            return int(floor.access.clock()) + DAY_US

    later: Any = Later
    assert api_tokens.found(later, secret) is None


def test_what_the_account_may_no_longer_do_the_token_cannot(floor: Any) -> None:
    floor.add("moved", "intelligence_analyst")
    floor.secrets["moved"] = token(floor, "moved")
    assert ask(floor, "moved", f"{READABLE}objects/").status_code == 200
    floor.people["moved"] = floor.access.accounts.change(
        structs.replace(floor.people["moved"], roles=("evaluator",))
    )
    assert ask(floor, "moved", f"{READABLE}objects/").status_code == 403


def test_i_make_list_and_revoke_my_own(floor: Any) -> None:
    mine, other = floor.client("liaison"), floor.client("officer")
    new = {"name": "OpenCTI", "purpose": "investigation", "days": 7}
    made = mine.post("/api/v1/me/tokens", json=new).json()
    with floor.stranger() as client:
        assert (
            client.get("/taxii2/", headers={"authorization": f"Bearer {made['secret']}"}).status_code == 200
        )
    listed = mine.get("/api/v1/me/tokens").json()["tokens"]
    assert listed[0] == made["token"] and made["secret"] not in json.dumps(listed)
    path = f"/api/v1/me/tokens/{made['token']['id']}/revoke"
    assert other.post(path, json={}).status_code == 404
    assert mine.post(path, json={}).status_code == 200
    with floor.stranger() as client:
        assert (
            client.get("/taxii2/", headers={"authorization": f"Bearer {made['secret']}"}).status_code == 401
        )
    for wrong in (
        {**new, "purpose": "fun"},
        {**new, "days": 0},
        {**new, "days": 367},
        {**new, "name": " "},
        {**new, "case": "c"},
    ):
        assert mine.post("/api/v1/me/tokens", json=wrong).status_code == 400


def test_the_secret_is_kept_nowhere(floor: Any) -> None:
    secret = floor.secrets["analyst"].encode()
    for path in floor.opened.folder.rglob("*"):
        assert not path.is_file() or secret not in path.read_bytes(), path


def test_a_new_code_forgets_the_tokens(floor: Any) -> None:
    floor.add("lost", "intelligence_analyst")
    floor.secrets["lost"] = token(floor, "lost")
    from shiprider.flow.administering import renewed_code

    renewed_code(floor.access, "lost")
    assert (
        ask(floor, "lost", "/taxii2/").status_code == 401
        and floor.access.accounts.tokens(floor.people["lost"].id) == []
    )
