"""Pictures: one picture for each label of rows, and what an observer sees of them together.

Always true: a picture holds rows of one label only, so that nothing of it (places, versions, counts) depends on
rows of another; who sees one label gets its picture as it is, at no cost; who sees several gets of each
track the newest row that he may see.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from shiprider.flow.picture import (
    STATIC,
    Box,
    Picture,
    Rows,
    Static,
    class_of,
    found_in,
    inside,
    static_at,
)
from shiprider.flow.sight import Frames


class Seeable(Protocol):
    """What is read of a picture, or of several together; see `Picture`."""

    @property
    def newest_us(self) -> int | None:
        """The newest position's time."""

    @property
    def simulated(self) -> bool:
        """Whether anything in it was simulated."""

    @property
    def vessels(self) -> int:
        """How many identities are known."""

    def rows(self, box: Box | None = None, *, since_us: int | None = None) -> Rows:
        """See `Picture.rows`."""

    def rows_of(self, mmsi: int) -> Rows:
        """See `Picture.rows_of`."""

    def static(self, mmsi: int) -> Static:
        """See `Picture.static`."""

    def describe(self, mmsi: NDArray[np.int64]) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """See `Picture.describe`."""

    def search(self, text: str, limit: int) -> list[tuple[int, str, Static]]:
        """See `Picture.search`."""


@dataclass(slots=True)
class Pictures:
    """All of a node. Batches come from one thread, reads from any."""

    of: dict[int, Picture] = field(default_factory=dict)

    def take_points(self, points: pa.Table) -> None:
        """A batch of `model.tables.TRACK_POINTS`, in any order."""
        for number, part in _by_label(points):
            self._of(number).take_points(part)

    def take_statements(self, statements: pa.Table) -> None:
        """A batch of `model.tables.STATEMENTS`."""
        for number, part in _by_label(statements):
            self._of(number).take_statements(part)

    def _of(self, number: int) -> Picture:
        found = self.of.get(number)
        if found is None:
            found = Picture()
            # Readers go over it meanwhile: it is replaced, never changed.
            self.of = dict(sorted({**self.of, number: found}.items()))
        return found

    def labels(self, points: Frames, statements: Frames) -> frozenset[int]:
        """Numbers of the labels of what an observer sees in all of it."""
        return frozenset(
            number
            for number, picture in self.of.items()
            if (points.admits(number) and len(picture))
            or (statements.admits(number) and len(picture.spoke()))
        )

    def labels_of(self, points: Frames, statements: Frames, mmsi: NDArray[np.int64]) -> list[frozenset[int]]:
        """The same of each of many identities: of their positions, and of what they said of themselves."""
        found: list[set[int]] = [set() for _ in mmsi]
        for number, picture in self.of.items():
            shown = np.zeros(len(mmsi), np.bool_)
            if points.admits(number):
                shown |= picture.places(mmsi)
            if statements.admits(number):
                shown |= np.isin(mmsi, picture.spoke())
            for at in np.flatnonzero(shown):
                found[at].add(number)
        return [frozenset(each) for each in found]

    def seen(self, points: Frames, statements: Frames) -> Seeable:
        """What an observer sees: positions of these labels, what vessels said of those."""
        of = self.of
        placed = [picture for number, picture in of.items() if points.admits(number)]
        said = [picture for number, picture in of.items() if statements.admits(number)]
        if len(placed) == 1 and len(said) == 1 and placed[0] is said[0]:
            return placed[0]
        return Several(placed, said) if placed or said else Picture()


def _by_label(rows: pa.Table) -> list[tuple[int, pa.Table]]:
    if not rows.num_rows:
        return []
    labels = rows["label_id"]
    if labels.null_count == len(labels):
        return [(0, rows)]
    labels = pc.fill_null(labels, 0)
    ends = pc.min_max(labels)
    if ends["min"] == ends["max"]:
        return [(ends["min"].as_py(), rows)]
    return [
        (number, rows.filter(pc.equal(labels, number))) for number in sorted(pc.unique(labels).to_pylist())
    ]


