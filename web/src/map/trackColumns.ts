/**
 * Tracks as segments, gaps and evidence, and where a vessel was at a time.
 *
 * Always true: a stretch without positions is never drawn as if it had been seen: it is a gap.
 */
import type { Track } from "../api/client";
import { MINUTE_US } from "../measure/time";

/** Longer without a position than this, the line between is a guess. */
const GAP_US = 20 * MINUTE_US;
const DASHES = 24;

export interface Stretch {
  mmsi: number;
  /** The observations that show it. */
  raws: readonly number[];
  startUs: number;
  endUs: number;
}

export interface Segments {
  length: number;
  source: Float64Array;
  target: Float64Array;
  colour: Uint8Array;
  width: Float32Array;
}

export interface Style {
  rgb: readonly [number, number, number];
  evidence: readonly [number, number, number];
}

/** Seconds of the track shown before `us` keep their strength; older ones fade. Longitudes are unwrapped. */
export function segmentsOf(tracks: readonly Track[], stretches: readonly Stretch[], us: number, fadeUs: number, style: Style): Segments {
  const jumps = [...jumpsBetween(tracks), ...stretches.flatMap((stretch) => jumpsShown(tracks, stretch))];
  const count = tracks.reduce((sum, track) => sum + track.time_us.length * DASHES, 0) + jumps.length * DASHES;
  const source = new Float64Array(2 * count);
  const target = new Float64Array(2 * count);
  const colour = new Uint8Array(4 * count);
  const width = new Float32Array(count);
  let n = 0;
  const put = (x0: number, y0: number, x1: number, y1: number, rgb: readonly number[], alpha: number, px: number): void => {
    source[2 * n] = x0;
    source[2 * n + 1] = y0;
    target[2 * n] = x1;
    target[2 * n + 1] = y1;
    colour.set([rgb[0]!, rgb[1]!, rgb[2]!, alpha], 4 * n);
    width[n] = px;
    n += 1;
  };
  const legs: (Track & { jump?: true })[] = [...tracks, ...jumps];
  for (const track of legs) {
    const mine = stretches.filter((s) => s.mmsi === track.mmsi);
    for (let i = 1; i < track.time_us.length; i++) {
      const [t0, t1] = [track.time_us[i - 1]!, track.time_us[i]!];
      const [x0, y0, y1] = [track.longitude_deg[i - 1]!, track.latitude_deg[i - 1]!, track.latitude_deg[i]!];
      let x1 = track.longitude_deg[i]!;
      if (x1 - x0 > 180) x1 -= 360;
      if (x0 - x1 > 180) x1 += 360;
      const shows = mine.some((s) => t1 > s.startUs && t0 < s.endUs);
      const ahead = t0 > us;
      const age = Math.abs(us - t1);
      const alpha = shows ? (ahead ? 110 : 255) : Math.round((ahead ? 0.45 : 1) * (200 - 150 * Math.min(1, age / fadeUs)));
      const rgb = shows ? style.evidence : style.rgb;
      const px = shows ? 3 : 1.5;
      if (t1 - t0 <= GAP_US && !track.jump) {
        put(x0, y0, x1, y1, rgb, alpha, px);
        continue;
      }
      for (let k = 0; k < DASHES; k += 2) {
        const [a, b] = [k / DASHES, (k + 1) / DASHES];
        put(x0 + a * (x1 - x0), y0 + a * (y1 - y0), x0 + b * (x1 - x0), y0 + b * (y1 - y0), rgb, Math.round(alpha * 0.8), px);
      }
    }
  }
  return { length: n, source, target, colour, width };
}

/**
 * From the end of one track to the beginning of the next of the same identity, where a jump split them:
 * two places that one vessel claimed. Tracks that run at the same time have no jump between them.
 */
export function jumpsBetween(tracks: readonly Track[]): (Track & { jump: true })[] {
  const known = tracks.filter((track) => track.time_us.length);
  return known.flatMap((track) => {
    const end = track.time_us.at(-1)!;
    const others = known.filter((other) => other.mmsi === track.mmsi && other !== track);
    if (others.some((other) => other.time_us[0]! <= end && other.time_us.at(-1)! > end)) return [];
    const next = others.filter((other) => other.time_us[0]! > end).sort((a, b) => a.time_us[0]! - b.time_us[0]!)[0];
    if (!next) return [];
    return [
      {
        ...next,
        jump: true as const,
        time_us: [end, next.time_us[0]!],
        longitude_deg: [track.longitude_deg.at(-1)!, next.longitude_deg[0]!],
        latitude_deg: [track.latitude_deg.at(-1)!, next.latitude_deg[0]!],
      },
    ];
  });
}

/** From one observation of a stretch to the next, where they lie on two tracks: the jump that is the finding. */
export function jumpsShown(tracks: readonly Track[], stretch: Stretch): (Track & { jump: true })[] {
  const wanted = new Set(stretch.raws);
  const seen = tracks
    .filter((track) => track.mmsi === stretch.mmsi)
    .flatMap((track) => track.raw.flatMap((raw, i) => (wanted.has(raw) ? [{ track, i, us: track.time_us[i]! }] : [])))
    .sort((a, b) => a.us - b.us);
  return seen.slice(1).flatMap((to, k) => {
    const from = seen[k]!;
    if (from.track === to.track) return [];
    const at = (column: "longitude_deg" | "latitude_deg") => [from.track[column][from.i]!, to.track[column][to.i]!];
    return [{ ...to.track, jump: true as const, time_us: [from.us, to.us], longitude_deg: at("longitude_deg"), latitude_deg: at("latitude_deg") }];
  });
}

export interface Moment {
  longitude: number;
  latitude: number;
  courseDeg: number;
  speedMps: number;
  /** Between two positions further apart than a gap: nobody saw it there. */
  guessed: boolean;
}

/** Where a track was at a time, straight between its positions; null outside it. */
export function momentOf(track: Track, us: number): Moment | null {
  const times = track.time_us;
  if (!times.length || us < times[0]! || us > times.at(-1)!) return null;
  let [low, high] = [0, times.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (times[middle]! <= us) low = middle;
    else high = middle;
  }
  const span = times[high]! - times[low]!;
  const part = span ? (us - times[low]!) / span : 0;
  const x0 = track.longitude_deg[low]!;
  let x1 = track.longitude_deg[high]!;
  if (x1 - x0 > 180) x1 -= 360;
  if (x0 - x1 > 180) x1 += 360;
  const [y0, y1] = [track.latitude_deg[low]!, track.latitude_deg[high]!];
  const drawn = (Math.atan2((x1 - x0) * Math.cos((y0 * Math.PI) / 180), y1 - y0) * 180) / Math.PI;
  return {
    longitude: x0 + part * (x1 - x0),
    latitude: y0 + part * (y1 - y0),
    courseDeg: track.course_deg[low] ?? (drawn + 360) % 360,
    speedMps: track.speed_mps[low] ?? NaN,
    guessed: span > GAP_US,
  };
}

/** Vessels that a track places at a time: those are drawn from it; all others stay where the picture has them. */
export function presentAt(tracks: readonly Track[], us: number): Set<number> {
  return new Set(tracks.filter((track) => momentOf(track, us)).map((track) => track.mmsi));
}
