"""A large export holds one page at a time: its memory does not grow with how much there is."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from promises import non_interference as ni
from shiprider.adapters.ledger.sqlite import SqliteLedger
from shiprider.detect.ranking import Budget
from shiprider.flow.interchange import taxii
from shiprider.flow.interchange.disclosing import AT_ONCE, Disclosing, Wanted
from shiprider.flow.interchange.writing import MEDIA, file_of
from shiprider.flow.logged_access import Accesses
from shiprider.flow.numbers import Numbers
from shiprider.flow.pictures import Pictures
from shiprider.flow.sight import Sight
from shiprider.flow.terms import of_finding
from shiprider.flow.view import View
from shiprider.measure.clock import HOUR_US
from shiprider.model.finding import Evidence, Finding
from shiprider.model.publication import Publication
from shiprider.model.record import Draft
from shiprider.model.rules import own_observer
from shiprider.ports.ledger import Filed

SMALL, LARGE = 1_000, 5_000


class Nowhere:
    """An access log that keeps nothing: what it holds is not what is measured."""

    def append(self, entries: Any) -> None:
        return


def filed(number: int) -> Filed:
    finding = Finding(
        behaviour="loitering", preset="p", participants=(235_000_000 + number % 50,), start_us=ni.T0, end_us=ni.T0 + HOUR_US,
        latitude_deg=12.0, longitude_deg=-74.0, score=0.5, reason_key="x", facts={"duration_s": number},
        evidence=(Evidence(track=1, claimed_id=235_000_000 + number % 50, start_us=ni.T0, end_us=ni.T0 + HOUR_US, raws=tuple(range(20))),),
    )  # fmt: skip
    body = Publication(finding=finding)
    draft = Draft(
        id=f"{number:032x}", kind="finding", expected_revision=0, schema=1, author="watch", valid_from_us=ni.T0,
        label=ni.SHARED, body=msgspec.json.encode(body),
    )  # fmt: skip
    return Filed(draft=draft, terms=of_finding(body))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("large")
    ledger = SqliteLedger(folder / "ledger.sqlite", origin="col", clock=lambda: ni.T0)
    for begin in range(0, LARGE, 500):
        ledger.append([filed(n) for n in range(begin, begin + 500)])
    lake: Any = ni.MemoryLake()
    spool: Any = ni.MemorySpool()
    sight = Sight(lambda: ni.ENGINE, ledger, node="col", sources=spool.sources, clock=lambda: ni.T0)
    numbers = Numbers(ledger, lake, Budget(per_watch=2, share_of_one=1.0), 8 * HOUR_US)
    view = View(own_observer("Ana", ni.HOME, "watch"), ledger, lake, Pictures(), sight, numbers, spool)
    log: Any = Nowhere()
    yield Disclosing(view, Accesses(log, lambda: ni.T0), "export", "request 7")
    ledger.close()


def peak(made: Disclosing, format_: str, most: int) -> tuple[int, int]:
    """Bytes held at most, and how many records were written."""
    counted = 0

    def pages() -> Iterator[Any]:
        nonlocal counted
        for page in made.pages(Wanted(kinds=("finding",)), ni.SHARED):
            counted += len(page)
            yield page
            if counted >= most:
                return

    tracemalloc.start()
    try:
        for piece in file_of(format_, pages(), node="col", label=ni.SHARED, name="x"):
            assert piece
        return tracemalloc.get_traced_memory()[1], counted
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("format_", MEDIA)
def test_memory_does_not_grow_with_the_export(made: Disclosing, format_: str) -> None:
    peak(made, format_, AT_ONCE)
    small, few = peak(made, format_, SMALL)
    large, many = peak(made, format_, LARGE)
    assert (few, many) == (SMALL, LARGE)
    assert large < 1.25 * small, (small, large)


def test_a_taxii_page_far_on_costs_what_a_page_costs(made: Disclosing) -> None:
    wanted = taxii.Filter(types=("report",))
    seen, cursor = set(), ""
    for _ in range(LARGE // 1000 + 1):
        page = taxii.page(made, wanted, node="col", cursor=cursor, limit=1000)
        seen |= {each.given["id"] for each in page.objects}
        cursor = page.next
        if not cursor:
            break
    assert len(seen) == LARGE and cursor == ""
