/**
 * Vessels on the map, straight from the picture's columns.
 *
 * Always true: no object is made for a vessel; what is simulated, stale or under an alert is told by
 * shape before colour.
 */
import type { Layer } from "@deck.gl/core";
import { LineLayer, ScatterplotLayer, TextLayer } from "@deck.gl/layers";
import { decimal } from "../measure/units";
import { FLAG } from "../live/frame";
import type { Picture } from "../live/picture";
import { type Atlas, CLASS_NAMES } from "./icons";
import type { Palette } from "./palette";
import SymbolLayer from "./symbolLayer";

/** A position older than this is stale: dashed, faint. AIS at anchor reports every 3 minutes, by satellite far rarer. */
export const STALE_S = 1800;
const STALE_BY_SATELLITE_S = 4 * 3600;
/** Slower than half a knot, a vessel is drawn as lying still. */
const STILL_MPS = 0.257;
/** From here on hulls are in scale. */
const HULL_ZOOM = 13;
const VECTOR_ZOOM = 8;
/** Vectors show where a vessel will be in six minutes. */
const VECTOR_S = 360;
const METRES_PER_DEGREE = 111_195;
const SIMPLE_PX = 17;
const MILSTD_PX = 30;

export interface VesselDrawing {
  picture: Picture;
  version: number;
  palette: Palette;
  atlases: { simple: Atlas; milstd: Atlas };
  symbols: "simple" | "milstd";
  zoom: number;
  language: string;
  vectors: boolean;
  /** Alerts are as of now: they are not drawn on a picture as known then. */
  alerts: boolean;
  selected: ReadonlySet<number>;
  /** The tracks' own vessels move here while a time is played: the picture's are then hidden. */
  hidden: ReadonlySet<number>;
}

/** Columns derived from the picture once a frame. */
class Derived {
  angle = new Float32Array(0);
  colour = new Uint8Array(0);
  size = new Float32Array(0);
  targets = new Float64Array(0);
  frames = new Float32Array(0);
  alerts: number[] = [];
  watched: number[] = [];
  /** The same object until something changes: then deck.gl uploads nothing anew. */
  data: { length: number; attributes: Record<string, { value: Float32Array | Float64Array | Uint8Array; size: number }> } = { length: 0, attributes: {} };
  private key = "";

  update(d: VesselDrawing): void {
    const hull = d.zoom >= HULL_ZOOM;
    const key = [d.version, d.alerts, d.symbols, hull, d.vectors && d.zoom >= VECTOR_ZOOM, d.palette.css.vessel, [...d.selected], [...d.hidden]].join();
    if (key === this.key) return;
    this.key = key;
    const p = d.picture;
    const n = p.count;
    if (this.size.length < n) {
      const room = p.mmsi.length;
      this.angle = new Float32Array(room);
      this.colour = new Uint8Array(4 * room);
      this.size = new Float32Array(room);
      this.targets = new Float64Array(2 * room);
      this.frames = new Float32Array(2 * room);
    }
    this.alerts = [];
    this.watched = [];
    const milstd = d.symbols === "milstd";
    const { frames } = d.atlases[d.symbols];
    const nowS = p.timeUs / 1e6;
    const { vessel, simulated, accent } = d.palette.rgb;
    for (let i = 0; i < n; i++) {
      const flags = p.flags[i]!;
      const sim = (flags & FLAG.simulated) !== 0;
      const stale = nowS - p.timeS[i]! > (flags & FLAG.satellite ? STALE_BY_SATELLITE_S : STALE_S);
      const pointing = p.pointing[i]!;
      const kind = CLASS_NAMES[p.vesselClass[i]!] ?? "other";
      const fixed = kind === "base" || kind === "aid" || kind === "rescue";
      const turned = !milstd && !fixed && !Number.isNaN(pointing);
      const mmsi = p.mmsi[i]!;
      const alert = d.alerts && (flags & FLAG.alert) !== 0;
      let icon: string;
      if (milstd) icon = `${kind}${sim ? ".simulated" : ""}${alert ? ".alert" : ""}`;
      else {
        const still = !fixed && !turned && !(p.speedMps[i]! > STILL_MPS);
        const shape = still ? "still" : hull && turned && p.lengthM[i]! > 0 ? "hull" : kind;
        icon = `${shape}.${sim ? (stale ? "simulated-stale" : "simulated") : stale ? "stale" : "plain"}`;
      }
      const frame = frames[icon]!;
      this.frames[2 * i] = frame[0];
      this.frames[2 * i + 1] = frame[1];
      this.angle[i] = turned ? pointing : 0;
      this.size[i] = hull && !milstd ? p.lengthM[i]! : 0;
      const rgb = d.selected.has(mmsi) ? accent : sim ? simulated : vessel;
      this.colour[4 * i] = rgb[0];
      this.colour[4 * i + 1] = rgb[1];
      this.colour[4 * i + 2] = rgb[2];
      this.colour[4 * i + 3] = d.hidden.has(mmsi) ? 0 : stale ? 120 : milstd && alert ? 255 : 235;
      if (alert && !d.hidden.has(mmsi)) this.alerts.push(i);
      if (flags & FLAG.watchlist && !d.hidden.has(mmsi)) this.watched.push(i);
      const [x, y] = [p.position[2 * i]!, p.position[2 * i + 1]!];
      const run = stale || d.hidden.has(mmsi) || !(p.speedMps[i]! > STILL_MPS) || Number.isNaN(p.course[i]!) ? 0 : p.speedMps[i]! * VECTOR_S;
      const course = (p.course[i]! * Math.PI) / 180;
      this.targets[2 * i] = run ? x + (run * Math.sin(course)) / (METRES_PER_DEGREE * Math.max(0.05, Math.cos((y * Math.PI) / 180))) : x;
      this.targets[2 * i + 1] = run ? y + (run * Math.cos(course)) / METRES_PER_DEGREE : y;
    }
    this.data = {
      length: n,
      attributes: {
        getPosition: { value: p.position, size: 2 },
        getFrame: { value: this.frames, size: 2 },
        getSize: { value: this.size, size: 1 },
        getAngle: { value: this.angle, size: 1 },
        getColor: { value: this.colour, size: 4 },
      },
    };
  }
}

