"""Labels of what is made: rows carry their feed's label, findings the combination of what they were made from.

Always true: rows carry a number that is made from the label's text alone, so a lake rebuilt from the spool has the
same; a number that stands for no label known here, or for two, is an unknown label; a finding's label is never
wider than that of any row of its vessels, whichever run of the node took it in.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from shiprider.model.columns import integers
from shiprider.model.finding import Finding
from shiprider.model.label import OWN, UNKNOWN_TEXT, combined_text, number_of
from shiprider.ports.lake import Lake
from shiprider.ports.spool import Source

#: Inputs that ship with the package or come from the operator's files: nobody's observations.
_SHIPPED: Final = frozenset({"anchorages", "coast", "ports"})

#: (a vessel) -> numbers of the labels of all rows that the lake holds of it.
Heard = Callable[[int], Iterable[int]]


def labels_by_number(texts: Iterable[str]) -> dict[int, str]:
    """The label text of every number that rows may carry; two texts with one number are unknown."""
    found = {number_of(OWN.text): OWN.text}
    for text in sorted(set(texts)):
        number = number_of(text)
        found[number] = text if found.get(number, text) == text else UNKNOWN_TEXT
    return found


class Labelling:
    """Which labels went into what. One thread only.

    `sources` are the spool's; `heard` looks a vessel's labels up in the lake; `orders` gives the label of the partner's
    order that a finding was asked for by.
    """

    def __init__(
        self,
        sources: Callable[[], Sequence[Source]],
        heard: Heard,
        orders: Callable[[Finding], str | None] = lambda _: None,
    ) -> None:
        self._sources = sources
        self._heard = heard
        self._orders = orders
        self._read = 0
        self._texts: set[str] = set()
        self._numbers: dict[int, str] = {}
        self._of_vessel: dict[int, set[int]] = {}
        self._looked_up: set[int] = set()

    def saw(self, rows: pa.Table) -> None:
        """Rows (with `claimed_id` and `label_id`) that are about to be folded."""
        if len(self._known()) < 2 or not rows.num_rows:
            return
        vessels = integers(rows["claimed_id"], np.int64, 0)
        labels = integers(rows["label_id"], np.int64, 0)
        for vessel, label in np.unique(np.stack((vessels, labels)), axis=1).T.tolist():
            self._of_vessel.setdefault(vessel, set()).add(label)

    def of_finding(self, finding: Finding) -> str:
        """The label of a finding, as stored text.

        With one label on the node it is that. With several: of all rows of its vessels, and where it used something
        learnt (a reception map, a traffic model), of everything that this was learnt from. Where a partner's watchlist
        or area asked for it, that is in it too.
        """
        made, order = self._of_rows(finding), self._orders(finding)
        return made if order is None else combined_text((made, order))

    def _of_rows(self, finding: Finding) -> str:
        known = self._known()
        if len(known) < 2:
            return next(iter(known), OWN.text)
        if set(finding.versions) - _SHIPPED or not finding.participants:
            return combined_text(known)
        numbers = {number for vessel in finding.participants for number in self._labels_of(vessel)}
        if not numbers:
            return combined_text(known)
        return combined_text(self._numbers.get(number, UNKNOWN_TEXT) for number in numbers)

    def _labels_of(self, vessel: int) -> set[int]:
        found = self._of_vessel.setdefault(vessel, set())
        if vessel not in self._looked_up:
            # What came before this run; what comes from now on is told to `saw` before it is folded.
            found |= set(self._heard(vessel))
            self._looked_up.add(vessel)
        return found

    def _known(self) -> set[str]:
        """Labels of all sources there ever were."""
        sources = self._sources()
        if len(sources) > self._read:
            self._texts |= {source.declaration.label for source in sources[self._read :]}
            self._read = len(sources)
            self._numbers = labels_by_number(self._texts)
        return self._texts


def heard_in(lake: Lake) -> Heard:
    """The labels of a vessel's rows in a lake."""

    def heard(vessel: int) -> set[int]:
        found = set[int]()
        for table in ("observations", "statements"):
            rows = lake.scan(table, ["label_id"], claimed_ids=(vessel,))
            found |= set(
                rows.select(pl.col("label_id").fill_null(0).unique()).collect().to_series().to_list()
            )
        return found

    return heard
