"""A routable sea: a grid of water cells on which any two places are joined without crossing land.

Always true: a route never crosses land as `is_land` knows it, except in the last few kilometres to a
berth; a grid is a pure function of the geography. Routes prefer the lanes handed in, keep clear of
coasts, and are straightened where nothing is in the way.
"""

import itertools
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse import csgraph

from shiprider.measure.kernels import kernel
from shiprider.simulate.geography import Geography

F64 = NDArray[np.float64]

#: Degrees between the nodes of the grid, and of the finer land raster that sight lines are tested on.
NODE_STEP_DEG = 0.1
FINE_PER_NODE = 4
FINE_STEP_DEG = NODE_STEP_DEG / FINE_PER_NODE
#: A lane is this much cheaper than open sea, coastal water this much dearer (our choice).
LANE_COST = 0.75
COASTAL_COST = 1.6
#: How far a local search for ways reaches, in nodes of open sea (about 450 km).
LOCAL_COST = 40.0
#: A port that is farther than this from open water is left out (inland customs posts, rivers).
PORT_REACH_DEG = 0.28
#: How far a straightened route may leave the grid path, so that it still follows its lane.
STRAIGHTEN_DEG = 0.12


@kernel
def _clear(water: NDArray[np.bool_], row0: float, col0: float, row1: float, col1: float) -> bool:
    """True when the straight line between two fine-raster coordinates stays on water."""
    steps = int(max(abs(row1 - row0), abs(col1 - col0)) * 2.0) + 1
    for i in range(steps + 1):
        part = i / steps
        row = int(row0 + (row1 - row0) * part + 0.5)
        col = int(col0 + (col1 - col0) * part + 0.5)
        if row < 0 or col < 0 or row >= water.shape[0] or col >= water.shape[1] or not water[row, col]:
            return False
    return True


@kernel
def _straighten(water: NDArray[np.bool_], rows: F64, cols: F64, tolerance: float) -> NDArray[np.int64]:
    """Indices of the points to keep: greedy sight lines that stay within `tolerance` of the path."""
    n = len(rows)
    keep = np.empty(n, np.int64)
    keep[0] = 0
    count = 1
    at = 0
    while at < n - 1:
        best = at + 1
        reach = at + 2
        while reach < n and reach - at < 400:
            if not _clear(water, rows[at], cols[at], rows[reach], cols[reach]):
                break
            dr = rows[reach] - rows[at]
            dc = cols[reach] - cols[at]
            length = np.sqrt(dr * dr + dc * dc) + 1e-9
            worst = 0.0
            for i in range(at + 1, reach):
                off = abs(dr * (cols[i] - cols[at]) - dc * (rows[i] - rows[at])) / length
                worst = max(worst, off)
            if worst > tolerance:
                break
            best = reach
            reach += 1
        at = best
        keep[count] = at
        count += 1
    return keep[:count]


