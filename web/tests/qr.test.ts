import decodeQR from "qr/decode.js";
import { describe, expect, it } from "vitest";
import { qrPath } from "../src/measure/qr";

const ADDRESS = "otpauth://totp/Shiprider%20node%3Areyes?secret=AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT&issuer=Shiprider+node";

/** The path painted black on white, `scale` pixels a module: what a camera sees of it. */
function painted(size: number, path: string, scale = 6): { width: number; height: number; data: Uint8ClampedArray } {
  const width = size * scale;
  const data = new Uint8ClampedArray(width * width * 4).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g))
    for (let dy = 0; dy < scale; dy++)
      for (let dx = 0; dx < scale; dx++) data.fill(0, 4 * ((Number(y) * scale + dy) * width + Number(x) * scale + dx), 4 * ((Number(y) * scale + dy) * width + Number(x) * scale + dx) + 3);
  return { width, height: width, data };
}

describe("a QR code", () => {
  it("is read as the address that it was made of", () => {
    for (const text of [ADDRESS, `${ADDRESS}&x=${"ñ".repeat(40)}`]) {
      const { size, path } = qrPath(text);
      expect(decodeQR(painted(size, path))).toBe(text);
    }
  });

  it("has four light modules on every side, and begins with a finder pattern after them", () => {
    const { size, path } = qrPath(ADDRESS);
    const dark = [...path.matchAll(/M(\d+) (\d+)h/g)].map(([, x, y]) => [Number(x), Number(y)] as const);
    expect(Math.min(...dark.flat())).toBe(4);
    expect(Math.max(...dark.flat())).toBe(size - 5);
    const first = dark.filter(([, y]) => y === 4).map(([x]) => x);
    expect(first.slice(0, 8)).toEqual([4, 5, 6, 7, 8, 9, 10, expect.any(Number)]);
    expect(first[7]).toBeGreaterThan(11);
  });
});
