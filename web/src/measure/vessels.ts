/** Classes of vessels as the live push numbers them (docs/api.md), and how a vessel is named. */
import type { VesselBrief } from "../api/client";

export const CLASSES = [
  "unknown", "cargo", "tanker", "passenger", "fishing", "pleasure", "tug", "highspeed", "government", "rescue",
  "base", "aid", "aircraft", "other",
] as const;

/** Class of an AIS ship type, ITU-R M.1371-5 table 53; -1 and 0 are unknown. */
export function classOfShipType(type: number): number {
  if (type >= 70 && type < 80) return 1;
  if (type >= 80 && type < 90) return 2;
  if (type >= 60 && type < 70) return 3;
  if (type === 30) return 4;
  if (type === 36 || type === 37) return 5;
  if (type === 31 || type === 32 || type === 52) return 6;
  if (type >= 40 && type < 50) return 7;
  if (type === 35 || type === 55) return 8;
  if (type === 51) return 9;
  return type > 0 ? 13 : 0;
}

/** The name, else the MMSI with its nine digits. */
export const vesselName = (vessel: Pick<VesselBrief, "name" | "mmsi">): string =>
  vessel.name.trim() || String(vessel.mmsi).padStart(9, "0");
