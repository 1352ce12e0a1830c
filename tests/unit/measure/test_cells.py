"""H3 cells against the H3 library, point by point."""

import h3
import numpy as np
import pytest

from shiprider.measure.cells import NO_CELL, h3_cells, h3_centres


@pytest.mark.parametrize("resolution", [0, 3, 5, 8, 15])
def test_cells_are_the_library_s(resolution: int) -> None:
    rng = np.random.default_rng(resolution)
    lat = np.concatenate((np.degrees(np.arcsin(rng.uniform(-1, 1, 3000))), [90.0, -90.0, 0.0, 0.0]))
    lon = np.concatenate((rng.uniform(-180, 180, 3000), [0.0, 10.0, 180.0, -180.0]))
    expected = [int(h3.latlng_to_cell(a, b, resolution), 16) for a, b in zip(lat, lon, strict=True)]
    assert h3_cells(lat, lon, resolution).tolist() == expected


def test_no_position_is_no_cell() -> None:
    lat = np.array([np.nan, 91.0, 10.0, 10.0])
    lon = np.array([0.0, 0.0, np.nan, 20.0])
    cells = h3_cells(lat, lon, 4)
    assert cells[:3].tolist() == [NO_CELL] * 3
    assert cells[3] != NO_CELL
    centres = h3_centres(cells)
    assert np.isnan(centres[0][:3]).all()
    assert (centres[0][3], centres[1][3]) == h3.cell_to_latlng(h3.int_to_str(int(cells[3])))


@pytest.mark.parametrize("resolution", [2, 4, 5, 7, 9])
@pytest.mark.parametrize(
    "place", ["pentagon", "edge of the icosahedron", "pole", "180th meridian", "anywhere"]
)
def test_remembered_cells_change_nothing(resolution: int, place: str) -> None:
    """Many positions close together, so that nearly all are decided from memory, twice over."""
    middle = {
        "pentagon": h3.cell_to_latlng(sorted(h3.get_pentagons(resolution))[3]),
        "edge of the icosahedron": (58.282525588538995, 31.0),
        "pole": (90.0, 0.0),
        "180th meridian": (10.0, 180.0),
        "anywhere": (15.3, -75.7),
    }[place]
    width = 4.0 * h3.average_hexagon_edge_length(resolution, unit="km") / 111.0
    rng = np.random.default_rng(resolution)
    lat = np.clip(middle[0] + rng.uniform(-width, width, 6000), -90.0, 90.0)
    lon = (
        middle[1] + rng.uniform(-width, width, 6000) / max(0.01, np.cos(np.radians(middle[0]))) + 180
    ) % 360 - 180
    expected = [int(h3.latlng_to_cell(a, b, resolution), 16) for a, b in zip(lat, lon, strict=True)]
    for _ in range(2):
        assert h3_cells(lat, lon, resolution).tolist() == expected


def test_corners_and_sides_of_cells() -> None:
    """Where remembering could go wrong first: on the very boundary."""
    cell = h3.latlng_to_cell(15.0, -75.0, 5)
    corners = np.array([point for near in h3.grid_disk(cell, 3) for point in h3.cell_to_boundary(near)])
    shares = np.linspace(0.0, 1.0, 7)[:, None, None]
    sides = (corners[None, :-1] * shares + corners[None, 1:] * (1.0 - shares)).reshape(-1, 2)
    expected = [int(h3.latlng_to_cell(a, b, 5), 16) for a, b in sides]
    assert h3_cells(sides[:, 0], sides[:, 1], 5).tolist() == expected
