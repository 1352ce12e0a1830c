import { expect, it } from "vitest";
import { nearest } from "../src/map/nearest";

it("finds what is under the pointer, across the 180th meridian too", () => {
  const positions = [179.999, 10, -179.999, 10, 0, 60, 0.002, 60];
  // At zoom 10 one degree of longitude is 512 * 1024 / 360 = 1456 pixels.
  expect(nearest(positions, 4, -179.9995, 10, 10, 9)).toBe(1);
  expect(nearest(positions, 4, 179.9999, 10, 10, 9)).toBe(0);
  expect(nearest(positions, 4, 0.0019, 60, 10, 9)).toBe(3);
  expect(nearest(positions, 4, 0.02, 60, 10, 9)).toBe(-1);
  expect(nearest(positions, 0, 0, 60, 10, 9)).toBe(-1);
});
