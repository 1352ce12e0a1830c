import { describe, expect, it } from "vitest";
import { closestApproach, rangeBearing } from "../src/measure/geodesy";
import { formatPosition, parsePosition } from "../src/measure/position";
import { formatDuration, formatTime, fromIso, toIso } from "../src/measure/time";
import { formatDistance, formatSpeed } from "../src/measure/units";

/** Latitude, longitude, latitude, longitude; azimuth and metres by pyproj 3.7 (GeographicLib), WGS 84. */
const GEODESICS = [[12.5, -71.25, 14.25, -75.5, 293.2913721419787, 499389.3636646884], [0, 179.5, 1, -179.2, 52.61202916831199, 182118.40131221028], [-33.9, 18.4, 51.5, -0.1, 348.53637760407963, 9631973.17393528], [60, 10, 60, 10.001, 89.99956698729811, 55.80000157187582], [5, -80, 5.0005, -80.0003, 328.9640891104095, 64.52906518511041]] as [number, number, number, number, number, number][];

/** Two movers; seconds and metres of their closest approach, stepped second by second with pyproj. */
const APPROACHES = [[{"latitude": 12, "longitude": -70, "speedMps": 8, "courseDeg": 45}, {"latitude": 12.2, "longitude": -69.6, "speedMps": 6, "courseDeg": 270}, 3768, 899.3076191596635], [{"latitude": 0.1, "longitude": 179.95, "speedMps": 10, "courseDeg": 90}, {"latitude": 0.05, "longitude": -179.9, "speedMps": 9, "courseDeg": 300}, 956, 1266.10263650554], [{"latitude": 55, "longitude": 3, "speedMps": 5, "courseDeg": 180}, {"latitude": 54.9, "longitude": 3.1, "speedMps": 7, "courseDeg": 350}, 981, 5240.932337102685]] as [Kind, Kind, number, number][];
interface Kind { latitude: number; longitude: number; speedMps: number; courseDeg: number }

describe("geodesy", () => {
  it.each(GEODESICS)("range and bearing from %f %f to %f %f", (a, b, c, d, azimuth, metres) => {
    const found = rangeBearing({ latitude: a, longitude: b }, { latitude: c, longitude: d });
    expect(found.rangeM).toBeCloseTo(metres, 2);
    expect(found.bearingDeg).toBeCloseTo(azimuth, 5);
  });

  it.each(APPROACHES)("closest approach %#", (a, b, seconds, metres) => {
    const found = closestApproach({ ...a, timeS: 1000 }, { ...b, timeS: 1000 }, 1000);
    expect(Math.abs(found.timeS - seconds)).toBeLessThan(Math.max(20, 0.01 * Math.abs(seconds)));
    expect(Math.abs(found.distanceM - metres)).toBeLessThan(Math.max(60, 0.02 * metres));
  });

  it("of vessels side by side never changes", () => {
    const a = { latitude: 10, longitude: -70, speedMps: 5, courseDeg: 90, timeS: 0 };
    expect(closestApproach(a, { ...a, latitude: 10.01 }, 600).parallel).toBe(true);
  });
});

describe("positions", () => {
  it("are written as seamen write them", () => {
    expect(formatPosition({ latitude: 23.30906, longitude: -80.73678 }, "dm")).toBe("23°18.544′N 080°44.207′W");
    expect(formatPosition({ latitude: -0.99999999, longitude: 179.99999999 }, "dm")).toBe("01°00.000′S 180°00.000′E");
  });

  // The White House and the Sydney Opera House, as published with the MGRS.
  it("are written in MGRS", () => {
    expect(formatPosition({ latitude: 38.8977, longitude: -77.0365 }, "mgrs")).toMatch(/^18S UJ 23[34]\d\d 07[34]\d\d$/);
    expect(formatPosition({ latitude: 88, longitude: 0 }, "mgrs")).toContain("°");
  });

  it.each(["dm", "dd", "mgrs"] as const)("are read back as written: %s", (format) => {
    for (const [latitude, longitude] of [[12.5, -71.25], [-33.8568, 151.2153], [0.01, 179.9]] as const) {
      const read = parsePosition(formatPosition({ latitude, longitude }, format));
      expect(read?.latitude).toBeCloseTo(latitude, 4);
      expect(read?.longitude).toBeCloseTo(longitude, 4);
    }
  });

  it("are not read from what is none", () => {
    for (const text of ["", "SANTA RITA", "123456789", "91, 10", "10, 181"]) expect(parsePosition(text)).toBeNull();
    expect(parsePosition("12°30.0N 71°15.0O")).toEqual({ latitude: 12.5, longitude: -71.25 });
  });
});

describe("units and times", () => {
  it("are the person's", () => {
    expect(formatSpeed(10, "kn", "en")).toBe("19.4 kn");
    expect(formatSpeed(10, "kn", "es")).toBe("19,4 kn");
    expect(formatSpeed(null, "kn", "en")).toBe("–");
    expect(formatDistance(1852, "nm", "en")).toBe("1.00 nm");
    expect(formatDistance(217, "nm", "en")).toBe("217 m");
  });

  it("are UTC with a Z", () => {
    expect(formatTime(1772495975000000, true)).toBe("2026-03-02 23:59:35Z");
    expect(fromIso(toIso(1772495975000000))).toBe(1772495975000000);
    expect(fromIso("2026-03-02T23:59")).toBe(1772495940000000);
    expect(formatDuration(27_600)).toBe("7 h 40 min");
    expect(formatDuration(-90)).toBe("−2 min");
  });
});