@dataclass(slots=True)
class SeaGrid:
    """The grid, the ports that reach it, and a memory of routes already found."""

    geography: Geography
    #: Clear of land by about 3 km; what sight lines are tested on.
    _sight: NDArray[np.bool_]
    _node_of: NDArray[np.int64]
    _node_latitude: F64
    _node_longitude: F64
    _graph: sparse.csr_matrix
    #: Metres to the nearest land, on the fine raster.
    shore_m: NDArray[np.float32]
    port_index: NDArray[np.int64]
    port_name: tuple[str, ...]
    port_country: tuple[str, ...]
    berth_latitude_deg: F64
    berth_longitude_deg: F64
    _port_node: NDArray[np.int64]
    _trees: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]] = field(default_factory=dict)
    _near_trees: dict[int, tuple[NDArray[np.int32], NDArray[np.int32]]] = field(default_factory=dict)
    _routes: dict[tuple[int, int], F64] = field(default_factory=dict)

    def node_near(self, latitude_deg: float, longitude_deg: float) -> int:
        """The nearest grid node, -1 where there is none within 0.3 degrees."""
        region = self.geography.region
        row = (latitude_deg - region.south_deg) / NODE_STEP_DEG
        col = (longitude_deg - region.west_deg) / NODE_STEP_DEG
        best, best_distance = -1, 1e9
        for r in range(int(row) - 3, int(row) + 5):
            for c in range(int(col) - 3, int(col) + 5):
                if 0 <= r < self._node_of.shape[0] and 0 <= c < self._node_of.shape[1]:
                    node = int(self._node_of[r, c])
                    distance = (r - row) ** 2 + (c - col) ** 2
                    if node >= 0 and distance < best_distance:
                        best, best_distance = node, distance
        return best if best_distance < 9.5 else -1

    def distance_to_shore_m(self, latitude_deg: F64, longitude_deg: F64) -> F64:
        """Metres to land on the fine raster (2 to 3 km coarse), shape of the input."""
        region = self.geography.region
        rows = np.rint((np.asarray(latitude_deg) - region.south_deg) / FINE_STEP_DEG).astype(np.int64)
        cols = np.rint((np.asarray(longitude_deg) - region.west_deg) / FINE_STEP_DEG).astype(np.int64)
        rows = np.clip(rows, 0, self.shore_m.shape[0] - 1)
        cols = np.clip(cols, 0, self.shore_m.shape[1] - 1)
        return self.shore_m[rows, cols].astype(np.float64)

    def _ways_to(self, root: int, node: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Reached nodes, ascending, and the predecessor of each on its way from `root`.

        Of the sea around the root if that reaches `node` (small enough to keep for every port), else of
        the whole sea.
        """
        for trees, limit in ((self._near_trees, LOCAL_COST), (self._trees, np.inf)):
            tree = trees.get(root)
            if tree is None:
                if limit < np.inf and self._far(root, node):
                    continue
                _, before = csgraph.dijkstra(
                    self._graph, indices=np.array([root]), return_predecessors=True, limit=limit
                )
                reached = np.flatnonzero(before[0] >= 0).astype(np.int32)
                tree = (reached, before[0][reached].astype(np.int32))
                trees[root] = tree
            at = int(np.searchsorted(tree[0], node))
            if node == root or (at < len(tree[0]) and tree[0][at] == node):
                return tree
        return np.empty(0, np.int32), np.empty(0, np.int32)

    def _far(self, root: int, node: int) -> bool:
        """True when a local tree surely does not reach."""
        apart = max(
            abs(self._node_latitude[root] - self._node_latitude[node]),
            abs(self._node_longitude[root] - self._node_longitude[node]) * 0.85,
        )
        return bool(apart / NODE_STEP_DEG * LANE_COST > LOCAL_COST)

    def _path(self, root: int, node: int) -> F64 | None:
        """Straightened way from `node` to `root`, shape (k, 2), or None."""
        reached, before = self._ways_to(root, node)
        path = [node]
        while path[-1] != root:
            at = int(np.searchsorted(reached, path[-1]))
            if at >= len(reached) or reached[at] != path[-1]:
                return None
            path.append(int(before[at]))
        nodes = np.asarray(path)
        latitude, longitude = self._node_latitude[nodes], self._node_longitude[nodes]
        region = self.geography.region
        keep = _straighten(
            self._sight,
            (latitude - region.south_deg) / FINE_STEP_DEG,
            (longitude - region.west_deg) / FINE_STEP_DEG,
            STRAIGHTEN_DEG / FINE_STEP_DEG,
        )
        return np.column_stack((latitude[keep], longitude[keep]))

    def port_to_port(self, origin: int, destination: int) -> F64 | None:
        """Way from one port's berth to another's, shape (k, 2) of latitude, longitude; None if unjoined."""
        key = (origin, destination)
        if key in self._routes:
            return self._routes[key]
        way = self._path(int(self._port_node[origin]), int(self._port_node[destination]))
        if way is None:
            return None
        whole = np.vstack((self.berth(origin)[None], way[::-1], self.berth(destination)[None]))
        self._routes[key] = whole
        self._routes[(destination, origin)] = whole[::-1].copy()
        return whole

    def port_to_place(self, origin: int, latitude_deg: float, longitude_deg: float) -> F64 | None:
        """Way from a port's berth to a place at sea, shape (k, 2); None where it cannot be reached."""
        node = self.node_near(latitude_deg, longitude_deg)
        if node < 0:
            return None
        way = self._path(int(self._port_node[origin]), node)
        if way is None:
            return None
        way = way[::-1]
        if len(way) > 1 and self._seen(way[-2], np.array([latitude_deg, longitude_deg])):
            way = way[:-1]
        return np.vstack((self.berth(origin)[None], way, [[latitude_deg, longitude_deg]]))

    def _seen(self, a: F64, b: F64) -> bool:
        """True when a straight line between two places keeps clear of land."""
        region = self.geography.region
        corner = np.array([region.south_deg, region.west_deg])
        (row0, col0), (row1, col1) = (a - corner) / FINE_STEP_DEG, (b - corner) / FINE_STEP_DEG
        return bool(_clear(self._sight, float(row0), float(col0), float(row1), float(col1)))

    def berth(self, port: int) -> F64:
        """Latitude and longitude of a port's berths, shape (2,)."""
        return np.array([self.berth_latitude_deg[port], self.berth_longitude_deg[port]])

    def __len__(self) -> int:
        return len(self.port_index)


def build_sea_grid(geography: Geography) -> SeaGrid:
    """Lay the grid over the geography: about 0.5 s for the Caribbean and the eastern Pacific."""
    region = geography.region
    rows = round((region.north_deg - region.south_deg) / NODE_STEP_DEG)
    cols = round((region.east_deg - region.west_deg) / NODE_STEP_DEG)
    fine_latitude = region.south_deg + np.arange(rows * FINE_PER_NODE) * FINE_STEP_DEG
    fine_longitude = region.west_deg + np.arange(cols * FINE_PER_NODE) * FINE_STEP_DEG
    mesh = np.meshgrid(fine_latitude, fine_longitude, indexing="ij")
    # Nine places of each cell are tested, about 900 m apart, so that a small island is not stepped over.
    land = np.zeros(mesh[0].shape, np.bool_)
    for shift_lat in (-0.33, 0.0, 0.33):
        for shift_lon in (-0.33, 0.0, 0.33):
            points = (
                (mesh[0] + shift_lat * FINE_STEP_DEG).ravel(),
                (mesh[1] + shift_lon * FINE_STEP_DEG).ravel(),
            )
            land |= geography.is_land(*points).reshape(land.shape)
    water = ~land
    cells = ndimage.distance_transform_edt(water)
    shore_m = (cells * FINE_STEP_DEG * 111_195.0).astype(np.float32)
    sight = cells > 1.5
    node_rows = np.arange(rows) * FINE_PER_NODE
    node_cols = np.arange(cols) * FINE_PER_NODE
    open_water = sight[np.ix_(node_rows, node_cols)]
    groups, _ = ndimage.label(open_water, structure=np.ones((3, 3)))
    sizes = np.bincount(groups.ravel())
    sizes[0] = 0
    # Seas joined only through a canal are both kept; ponds and lakes are not.
    big = np.isin(groups, np.flatnonzero(sizes > 2000))
    node_of = np.full((rows, cols), -1, np.int64)
    node_of[big] = np.arange(int(big.sum()))
    row_of, col_of = np.nonzero(big)
    graph = _graph(geography, node_of, sight, shore_m, row_of, col_of)
    grid = SeaGrid(
        geography=geography,
        _sight=sight,
        _node_of=node_of,
        _node_latitude=np.asarray(region.south_deg + row_of * NODE_STEP_DEG, np.float64),
        _node_longitude=np.asarray(region.west_deg + col_of * NODE_STEP_DEG, np.float64),
        _graph=graph,
        shore_m=shore_m,
        port_index=np.empty(0, np.int64),
        port_name=(),
        port_country=(),
        berth_latitude_deg=np.empty(0),
        berth_longitude_deg=np.empty(0),
        _port_node=np.empty(0, np.int64),
    )
    _find_berths(grid, water)
    return grid


def _graph(
    geography: Geography,
    node_of: NDArray[np.int64],
    sight: NDArray[np.bool_],
    shore_m: NDArray[np.float32],
    row_of: NDArray[np.int64],
    col_of: NDArray[np.int64],
) -> sparse.csr_matrix:
    """Eight neighbours, weighted by length, lanes and the nearness of land."""
    region = geography.region
    on_lane = np.zeros(node_of.shape, np.bool_)
    for lane in geography.lanes:
        for (lat0, lon0), (lat1, lon1) in itertools.pairwise(lane):
            steps = int(max(abs(lat1 - lat0), abs(lon1 - lon0)) / (NODE_STEP_DEG / 2)) + 2
            r = np.rint((np.linspace(lat0, lat1, steps) - region.south_deg) / NODE_STEP_DEG).astype(np.int64)
            c = np.rint((np.linspace(lon0, lon1, steps) - region.west_deg) / NODE_STEP_DEG).astype(np.int64)
            good = (r >= 0) & (c >= 0) & (r < node_of.shape[0]) & (c < node_of.shape[1])
            on_lane[r[good], c[good]] = True
    shore_nodes = shore_m[::FINE_PER_NODE, ::FINE_PER_NODE]
    factor = np.where(on_lane, LANE_COST, 1.0) * np.where(shore_nodes < 12_000.0, COASTAL_COST, 1.0)
    latitude = region.south_deg + row_of * NODE_STEP_DEG
    starts, ends, costs = [], [], []
    for dr, dc in ((0, 1), (1, 0), (1, 1), (1, -1)):
        r, c = row_of + dr, col_of + dc
        good = (r < node_of.shape[0]) & (c >= 0) & (c < node_of.shape[1])
        source = np.flatnonzero(good)
        target = node_of[r[good], c[good]]
        kept = target >= 0
        source, target = source[kept], target[kept]
        half_r = (row_of[source] + row_of[target]) * FINE_PER_NODE // 2
        half_c = (col_of[source] + col_of[target]) * FINE_PER_NODE // 2
        clear = sight[half_r, half_c]
        source, target = source[clear], target[clear]
        length = np.hypot(dr, dc * np.cos(np.deg2rad(latitude[source])))
        weight = 0.5 * (factor[row_of[source], col_of[source]] + factor[row_of[target], col_of[target]])
        starts += [source, target]
        ends += [target, source]
        costs += [length * weight, length * weight]
    n = len(row_of)
    return sparse.csr_matrix((np.concatenate(costs), (np.concatenate(starts), np.concatenate(ends))), (n, n))


def _find_berths(grid: SeaGrid, water: NDArray[np.bool_]) -> None:
    """Each port's berth: the nearest water from which a grid node can be seen."""
    geography, region = grid.geography, grid.geography.region
    reach = int(PORT_REACH_DEG / FINE_STEP_DEG)
    kept: list[tuple[int, float, float, int]] = []
    for port in range(len(geography.port_name)):
        row = (geography.port_latitude_deg[port] - region.south_deg) / FINE_STEP_DEG
        col = (geography.port_longitude_deg[port] - region.west_deg) / FINE_STEP_DEG
        r0, r1 = max(0, int(row) - reach), min(water.shape[0], int(row) + reach + 1)
        c0, c1 = max(0, int(col) - reach), min(water.shape[1], int(col) + reach + 1)
        rs, cs = np.nonzero(water[r0:r1, c0:c1])
        if len(rs) == 0:
            continue
        rs, cs = rs + r0, cs + c0
        order = np.argsort((rs - row) ** 2 + (cs - col) ** 2, kind="stable")[:60]
        for k in order:
            latitude = region.south_deg + rs[k] * FINE_STEP_DEG
            longitude = region.west_deg + cs[k] * FINE_STEP_DEG
            node = _node_in_sight(grid, water, float(rs[k]), float(cs[k]))
            if node >= 0:
                kept.append((port, latitude, longitude, node))
                break
    grid.port_index = np.array([k[0] for k in kept], np.int64)
    grid.port_name = tuple(geography.port_name[k[0]] for k in kept)
    grid.port_country = tuple(geography.port_country[k[0]] for k in kept)
    grid.berth_latitude_deg = np.array([k[1] for k in kept])
    grid.berth_longitude_deg = np.array([k[2] for k in kept])
    grid._port_node = np.array([k[3] for k in kept], np.int64)


def _node_in_sight(grid: SeaGrid, water: NDArray[np.bool_], row: float, col: float) -> int:
    """The nearest node that a straight line over water joins to a place on the fine raster, or -1."""
    region = grid.geography.region
    seen: list[tuple[float, int, int, int]] = []
    for r in range(int(row) // FINE_PER_NODE - 3, int(row) // FINE_PER_NODE + 5):
        for c in range(int(col) // FINE_PER_NODE - 3, int(col) // FINE_PER_NODE + 5):
            if 0 <= r < grid._node_of.shape[0] and 0 <= c < grid._node_of.shape[1]:
                node = int(grid._node_of[r, c])
                if node >= 0:
                    seen.append(((r * FINE_PER_NODE - row) ** 2 + (c * FINE_PER_NODE - col) ** 2, node, r, c))
    part = np.linspace(0.0, 1.0, 60)
    for _, node, r, c in sorted(seen):
        if not _clear(water, row, col, float(r * FINE_PER_NODE), float(c * FINE_PER_NODE)):
            continue
        latitude = region.south_deg + (row + (r * FINE_PER_NODE - row) * part) * FINE_STEP_DEG
        longitude = region.west_deg + (col + (c * FINE_PER_NODE - col) * part) * FINE_STEP_DEG
        if not grid.geography.is_land(latitude, longitude).any():
            return node
    return -1
