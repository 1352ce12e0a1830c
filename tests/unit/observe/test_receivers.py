"""What the operator says of receivers."""

import numpy as np
import pyarrow as pa

from shiprider.model.codes import ReceiverKind
from shiprider.model.tables import OBSERVATIONS
from shiprider.model.world import Receivers
from shiprider.observe.receivers import declared_kinds


def rows(sources: list[str | None], feed: str = "a recording", kind: int = 0) -> pa.Table:
    """Observations by these receivers."""
    n = len(sources)
    given = {"receiver": pa.array(sources, pa.string()), "feed": pa.array([feed] * n, pa.string())}
    given["receiver_kind"] = pa.array([kind] * n, pa.int8())
    return pa.table(
        [given.get(field.name, pa.nulls(n, field.type)) for field in OBSERVATIONS], schema=OBSERVATIONS
    )


def receivers(**kinds: ReceiverKind) -> Receivers:
    """The operator's file."""
    nowhere = np.full(len(kinds), np.nan)
    return Receivers("a file", tuple(kinds), np.array(list(kinds.values()), np.int8), nowhere, nowhere)


def test_a_named_source_has_the_declared_kind_and_others_keep_theirs() -> None:
    table = rows(["Orb-1 ", "shore", None, "else"], kind=int(ReceiverKind.TERRESTRIAL))
    given = receivers(**{"ORB-1": ReceiverKind.SATELLITE, "shore": ReceiverKind.VESSEL})
    kinds = declared_kinds(table, given)["receiver_kind"].to_pylist()
    assert kinds == [
        ReceiverKind.SATELLITE,
        ReceiverKind.VESSEL,
        ReceiverKind.TERRESTRIAL,
        ReceiverKind.TERRESTRIAL,
    ]


def test_a_feed_may_be_named_and_the_receiver_goes_first() -> None:
    given = receivers(**{"pass.csv": ReceiverKind.SATELLITE, "shore": ReceiverKind.TERRESTRIAL})
    kinds = declared_kinds(rows([None, "shore"], "pass.csv"), given)["receiver_kind"].to_pylist()
    assert kinds == [ReceiverKind.SATELLITE, ReceiverKind.TERRESTRIAL]


def test_without_receivers_or_rows_nothing_is_touched() -> None:
    table = rows(["orb"])
    assert declared_kinds(table, None) is table
    empty = rows([])
    assert declared_kinds(empty, receivers(orb=ReceiverKind.SATELLITE)) is empty
