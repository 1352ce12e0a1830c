/**
 * What shows an alert: its vessels' tracks, the stretches that are the behaviour, the observations to open,
 * and the vessels moving along them as the time is played.
 */
import type { Layer } from "@deck.gl/core";
import { LineLayer, ScatterplotLayer } from "@deck.gl/layers";
import type { AlertDetail, Track } from "../api/client";
import { HOUR_US } from "../measure/time";
import { classOfShipType, vesselName } from "../measure/vessels";
import { type Atlas, CLASS_NAMES } from "./icons";
import type { Palette } from "./palette";
import SymbolLayer from "./symbolLayer";
import { nearest } from "./nearest";
import { momentOf, type Segments, segmentsOf, type Stretch } from "./trackColumns";

export interface EvidenceDrawing {
  tracks: readonly Track[];
  detail: AlertDetail | null;
  us: number;
  /** A moment was chosen: vessels are drawn where their tracks were. */
  moving: boolean;
  palette: Palette;
  atlas: Atlas;
  names: ReadonlyMap<number, string>;
}

/** How far beside a point one may touch it. */
const TOUCH_PX = 9;

const FADE_US = 12 * HOUR_US;
/** While playing, the fading is redrawn at this grain, so that a frame costs nothing. */
const GRAIN_US = HOUR_US / 6;

let memo: { key: unknown[]; segments: Segments } | null = null;

function segments(d: EvidenceDrawing, stretches: Stretch[]): Segments {
  const us = d.moving ? Math.round(d.us / GRAIN_US) * GRAIN_US : Number.MAX_SAFE_INTEGER;
  const key = [d.tracks, us, d.palette.css.accent, d.detail?.finding];
  if (memo && memo.key.every((part, i) => part === key[i])) return memo.segments;
  const end = d.tracks.reduce((latest, track) => Math.max(latest, track.time_us.at(-1) ?? 0), 0);
  const made = segmentsOf(d.tracks, stretches, d.moving ? us : end, FADE_US, {
    rgb: d.palette.rgb["text-2"],
    evidence: d.palette.rgb.caution,
  });
  memo = { key, segments: made };
  return made;
}

export function evidenceLayers(d: EvidenceDrawing): Layer[] {
  if (!d.tracks.length) return [];
  const stretches = (d.detail?.finding.evidence ?? []).map((e) => ({ mmsi: e.mmsi, raws: e.raws, startUs: e.start_us, endUs: e.end_us }));
  const s = segments(d, stretches);
  const layers: Layer[] = [
    new LineLayer({
      id: "tracks",
      data: {
        length: s.length,
        attributes: {
          getSourcePosition: { value: s.source, size: 2 },
          getTargetPosition: { value: s.target, size: 2 },
          getColor: { value: s.colour, size: 4 },
          getWidth: { value: s.width, size: 1 },
        },
      },
      widthUnits: "pixels",
    }),
  ];
  const points = evidencePoints(d);
  if (points.length) {
    layers.push(
      new ScatterplotLayer<EvidencePoint>({
        id: "evidence-points",
        data: points,
        getPosition: (p) => p.position,
        getRadius: 3.5,
        radiusUnits: "pixels",
        getFillColor: [...d.palette.rgb.sea, 255],
        getLineColor: [...d.palette.rgb.caution, 255],
        stroked: true,
        lineWidthUnits: "pixels",
        getLineWidth: 1.5,
        updateTriggers: { getLineColor: d.palette.css.caution, getFillColor: d.palette.css.sea },
      }),
    );
  }
  return d.moving ? [...layers, ...movers(d)] : layers;
}

interface EvidencePoint {
  raw: number;
  position: [number, number];
}

let pointMemo: { tracks: readonly Track[]; finding: unknown; points: EvidencePoint[] } | null = null;

/** The evidence observation under a point of the map, if there is one. */
export function evidenceUnder(longitude: number, latitude: number, zoom: number): number | null {
  const points = pointMemo?.points ?? [];
  const at = nearest(points.flatMap((p) => p.position), points.length, longitude, latitude, zoom, TOUCH_PX);
  return at < 0 ? null : points[at]!.raw;
}

/** The finding's own observations, placed by the track points that carry their address. */
function evidencePoints(d: EvidenceDrawing): EvidencePoint[] {
  if (pointMemo && pointMemo.tracks === d.tracks && pointMemo.finding === d.detail?.finding) return pointMemo.points;
  const wanted = new Set(d.detail?.finding.evidence.flatMap((e) => e.raws));
  const points: EvidencePoint[] = [];
  for (const track of d.tracks)
    track.raw.forEach((raw, i) => {
      if (wanted.has(raw)) points.push({ raw, position: [track.longitude_deg[i]!, track.latitude_deg[i]!] });
    });
  pointMemo = { tracks: d.tracks, finding: d.detail?.finding, points };
  return points;
}

export interface Mover {
  mmsi: number;
  position: [number, number];
  course: number;
  icon: string;
  name: string;
  guessed: boolean;
}

/** The tracks' vessels at the moment shown. */
export function moversOf(d: Pick<EvidenceDrawing, "tracks" | "detail" | "us" | "names">): Mover[] {
  const ships = new Map(d.detail?.finding.participants.map((p) => [p.mmsi, p]));
  return d.tracks.flatMap((track) => {
    const moment = momentOf(track, d.us);
    if (!moment) return [];
    const ship = ships.get(track.mmsi);
    const kind = CLASS_NAMES[classOfShipType(ship?.ship_type ?? 0)] ?? "other";
    const variant = track.simulated ? (moment.guessed ? "simulated-stale" : "simulated") : moment.guessed ? "stale" : "plain";
    return [
      {
        mmsi: track.mmsi,
        position: [moment.longitude, moment.latitude] as [number, number],
        course: moment.courseDeg,
        icon: `${kind}.${variant}`,
        name: ship ? vesselName(ship) : (d.names.get(track.mmsi) ?? String(track.mmsi)),
        guessed: moment.guessed,
      },
    ];
  });
}

function movers(d: EvidenceDrawing): Layer[] {
  const rgb = d.palette.rgb.accent;
  return [
    new SymbolLayer({
      id: "movers",
      data: moversOf(d),
      atlas: d.atlas.image,
      cell: d.atlas.cell,
      mask: true,
      minPixels: 24,
      getPosition: (m: Mover) => m.position,
      getFrame: (m: Mover) => d.atlas.frames[m.icon]!,
      getAngle: (m: Mover) => m.course,
      getColor: (m: Mover) => [...rgb, m.guessed ? 150 : 255],
    } as ConstructorParameters<typeof SymbolLayer>[0]),
  ];
}