const derived = new Derived();

export function vesselLayers(d: VesselDrawing): Layer[] {
  if (d.picture.cells) return cellLayers(d);
  derived.update(d);
  const p = d.picture;
  const length = p.count;
  const at = (i: number): [number, number] => [p.position[2 * i]!, p.position[2 * i + 1]!];
  const atlas = d.atlases[d.symbols];
  // Thousands at once overlap: smaller shapes say more, and cost a machine without a GPU less.
  const scale = (length > 1500 ? 0.62 : 1) * (d.zoom < 5 ? 0.72 : d.zoom < 7 ? 0.85 : 1);
  const px = (d.symbols === "milstd" ? MILSTD_PX : SIMPLE_PX) * scale;
  const layers: Layer[] = [];
  if (d.vectors && d.zoom >= VECTOR_ZOOM) {
    layers.push(
      new LineLayer({
        id: "vectors",
        data: {
          length,
          attributes: {
            getSourcePosition: { value: p.position, size: 2 },
            getTargetPosition: { value: derived.targets, size: 2 },
            getColor: { value: derived.colour, size: 4 },
          },
        },
        getWidth: 1,
      }),
    );
  }
  layers.push(
    new SymbolLayer({
      // Another atlas is another layer: its texture is uploaded once.
      id: `vessels-${d.symbols}-${d.symbols === "milstd" ? d.palette.css.vessel : ""}`,
      data: derived.data,
      atlas: atlas.image,
      cell: atlas.cell,
      mask: d.symbols === "simple",
      minPixels: px,
    }),
  );
  const marks: [string, number[], "caution" | "accent", number][] = [
    ["watchlist", derived.watched, "accent", 28],
    ["alert", derived.alerts, "caution", 24],
  ];
  for (const [icon, rows, colour, size] of marks) {
    if (!rows.length) continue;
    const rgb = d.palette.rgb[colour];
    layers.push(
      new SymbolLayer({
        id: `mark-${icon}`,
        data: rows,
        atlas: d.atlases.simple.image,
        cell: d.atlases.simple.cell,
        mask: true,
        minPixels: size * (d.symbols === "milstd" ? 1.5 : 1) * (d.zoom < 5 ? 0.72 : 1),
        getPosition: at,
        getFrame: d.atlases.simple.frames[icon]!,
        getColor: [...rgb, d.zoom < 6 ? 160 : 230],
        updateTriggers: { getPosition: d.version, getColor: [rgb.join(), d.zoom < 6] },
      } as ConstructorParameters<typeof SymbolLayer>[0]),
    );
  }
  return layers;
}

/** Where there are too many vessels to draw each: circles with their number. */
function cellLayers(d: VesselDrawing): Layer[] {
  const cells = d.picture.cells!;
  const rows = Array.from(cells.count.keys());
  const at = (i: number): [number, number] => [cells.longitude[i]! * 1e-7, cells.latitude[i]! * 1e-7];
  const radius = (i: number): number => 7 + 2.6 * Math.log2(1 + cells.count[i]!);
  return [
    new ScatterplotLayer<number>({
      id: "cells",
      data: rows,
      getPosition: at,
      getRadius: radius,
      radiusUnits: "pixels",
      getFillColor: [...d.palette.rgb.vessel, 70],
      getLineColor: [...d.palette.rgb.vessel, 200],
      stroked: true,
      lineWidthUnits: "pixels",
      getLineWidth: 1,
      updateTriggers: { getPosition: d.version, getRadius: d.version },
    }),
    new TextLayer<number>({
      id: "cell-counts",
      data: rows,
      getPosition: at,
      getText: (i) => decimal(cells.count[i]!, 0, d.language),
      getSize: 11,
      getColor: [...d.palette.rgb.text, 255],
      fontFamily: getComputedStyle(document.body).fontFamily,
      updateTriggers: { getPosition: d.version, getText: d.version },
    }),
  ];
}
