/**
 * From the database's units to the person's.
 *
 * Always true: a number that is not known is an en dash, never zero.
 */

export type SpeedUnit = "kn" | "mps" | "kmh";
export type DistanceUnit = "nm" | "km";

/** Metres in a nautical mile, exactly (BIPM). */
export const NAUTICAL_MILE_M = 1852;
const UNKNOWN = "–";

const SPEED: Record<SpeedUnit, { factor: number; label: string }> = {
  kn: { factor: 3600 / NAUTICAL_MILE_M, label: "kn" },
  mps: { factor: 1, label: "m/s" },
  kmh: { factor: 3.6, label: "km/h" },
};

export function decimal(value: number, digits: number, language: string): string {
  return value.toLocaleString(language, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function formatSpeed(mps: number | null | undefined, unit: SpeedUnit, language: string): string {
  if (mps === null || mps === undefined || !Number.isFinite(mps)) return UNKNOWN;
  const { factor, label } = SPEED[unit];
  return `${decimal(mps * factor, 1, language)} ${label}`;
}

/** Under a tenth of a mile (or a kilometre) in metres, where a fraction says nothing. */
export function formatDistance(metres: number | null | undefined, unit: DistanceUnit, language: string): string {
  if (metres === null || metres === undefined || !Number.isFinite(metres)) return UNKNOWN;
  const whole = unit === "nm" ? NAUTICAL_MILE_M : 1000;
  if (Math.abs(metres) < (unit === "nm" ? 926 : 1000)) return `${decimal(metres, 0, language)} m`;
  const value = metres / whole;
  return `${decimal(value, Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0, language)} ${unit}`;
}

export function formatCourse(degrees: number | null | undefined): string {
  if (degrees === null || degrees === undefined || !Number.isFinite(degrees)) return UNKNOWN;
  return `${String(Math.round(degrees) % 360).padStart(3, "0")}°`;
}

export function formatBytes(bytes: number, language: string): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${decimal(value, value < 10 && unit > 0 ? 1 : 0, language)} ${units[unit]}`;
}
