"""Which statements say something new.

Always true: a row is left out only where the same identity's row before it, in the same batch, says
exactly the same; so nothing that a fold could learn is lost, however batches are cut.
"""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from shiprider.model.rows import StatementRows


def changed_rows(rows: StatementRows) -> NDArray[np.int64]:
    """Rows that differ from the same identity's row before, in order of time."""
    n = len(rows)
    if n == 0:
        return np.zeros(0, np.int64)
    texts = [
        pa.array(column, pa.string()).dictionary_encode().indices.fill_null(-1).to_numpy(zero_copy_only=False)
        for column in (rows.name, rows.callsign)
    ]
    columns = [rows.imo, rows.ship_type, rows.length_m, *texts]
    order = np.lexsort((np.arange(n), rows.claimed_id))
    differs = np.ones(n, np.bool_)
    differs[1:] = rows.claimed_id[order][1:] != rows.claimed_id[order][:-1]
    for column in columns:
        sorted_column = np.asarray(column)[order]
        differs[1:] |= sorted_column[1:] != sorted_column[:-1]
    return np.sort(order[differs])
