"""The OpenAPI description: every route says what it does and how it fails; the catalogues agree."""

from typing import Any

import pytest

from shiprider.api.describe import document, text
from shiprider.api.words import catalogue, language_of

DESCRIPTION: dict[str, Any] = document()
OPERATIONS = [
    (method, path, operation)
    for path, item in DESCRIPTION["paths"].items()
    for method, operation in item.items()
    if method in ("get", "post", "put", "delete", "patch")
]


@pytest.mark.parametrize(("method", "path", "operation"), OPERATIONS, ids=lambda each: str(each)[:40])
def test_every_route_is_described(method: str, path: str, operation: dict[str, Any]) -> None:
    assert path.startswith("/api/v1/")
    assert len(operation["summary"]) > 5 and operation["operationId"] and operation["tags"]
    assert {"400", "401", "403", "421", "500"} <= set(operation["responses"])
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            schema = next(iter(answer["content"].values()))["schema"]
            assert schema["$ref"].endswith("/Failure"), (path, status)
        else:
            assert "$ref" in next(iter(answer["content"].values()))["schema"], path
    if method in ("post", "put") and path != "/api/v1/session":
        assert {"409", "413", "415"} <= set(operation["responses"])
    if "{" in path:
        assert {"404"} <= set(operation["responses"]) or path.endswith("/tracks")


def test_operation_ids_are_unique_and_stable_names() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert len(set(names)) == len(names) and all(name.isidentifier() and name.islower() for name in names)


def test_every_schema_has_its_words() -> None:
    lacking = [
        name
        for name, schema in DESCRIPTION["components"]["schemas"].items()
        if not schema.get("description") and "enum" not in schema
    ]
    assert lacking == []


def test_every_route_of_the_application_is_in_the_description_or_known() -> None:
    from shiprider.api.app import make_litestar

    routes = {
        (method.lower(), route.path)
        for route in make_litestar(None).routes
        for method in getattr(route, "methods", ())
    }
    described = {(method, path) for method, path, _ in OPERATIONS}
    shape = {(m, p.replace(":str", "").replace(":int", "")) for m, p in routes if m != "options"}
    apart = {
        ("get", "/"),
        ("get", "/{path:path}"),
        ("get", "/api/v1/openapi.json"),
        ("get", "/api/v1/metrics"),
        # Files in the formats of others.
        ("get", "/api/v1/export"),
        ("get", "/api/v1/foreign-reports/{report_id}/raw"),
    }
    # Out to an organisation's provider and back: a browser's navigation, not a program's.
    apart |= {("get", "/sign-in/with/{provider}"), ("get", "/sign-in/return")}
    # TAXII is described by its standard.
    left = {
        each
        for each in shape - described - apart
        if "/description" not in each[1] and not each[1].startswith("/taxii2")
    }
    assert left == set()


def test_the_same_bytes_every_time() -> None:
    assert text() == text()


def test_the_catalogues_have_the_same_keys() -> None:
    english, spanish = catalogue("en"), catalogue("es")
    assert {s: set(words) for s, words in english.items()} == {s: set(words) for s, words in spanish.items()}
    from typing import get_args

    from shiprider.detect.catalogue import BEHAVIOURS
    from shiprider.model.alert import AlertState, AlertStep
    from shiprider.model.likelihood import Band

    assert set(get_args(AlertState)) == set(english["state"]) and set(get_args(Band)) == set(english["band"])
    assert set(get_args(AlertStep)) | {"handed_over"} == set(english["event"])
    assert {behaviour.name for behaviour in BEHAVIOURS} <= set(english["behaviour"])


@pytest.mark.parametrize(
    ("asked", "accepted", "expected"),
    [(None, None, "en"), ("es", "en", "es"), (None, "es-419,es;q=0.9", "es"), (None, "fr,en;q=0.3,es;q=0.2", "en"),
     ("xx", "fr", "en"), (None, "es;q=0", "en"), (None, ";;;q=,,es;q=x", "en")],
)  # fmt: skip
def test_the_language_of_a_request(asked: str | None, accepted: str | None, expected: str) -> None:
    assert language_of(asked, accepted, "en") == expected
