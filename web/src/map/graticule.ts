/** Meridians and parallels of the view, at a step that leaves a handful of each. */
import type { Feature, FeatureCollection, LineString } from "geojson";

const STEPS_DEG = [30, 20, 10, 5, 2, 1, 1 / 2, 1 / 6, 1 / 12, 1 / 30, 1 / 60, 1 / 120, 1 / 600];
const LINES_ACROSS = 7;

export interface Bounds {
  west: number;
  south: number;
  east: number;
  north: number;
}

export function graticuleStep(bounds: Bounds): number {
  const width = bounds.east - bounds.west;
  return STEPS_DEG.find((step) => width / step >= LINES_ACROSS) ?? STEPS_DEG.at(-1)!;
}

const range = (from: number, to: number, step: number): number[] => {
  const values: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + 1e-9; i++) values.push(i * step);
  return values;
};

export interface Graticule {
  lines: FeatureCollection<LineString>;
  meridians: number[];
  parallels: number[];
  step: number;
}

/** `bounds.east` may exceed 180 where the view crosses the 180th meridian. */
export function graticule(bounds: Bounds): Graticule {
  const step = graticuleStep(bounds);
  const [south, north] = [Math.max(bounds.south, -85), Math.min(bounds.north, 85)];
  const meridians = range(bounds.west, bounds.east, step);
  const parallels = range(south, north, step);
  const line = (coordinates: [number, number][]): Feature<LineString> => ({
    type: "Feature",
    properties: {},
    geometry: { type: "LineString", coordinates },
  });
  return {
    lines: {
      type: "FeatureCollection",
      features: [
        ...meridians.map((x) => line([[x, south], [x, north]])),
        ...parallels.map((y) => line([[bounds.west, y], [bounds.east, y]])),
      ],
    },
    meridians,
    parallels,
    step,
  };
}

/** `23° N`, `23°30′ N`: no more than the step needs. */
export function graticuleLabel(value: number, step: number, hemispheres: string): string {
  const wrapped = hemispheres === "EW" ? ((((value + 180) % 360) + 360) % 360) - 180 : value;
  const total = Math.round(Math.abs(wrapped) * 600) / 600;
  const degrees = Math.floor(total + 1e-9);
  const minutes = (total - degrees) * 60;
  const side = Math.abs(wrapped) < 1e-9 ? "" : wrapped > 0 ? hemispheres[0] : hemispheres[1];
  const text = step >= 1 ? `${degrees}°` : `${degrees}°${minutes.toFixed(step < 1 / 60 ? 1 : 0).padStart(2, "0")}′`;
  return side ? `${text}${side}` : text;
}
