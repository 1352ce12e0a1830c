"""What the operator says of receivers: which source is a satellite, a shore station, an aircraft, a vessel.

Always true: a row whose source the operator did not name keeps the kind it came with.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from shiprider.model.columns import integers
from shiprider.model.world import Receivers


def declared_kinds(observations: pa.Table, receivers: Receivers | None) -> pa.Table:
    """The same rows with `receiver_kind` as declared for their `receiver`, else for their `feed`.

    Sources are compared without regard to case or outer blanks. Of several rows of one source (a
    receiver with two antennas) the last one counts.
    """
    if receivers is None or not receivers.source or not observations.num_rows:
        return observations
    kind_of = {
        name.strip().casefold(): int(kind)
        for name, kind in zip(receivers.source, receivers.kind, strict=True)
    }
    kinds = integers(observations["receiver_kind"], np.int8, 0).copy()
    for column in ("feed", "receiver"):
        texts = pc.dictionary_encode(observations[column].combine_chunks())
        if isinstance(texts, pa.ChunkedArray):
            texts = texts.combine_chunks()
        declared = np.array(
            [kind_of.get(str(name).strip().casefold(), -1) for name in texts.dictionary.to_pylist()] + [-1],
            np.int8,
        )
        found = declared[texts.indices.fill_null(len(declared) - 1).to_numpy(zero_copy_only=False)]
        kinds = np.where(found >= 0, found, kinds)
    at = observations.schema.get_field_index("receiver_kind")
    return observations.set_column(at, observations.schema.field(at), pa.array(kinds, pa.int8()))
