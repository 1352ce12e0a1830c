/**
 * Times: microseconds inside, UTC with a Z for people, the person's own time on demand.
 */

export const SECOND_US = 1_000_000;
export const MINUTE_US = 60 * SECOND_US;
export const HOUR_US = 60 * MINUTE_US;
export const DAY_US = 24 * HOUR_US;

const pad = (value: number): string => String(value).padStart(2, "0");

/** `2025-11-03 04:12Z`, with seconds if asked. */
export function formatTime(us: number | null | undefined, seconds = false): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return "–";
  const d = new Date(us / 1000);
  const clock = `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}${seconds ? `:${pad(d.getUTCSeconds())}` : ""}Z`;
  return `${d.getUTCFullYear()}-${pad(d.getUTCMonth() + 1)}-${pad(d.getUTCDate())} ${clock}`;
}

/** `04:12Z` on the reference's day, else `03 Nov 04:12Z`. */
export function formatShortTime(us: number | null | undefined, referenceUs: number, language: string): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return "–";
  const d = new Date(us / 1000);
  const clock = `${pad(d.getUTCHours())}:${pad(d.getUTCMinutes())}Z`;
  if (Math.floor(us / DAY_US) === Math.floor(referenceUs / DAY_US)) return clock;
  return `${d.toLocaleDateString(language, { day: "2-digit", month: "short", timeZone: "UTC" })} ${clock}`;
}

/** In the person's own zone, with its name: for the hover. */
export function formatLocal(us: number | null | undefined, language: string): string {
  if (us === null || us === undefined || !Number.isFinite(us)) return "";
  return new Date(us / 1000).toLocaleString(language, { dateStyle: "medium", timeStyle: "long" });
}

/** `45 s`, `12 min`, `7 h 40 min`, `3 d 4 h`. */
export function formatDuration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const sign = seconds < 0 ? "−" : "";
  const s = Math.round(Math.abs(seconds));
  if (s < 60) return `${sign}${s} s`;
  const m = Math.round(s / 60);
  if (m < 60) return `${sign}${m} min`;
  const h = Math.floor(m / 60);
  if (h < 48) return m % 60 ? `${sign}${h} h ${m % 60} min` : `${sign}${h} h`;
  const d = Math.floor(h / 24);
  return h % 24 ? `${sign}${d} d ${h % 24} h` : `${sign}${d} d`;
}

/** `2025-11-03T04:12:00Z` for a URL, to the second. */
export const toIso = (us: number): string => new Date(us / 1000).toISOString().replace(/\.\d{3}Z$/, "Z");

/** Null if it is no time. A text without a zone is UTC. */
export function fromIso(text: string | null | undefined): number | null {
  if (!text) return null;
  const zoned = /(Z|[+-]\d\d:?\d\d)$/i.test(text) ? text : `${text}Z`;
  const ms = Date.parse(zoned);
  return Number.isNaN(ms) ? null : ms * 1000;
}