@dataclass(frozen=True, slots=True)
class Several:
    """Pictures of several labels seen as one: `placed` for positions, `said` for what vessels say of themselves."""

    placed: Sequence[Picture]
    said: Sequence[Picture]

    @property
    def newest_us(self) -> int | None:
        """The newest position's time."""
        return max((each.newest_us for each in self.placed if each.newest_us is not None), default=None)

    @property
    def simulated(self) -> bool:
        """Whether anything in it was simulated."""
        return any(each.simulated for each in self.placed)

    @property
    def vessels(self) -> int:
        """How many identities are known."""
        return len(self._identities())

    def _identities(self) -> NDArray[np.int64]:
        known = [each.rows()["mmsi"] for each in self.placed] + [each.spoke() for each in self.said]
        return np.unique(np.concatenate(known))

    def rows(self, box: Box | None = None, *, since_us: int | None = None) -> Rows:
        """The newest row of each track; a row that is not the newest is not there, wherever the box lies."""
        found = self._newest([each.rows(since_us=since_us) for each in self.placed])
        if box is not None and len(found):
            found = _taken(found, np.flatnonzero(inside(found["latitude_e7"], found["longitude_e7"], box)))
        return found

    def rows_of(self, mmsi: int) -> Rows:
        """Rows of one identity."""
        return self._newest([each.rows_of(mmsi) for each in self.placed])

    def _newest(self, parts: Sequence[Rows]) -> Rows:
        if not parts:
            return Picture().rows()
        count = len(parts)
        # Each picture's places are spread, so that no two rows ever have the same.
        slot = np.concatenate([part.slot * count + at for at, part in enumerate(parts)]).astype(np.int32)
        track = np.concatenate([part.track for part in parts])
        columns = {name: np.concatenate([part.columns[name] for part in parts]) for name in parts[0].columns}
        changed = np.concatenate([part.changed for part in parts])
        order = np.lexsort((slot, columns["received_us"], columns["time_us"], track))
        last = order[np.append(track[order][1:] != track[order][:-1], True)] if len(order) else order
        last = np.sort(last)
        columns = {name: values[last] for name, values in columns.items()}
        static = self._static(columns["mmsi"])
        kind = class_of(static["ship_type"], columns["transmitter_class"])
        return Rows(slot[last], track[last], columns, kind, static["length_m"], changed[last])

    def _static(self, mmsi: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """What each said, the parts that were said last; of two said at once the later picture's."""
        merged = {name: np.full(len(mmsi), fill, kind) for name, (kind, fill) in STATIC.items()}
        for each in self.said:
            given = each.said(mmsi)
            newer = given["said_us"] >= merged["said_us"]
            for name, (_, fill) in STATIC.items():
                if name != "said_us":
                    known, lacking = given[name] != fill, merged[name] == fill
                    put = known & (newer | lacking)
                    merged[name][put] = given[name][put]
            merged["said_us"] = np.maximum(merged["said_us"], given["said_us"])
        return merged

    def static(self, mmsi: int) -> Static:
        """What a vessel last said of itself."""
        return static_at(self._static(np.array([mmsi], np.int64)), 0)

    def describe(self, mmsi: NDArray[np.int64]) -> tuple[NDArray[np.int8], NDArray[np.int16]]:
        """Class and length of many identities, unknown 0."""
        static = self._static(mmsi)
        return class_of(static["ship_type"], np.zeros(len(mmsi), np.int8)), static["length_m"]

    def search(self, text: str, limit: int) -> list[tuple[int, str, Static]]:
        """As of one picture, in the order of MMSI."""
        known = self._identities()
        return found_in(known, self._static(known), text, limit)


def _taken(rows: Rows, at: NDArray[np.intp]) -> Rows:
    return Rows(
        rows.slot[at],
        rows.track[at],
        {name: values[at] for name, values in rows.columns.items()},
        rows.vessel_class[at],
        rows.length_m[at],
        rows.changed[at],
    )
