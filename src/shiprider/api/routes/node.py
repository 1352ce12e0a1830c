"""What the node knows of itself: reception, quarantine, calibration."""

from typing import Annotated, Final

import h3
from litestar import get
from litestar.params import Parameter

from shiprider.api.asking import Asked, BoxText, Here, TimeOf, box_of
from shiprider.api.failures import documented
from shiprider.api.schemas import node as s
from shiprider.api.words import word
from shiprider.flow.calibration import calibration_report
from shiprider.flow.layers import DEFAULT_SPAN_US
from shiprider.model.errors import UsageError

TAG: Final = ["node"]


@get(
    "/reception",
    operation_id="get_reception",
    summary="The reception layer: where silence would be noticed",
    tags=["picture"],
    responses=documented(),
    sync_to_thread=True,
)
def get_reception(
    rendering: Asked,
    site: Here,
    bbox: BoxText = None,
    start_us: TimeOf = None,
    end_us: TimeOf = None,
    resolution: Annotated[
        int | None, Parameter(ge=0, le=15, description="H3 resolution; at most the one that is kept.")
    ] = None,
) -> s.ReceptionOut:
    """Cells not listed have never been heard: uncovered, not empty."""
    end = end_us if end_us is not None else (rendering.view.picture.newest_us or site.clock()) + 1
    start = start_us if start_us is not None else max(end - DEFAULT_SPAN_US, 0)
    if start >= end:
        raise UsageError("The span must end after it begins: choose another span.")
    layer = rendering.view.reception(start, end, box_of(bbox), resolution)
    cells = []
    for at in range(len(layer.cell)):
        cell = h3.int_to_str(int(layer.cell[at]))
        expected = float(layer.expected[at])
        received = int(layer.received[at])
        cells.append(
            s.ReceptionCell(
                cell=cell,
                ring=[[longitude, latitude] for latitude, longitude in h3.cell_to_boundary(cell)],
                expected=expected,
                received=received,
                ratio=min(received / expected, 1.0) if expected > 0 else None,
                vessels=int(layer.vessels[at]),
                terrestrial=int(layer.terrestrial[at]),
                satellite=int(layer.satellite[at]),
            )
        )
    return s.ReceptionOut(
        start_us=start,
        end_us=end,
        resolution=layer.resolution,
        cells=cells,
        thinned=layer.total > len(cells),
    )


@get(
    "/quarantine",
    operation_id="get_quarantine",
    summary="What could not be decoded, by reason",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_quarantine(rendering: Asked) -> s.QuarantineOut:
    """The bytes are kept and can be replayed."""
    refused = rendering.view.quarantine()
    return s.QuarantineOut(
        total=sum(each.count for each in refused),
        reasons=[
            s.QuarantineReason(
                reason=each.reason,
                count=each.count,
                first_us=each.first_us,
                last_us=each.last_us,
                example=each.example,
                example_raw=each.example_raw,
            )
            for each in refused
        ],
    )


@get(
    "/calibration",
    operation_id="get_calibration",
    summary="Whether scores mean what they say",
    tags=TAG,
    responses=documented(),
    sync_to_thread=True,
)
def get_calibration(rendering: Asked) -> s.CalibrationOut:
    """Decided alerts by the probability they were shown with, against how many were confirmed."""
    report = calibration_report(rendering.view)
    return s.CalibrationOut(
        model=report.model,
        decided=report.decided,
        confirmed=report.confirmed,
        needed=report.needed,
        brier=report.brier,
        bins=[
            s.CalibrationBin(
                low=each.low,
                high=each.high,
                mean_probability=each.mean_score,
                count=each.count,
                confirmed=each.worth,
                observed=each.share,
                observed_low=each.share_low,
                observed_high=each.share_high,
            )
            for each in report.rows
        ],
        simulated=report.simulated,
        behaviours=dict(report.behaviours),
        text=word("calibration", "prior" if report.model == "prior" else "fitted", rendering.language),
    )


HANDLERS = [get_reception, get_quarantine, get_calibration]
