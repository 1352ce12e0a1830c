"""Every ledger there is, opened on the same folder or database again and again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shiprider.adapters.keys.files import FileKeys
from shiprider.adapters.ledger.postgres import PostgresLedger
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.ports.ledger import Ledger

Open = Callable[[], Ledger]


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 1_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def keys(tmp_path: Path, clock: Clock) -> FileKeys:
    return FileKeys(tmp_path / "keys", clock=clock)


@pytest.fixture(params=["sqlite", "postgresql"])
def open_ledger(
    request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, keys: FileKeys
) -> Iterator[Open]:
    opened: list[Ledger] = []
    url = request.getfixturevalue("postgres_database")() if request.param == "postgresql" else ""

    def open_() -> Ledger:
        if url:
            heads = tmp_path / "ledger.head"
            opened.append(PostgresLedger(url, heads, origin="node-a", keys=keys, clock=clock))
        else:
            path = tmp_path / "ledger.sqlite"
            opened.append(SqliteLedger(path, origin="node-a", keys=keys, clock=clock))
        return opened[-1]

    yield open_
    for ledger in opened:
        ledger.close()
