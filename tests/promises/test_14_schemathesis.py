"""Promise 14 beside the matrix: requests made from the API's own description, for every role.

Whatever is asked, nobody gets a fault of the server, and nobody gets past what his role may do: what is
answered with content is checked against the same table written by hand.
"""

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from shiprider.api.describe import document


def _matrix() -> Any:
    place = Path(__file__).with_name("test_14_authorisation_matrix.py")
    spec = importlib.util.spec_from_file_location("matrix_of_promise_14", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MATRIX = _matrix()
SCHEMA = schemathesis.openapi.from_dict(document())
#: What ends sessions or accounts would leave the rest of the examples with nobody to ask.
LEFT_OUT = {"/api/v1/sign-out", "/api/v1/accounts/{account_id}/sign-out"}


@pytest.fixture(scope="module")
def floor(people: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with people.floor(tmp_path_factory.mktemp("node"), data=False) as made:
        for letter, role in MATRIX.ROLES.items():
            made.add(f"{letter}-COL", role)
        yield made


@pytest.mark.parametrize("letter", MATRIX.ROLES)
def test_requests_from_the_description_by_every_role(floor: Any, letter: str) -> None:
    asked = 0
    for operation in SCHEMA.get_all_operations():
        one = operation.ok()
        if one.full_path in LEFT_OUT:
            continue

        @settings(
            max_examples=4,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        def ask(case: Any) -> None:
            nonlocal asked
            who = MATRIX.TABLE[(case.method.upper(), case.operation.full_path)]
            cookie = floor.sessions().begin_for(floor.people[f"{letter}-COL"], purpose="watch")
            # What the description says of signing in is made up too: here it is this role's session.
            case.headers.pop("Authorization", None)
            case.cookies.clear()
            more = {"headers": {"origin": floor.server.origin}, "cookies": {"shiprider_session": cookie}}
            answer = case.call(base_url=floor.server.origin, timeout=30, allow_redirects=False, **more)
            asked += 1
            assert answer.status_code < 500 or answer.status_code == 503, answer.text
            if who != "*" and letter not in who:
                assert answer.status_code in (400, 403, 405, 415), (
                    case.method,
                    case.path,
                    answer.status_code,
                )
                assert answer.json().keys() == {"error", "message", "hint"}

        given(case=one.as_strategy())(ask)()
    assert asked > 200
