"""The first step after decoding: every row judged, none dropped.

Always true: tables come back with the same rows in the same order, only `flaws`, `duplicate_of` and
the kinds of the operator's receivers filled; one long batch and many short ones give the same marks; a snapshot restored goes on as if
nothing had happened.
"""

import io
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.model.codes import Flaw, TransmitterClass
from shiprider.model.columns import floats, integers
from shiprider.model.world import Receivers
from shiprider.observe.duplicates import FIXED_WINDOW_US, MOVING_WINDOW_US, STILL_WINDOW_US, Seen
from shiprider.observe.fingerprint import position_payload, table_payload
from shiprider.observe.receivers import declared_kinds
from shiprider.observe.validate import observation_flaws, origin_flaws, statement_flaws

#: Half a knot: below it a vessel may repeat its position to the last digit.
_MOVING_MPS: Final = 0.257

_STATEMENT_PAYLOAD: Final = (
    "claimed_id",
    "message_type",
    "nature",
    "imo",
    "callsign",
    "name",
    "ship_type",
    "to_bow_m",
    "to_stern_m",
    "to_port_m",
    "to_starboard_m",
    "draught_m",
    "destination",
    "eta_month",
    "eta_day",
    "eta_hour",
    "eta_minute",
)
_MESSAGE_PAYLOAD: Final = (
    "claimed_id",
    "message_type",
    "nature",
    "destination_id",
    "dac",
    "fid",
    "text",
    "payload",
    "fields",
)


def _marked(table: pa.Table, flaws: NDArray[np.int32], duplicate_of: NDArray[np.int64]) -> pa.Table:
    table = table.set_column(table.schema.get_field_index("flaws"), "flaws", pa.array(flaws, pa.int32()))
    marks = pa.array(duplicate_of, pa.int64(), mask=duplicate_of < 0)
    return table.set_column(table.schema.get_field_index("duplicate_of"), "duplicate_of", marks)


class Cleaner:
    """Validates and marks duplicates. Holds only what the horizon of duplicates needs.

    `receivers` are the operator's: what they say of a source's kind stands above what its name suggests.
    """

    def __init__(self, receivers: Receivers | None = None) -> None:
        self._receivers = receivers
        self._positions = Seen()
        self._statements = Seen()
        self._messages = Seen()

    def clean(
        self, observations: pa.Table, statements: pa.Table, messages: pa.Table
    ) -> tuple[pa.Table, pa.Table, pa.Table]:
        """The three tables, judged. Schemas of `model.tables`; each call takes the rows after the last call's."""
        # Most batches have no messages, and looking at thirty empty columns takes as long as at full ones.
        if observations.num_rows:
            observations = self._clean_observations(declared_kinds(observations, self._receivers))
        if statements.num_rows:
            flaws = statement_flaws(statements)
            statements = self._clean_texts(statements, flaws, _STATEMENT_PAYLOAD, self._statements)
        if messages.num_rows:
            messages = self._clean_texts(messages, origin_flaws(messages), _MESSAGE_PAYLOAD, self._messages)
        return observations, statements, messages

    def _clean_observations(self, table: pa.Table) -> pa.Table:
        flaws = observation_flaws(table)
        speed = floats(table["speed_mps"], np.float32)
        payload = position_payload(
            integers(table["claimed_id"], np.int64, 0),
            integers(table["message_type"], np.int8, 0),
            integers(table["nature"], np.int8, 0),
            integers(table["nav_status"], np.int8, 15),
            floats(table["latitude_deg"]).view(np.int64),
            floats(table["longitude_deg"]).view(np.int64),
            speed.view(np.int32),
            floats(table["course_deg"], np.float32).view(np.int32),
            floats(table["heading_deg"], np.float32).view(np.int32),
        )
        transmitter = integers(table["transmitter_class"], np.int8, 0)
        fixed = (transmitter == TransmitterClass.BASE_STATION) | (
            transmitter == TransmitterClass.AID_TO_NAVIGATION
        )
        placeless = (flaws & int(Flaw.POSITION_UNAVAILABLE)) != 0
        still = np.where(fixed | placeless, FIXED_WINDOW_US, STILL_WINDOW_US)
        window = np.where(speed > _MOVING_MPS, MOVING_WINDOW_US, still)
        duplicate_of = self._positions.mark(
            payload,
            integers(table["time"], np.int64, 0),
            integers(table["raw"], np.int64, 0),
            window,
            (flaws & int(Flaw.TIME_FUTURE)) != 0,
        )
        return _marked(table, flaws, duplicate_of)

    @staticmethod
    def _clean_texts(
        table: pa.Table, flaws: NDArray[np.int32], names: tuple[str, ...], seen: Seen
    ) -> pa.Table:
        duplicate_of = seen.mark(
            table_payload(table, names),
            integers(table["time"], np.int64, 0),
            integers(table["raw"], np.int64, 0),
            np.full(table.num_rows, MOVING_WINDOW_US, np.int64),
            (flaws & int(Flaw.TIME_FUTURE)) != 0,
        )
        return _marked(table, flaws, duplicate_of)

    def snapshot(self) -> bytes:
        """All that is needed to go on from here."""
        arrays: dict[str, NDArray[np.generic]] = {}
        for name, seen in (("p", self._positions), ("s", self._statements), ("m", self._messages)):
            arrays[name + "k"], arrays[name + "t"], arrays[name + "r"] = seen.entries()
            arrays[name + "n"] = np.array([seen.newest, seen.votes], np.int64)
        buffer = io.BytesIO()
        np.savez(buffer, allow_pickle=False, **arrays)
        return buffer.getvalue()

    def restore(self, snapshot: bytes) -> None:
        """Go on from a snapshot."""
        with np.load(io.BytesIO(snapshot), allow_pickle=False) as arrays:
            self._positions, self._statements, self._messages = (
                Seen.of(arrays[n + "k"], arrays[n + "t"], arrays[n + "r"], *arrays[n + "n"].tolist())
                for n in "psm"
            )
