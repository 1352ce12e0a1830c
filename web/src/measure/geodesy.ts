/**
 * Distance and bearing on the WGS 84 ellipsoid, and closest approach.
 *
 * Always true: degrees in, metres and degrees out; bearings are true, 0 <= bearing < 360.
 */

const A = 6_378_137.0;
const F = 1 / 298.257223563;
const B = A * (1 - F);
/** Mean Earth radius (IUGG), for the sphere used where the ellipsoid's series does not converge. */
const MEAN_RADIUS_M = 6_371_008.8;
const RAD = Math.PI / 180;

export interface Point {
  latitude: number;
  longitude: number;
}

export interface RangeBearing {
  rangeM: number;
  bearingDeg: number;
}

export const wrapDegrees = (degrees: number): number => ((degrees % 360) + 360) % 360;
export const wrapLongitude = (degrees: number): number => wrapDegrees(degrees + 180) - 180;

function greatCircle(from: Point, to: Point): RangeBearing {
  const p1 = from.latitude * RAD;
  const p2 = to.latitude * RAD;
  const dl = (to.longitude - from.longitude) * RAD;
  const h = Math.sin((p2 - p1) / 2) ** 2 + Math.cos(p1) * Math.cos(p2) * Math.sin(dl / 2) ** 2;
  const bearing = Math.atan2(Math.sin(dl) * Math.cos(p2), Math.cos(p1) * Math.sin(p2) - Math.sin(p1) * Math.cos(p2) * Math.cos(dl));
  return { rangeM: 2 * MEAN_RADIUS_M * Math.asin(Math.min(1, Math.sqrt(h))), bearingDeg: wrapDegrees(bearing / RAD) };
}

/**
 * Range and initial true bearing. T. Vincenty, "Direct and inverse solutions of geodesics on the
 * ellipsoid", Survey Review 23 (1975); nearly antipodal points, where it does not converge, on the sphere.
 */
export function rangeBearing(from: Point, to: Point): RangeBearing {
  const L = wrapLongitude(to.longitude - from.longitude) * RAD;
  const u1 = Math.atan((1 - F) * Math.tan(from.latitude * RAD));
  const u2 = Math.atan((1 - F) * Math.tan(to.latitude * RAD));
  const [s1, c1, s2, c2] = [Math.sin(u1), Math.cos(u1), Math.sin(u2), Math.cos(u2)];
  let lambda = L;
  for (let i = 0; i < 100; i++) {
    const [sl, cl] = [Math.sin(lambda), Math.cos(lambda)];
    const sinSigma = Math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl);
    if (sinSigma === 0) return { rangeM: 0, bearingDeg: 0 };
    const cosSigma = s1 * s2 + c1 * c2 * cl;
    const sigma = Math.atan2(sinSigma, cosSigma);
    const sinAlpha = (c1 * c2 * sl) / sinSigma;
    const cos2Alpha = 1 - sinAlpha ** 2;
    const cos2m = cos2Alpha === 0 ? 0 : cosSigma - (2 * s1 * s2) / cos2Alpha;
    const C = (F / 16) * cos2Alpha * (4 + F * (4 - 3 * cos2Alpha));
    const next =
      L + (1 - C) * F * sinAlpha * (sigma + C * sinSigma * (cos2m + C * cosSigma * (-1 + 2 * cos2m ** 2)));
    if (Math.abs(next - lambda) < 1e-12) {
      const k = cos2Alpha * ((A * A - B * B) / (B * B));
      const a = 1 + (k / 16384) * (4096 + k * (-768 + k * (320 - 175 * k)));
      const b = (k / 1024) * (256 + k * (-128 + k * (74 - 47 * k)));
      const dSigma =
        b * sinSigma *
        (cos2m + (b / 4) * (cosSigma * (-1 + 2 * cos2m ** 2) - (b / 6) * cos2m * (-3 + 4 * sinSigma ** 2) * (-3 + 4 * cos2m ** 2)));
      return { rangeM: B * a * (sigma - dSigma), bearingDeg: wrapDegrees(Math.atan2(c2 * sl, c1 * s2 - s1 * c2 * cl) / RAD) };
    }
    lambda = next;
  }
  return greatCircle(from, to);
}

/** The point at a range and bearing, on the sphere (drawing only: within 0.5 % of the ellipsoid). */
export function destination(from: Point, rangeM: number, bearingDeg: number): Point {
  const d = rangeM / MEAN_RADIUS_M;
  const p = from.latitude * RAD;
  const t = bearingDeg * RAD;
  const latitude = Math.asin(Math.sin(p) * Math.cos(d) + Math.cos(p) * Math.sin(d) * Math.cos(t));
  const dl = Math.atan2(Math.sin(t) * Math.sin(d) * Math.cos(p), Math.cos(d) - Math.sin(p) * Math.sin(latitude));
  return { latitude: latitude / RAD, longitude: wrapLongitude(from.longitude + dl / RAD) };
}

export interface Mover extends Point {
  speedMps: number;
  courseDeg: number;
  /** When the position was true, seconds since 1970. */
  timeS: number;
}

export interface ClosestApproach {
  /** Seconds after `atS`; negative if the closest point is past. */
  timeS: number;
  distanceM: number;
  rangeNowM: number;
  first: Point;
  second: Point;
  /** Both keep the same velocity: the distance never changes. */
  parallel: boolean;
}

/** Where a mover is at a time, keeping course and speed. */
export function advanced(mover: Mover, atS: number): Point {
  const seconds = atS - mover.timeS;
  const bearing = seconds < 0 ? wrapDegrees(mover.courseDeg + 180) : mover.courseDeg;
  return destination(mover, Math.abs(mover.speedMps * seconds), bearing);
}

/**
 * Closest point of approach of two movers that keep course and speed, from their positions advanced to
 * the same time `atS`, in the plane tangent between them (right within 1 % up to 60 nm).
 */
export function closestApproach(one: Mover, two: Mover, atS: number): ClosestApproach {
  const a = advanced(one, atS);
  const b = advanced(two, atS);
  const now = rangeBearing(a, b);
  const east = now.rangeM * Math.sin(now.bearingDeg * RAD);
  const north = now.rangeM * Math.cos(now.bearingDeg * RAD);
  const ve = two.speedMps * Math.sin(two.courseDeg * RAD) - one.speedMps * Math.sin(one.courseDeg * RAD);
  const vn = two.speedMps * Math.cos(two.courseDeg * RAD) - one.speedMps * Math.cos(one.courseDeg * RAD);
  const v2 = ve * ve + vn * vn;
  const parallel = v2 < 1e-6;
  const timeS = parallel ? 0 : -(east * ve + north * vn) / v2;
  return {
    timeS,
    distanceM: parallel ? now.rangeM : Math.hypot(east + ve * timeS, north + vn * timeS),
    rangeNowM: now.rangeM,
    first: advanced(one, atS + timeS),
    second: advanced(two, atS + timeS),
    parallel,
  };
}
