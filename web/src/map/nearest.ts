/**
 * What lies under the pointer, by looking the columns through.
 *
 * Always true: nothing is drawn to find it out. Picking on the GPU draws every layer once more and waits for
 * the pixels; without a GPU that costs as much as a frame, this a fraction of a millisecond for 50,000 vessels.
 */

/** Web Mercator, one world 1 wide. */
const mercatorX = (longitude: number): number => (longitude + 180) / 360;
const mercatorY = (latitude: number): number => {
  const s = Math.sin((Math.min(85.06, Math.max(-85.06, latitude)) * Math.PI) / 180);
  return 0.5 - Math.log((1 + s) / (1 - s)) / (4 * Math.PI);
};

/**
 * Index of the nearest of `count` positions (longitude, latitude, interleaved, degrees) within `radiusPx` of
 * a point, at a zoom (tiles of 512 pixels); -1 where there is none. The 180th meridian is no border.
 */
export function nearest(position: ArrayLike<number>, count: number, longitude: number, latitude: number, zoom: number, radiusPx: number): number {
  const world = 512 * 2 ** zoom;
  const [x, y] = [mercatorX(longitude), mercatorY(latitude)];
  const reach = radiusPx / world;
  // Cheap first: latitudes outside the band are passed over without a logarithm.
  const band = (reach * 360) / Math.max(0.05, Math.cos((latitude * Math.PI) / 180)) + reach * 360;
  let best = -1;
  let bestSquare = reach * reach;
  for (let i = 0; i < count; i++) {
    const lat = position[2 * i + 1]!;
    if (Math.abs(lat - latitude) > band) continue;
    let dx = Math.abs(mercatorX(position[2 * i]!) - x);
    dx -= Math.round(dx);
    const dy = mercatorY(lat) - y;
    const square = dx * dx + dy * dy;
    if (square <= bestSquare) {
      bestSquare = square;
      best = i;
    }
  }
  return best;
}
