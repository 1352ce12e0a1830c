/** Where the camera goes to show a set of points. */
import type { Point } from "../measure/geodesy";

/** Corners [west, south], [east, north]; east exceeds 180 where the points lie across the 180th meridian. */
export function boxAround(points: readonly Point[]): [[number, number], [number, number]] | null {
  if (!points.length) return null;
  const start = points[0]!.longitude;
  let [west, east, south, north] = [0, 0, 90, -90];
  for (const point of points) {
    const off = ((((point.longitude - start + 180) % 360) + 360) % 360) - 180;
    west = Math.min(west, off);
    east = Math.max(east, off);
    south = Math.min(south, point.latitude);
    north = Math.max(north, point.latitude);
  }
  return [
    [start + west, south],
    [start + east, north],
  ];
}
