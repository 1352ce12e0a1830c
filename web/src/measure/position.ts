/**
 * A position as people write it: degrees and decimal minutes, decimal degrees, MGRS; and read back.
 *
 * Always true: what `formatPosition` writes, `parsePosition` reads, to the written precision.
 */
import { forward, toPoint } from "mgrs";
import type { Point } from "./geodesy";

export type PositionFormat = "dm" | "dd" | "mgrs";

/** MGRS ends at 84 N and 80 S (NGA.STND.0037). */
const MGRS_NORTH = 84;
const MGRS_SOUTH = -80;

function minutes(value: number, width: number, positive: string, negative: string): string {
  const total = Math.round(Math.abs(value) * 60_000);
  const degrees = Math.floor(total / 60_000);
  const rest = (total - degrees * 60_000) / 1000;
  return `${String(degrees).padStart(width, "0")}°${rest.toFixed(3).padStart(6, "0")}′${value < 0 ? negative : positive}`;
}

export function formatPosition(point: Point, format: PositionFormat): string {
  const { latitude, longitude } = point;
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return "–";
  if (format === "mgrs" && latitude <= MGRS_NORTH && latitude >= MGRS_SOUTH) {
    const text = forward([longitude, latitude], 5);
    const parts = /^(\d{1,2}[A-Z])([A-Z]{2})(\d{5})(\d{5})$/.exec(text);
    return parts ? parts.slice(1).join(" ") : text;
  }
  if (format === "dd") return `${latitude.toFixed(5)}, ${longitude.toFixed(5)}`;
  return `${minutes(latitude, 2, "N", "S")} ${minutes(longitude, 3, "E", "W")}`;
}

/** O is Oeste (west) in Spanish; E is east in both. */
const SIGNS: Record<string, number> = { N: 1, S: -1, E: 1, W: -1, O: -1 };
const PART = String.raw`(\d{1,3})\s*[°º\s]\s*(?:(\d{1,2}(?:[.,]\d+)?)\s*['′’\s]?)?\s*`;
const SEXAGESIMAL = new RegExp(String.raw`^${PART}([NS])[\s,;]*${PART}([EWO])$`, "i");
const DECIMAL = /^(-?\d{1,2}(?:\.\d+)?)\s*[,;\s]\s*(-?\d{1,3}(?:\.\d+)?)$/;
const GRID = /^\d{1,2}[C-HJ-NP-X][A-HJ-NP-Z]{2}(\d{2}){1,5}$/i;

/** Null if the text is no position. */
export function parsePosition(text: string): Point | null {
  const trimmed = text.trim();
  const decimal = DECIMAL.exec(trimmed);
  let point: Point | null = null;
  if (decimal) point = { latitude: Number(decimal[1]), longitude: Number(decimal[2]) };
  const six = SEXAGESIMAL.exec(trimmed);
  if (six) {
    const part = (d: string | undefined, m: string | undefined, s: string | undefined) =>
      (Number(d) + Number((m ?? "0").replace(",", ".")) / 60) * (SIGNS[(s ?? "N").toUpperCase()] ?? 1);
    point = { latitude: part(six[1], six[2], six[3]), longitude: part(six[4], six[5], six[6]) };
  }
  const grid = trimmed.replace(/\s+/g, "");
  if (!point && GRID.test(grid)) {
    try {
      const [longitude, latitude] = toPoint(grid.toUpperCase());
      point = { latitude, longitude };
    } catch {
      return null;
    }
  }
  if (!point || Math.abs(point.latitude) > 90 || Math.abs(point.longitude) > 180) return null;
  return point;
}
