/** What the tools draw: range and bearing, closest approach, an area being drawn, the selection, a search's fan. */
import type { Layer } from "@deck.gl/core";
import { LineLayer, PolygonLayer, ScatterplotLayer } from "@deck.gl/layers";
import { type ClosestApproach, destination, type Mover, type Point } from "../measure/geodesy";
import type { Atlas } from "./icons";
import type { Palette } from "./palette";
import SymbolLayer from "./symbolLayer";

export interface ToolDrawing {
  palette: Palette;
  atlas: Atlas;
  tool: "none" | "range" | "approach" | "area";
  ends: Point[];
  approach: ClosestApproach | null;
  ring: Point[];
  selected: Point[];
  fan: Mover | null;
}

const FAN_S = 1800;
/** How far a course may wander in the fan, degrees to either side; and the share by which a speed may. */
const FAN_DEG = 12;
const FAN_SPEED = 0.15;
const lonLat = (p: Point): [number, number] => [p.longitude, p.latitude];

/** Where a vessel may be within half an hour if it wanders a little: a widening fan. */
function fanRing(m: Mover): [number, number][] {
  const far = m.speedMps * FAN_S * (1 + FAN_SPEED);
  const arc = Array.from({ length: 13 }, (_, i) => destination(m, far, m.courseDeg - FAN_DEG + (i * 2 * FAN_DEG) / 12));
  return [m, ...arc, m].map(lonLat);
}

export function toolLayers(d: ToolDrawing): Layer[] {
  const { accent, caution, text } = d.palette.rgb;
  const layers: Layer[] = [];
  if (d.fan && d.fan.speedMps > 0.5) {
    layers.push(
      new PolygonLayer<[number, number][]>({
        id: "fan",
        data: [fanRing(d.fan)],
        getPolygon: (ring) => ring,
        getFillColor: [...accent, 28],
        getLineColor: [...accent, 130],
        getLineWidth: 1,
        lineWidthUnits: "pixels",
      }),
    );
  }
  if (d.selected.length) {
    layers.push(
      new SymbolLayer({
        id: "selected",
        data: d.selected,
        atlas: d.atlas.image,
        cell: d.atlas.cell,
        mask: true,
        minPixels: 38,
        getPosition: lonLat,
        getFrame: d.atlas.frames.selected!,
        getColor: [...accent, 255],
        updateTriggers: { getColor: d.palette.css.accent },
      } as ConstructorParameters<typeof SymbolLayer>[0]),
    );
  }
  const lines: [Point, Point, readonly number[]][] = [];
  if (d.ends.length === 2) lines.push([d.ends[0]!, d.ends[1]!, accent]);
  if (d.approach && d.ends.length === 2) {
    lines.push([d.ends[0]!, d.approach.first, text], [d.ends[1]!, d.approach.second, text], [d.approach.first, d.approach.second, caution]);
  }
  d.ring.forEach((point, i) => {
    if (i) lines.push([d.ring[i - 1]!, point, accent]);
  });
  if (d.ring.length > 2) lines.push([d.ring.at(-1)!, d.ring[0]!, text]);
  if (lines.length)
    layers.push(
      new LineLayer<[Point, Point, readonly number[]]>({
        id: "tool-lines",
        data: lines,
        getSourcePosition: ([a]) => lonLat(a),
        getTargetPosition: ([a, b]) => [b.longitude - a.longitude > 180 ? b.longitude - 360 : b.longitude - a.longitude < -180 ? b.longitude + 360 : b.longitude, b.latitude],
        getColor: ([, , rgb]) => [rgb[0]!, rgb[1]!, rgb[2]!, 230],
        getWidth: 1.5,
        widthUnits: "pixels",
      }),
    );
  const dots = [...d.ends, ...d.ring, ...(d.approach ? [d.approach.first, d.approach.second] : [])];
  if (dots.length)
    layers.push(
      new ScatterplotLayer<Point>({
        id: "tool-ends",
        data: dots,
        getPosition: lonLat,
        getRadius: 4,
        radiusUnits: "pixels",
        getFillColor: [...accent, 255],
      }),
    );
  return layers;
}
