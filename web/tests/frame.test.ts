import { describe, expect, it } from "vitest";
import { decodeFrame, FrameError } from "../src/live/frame";
import { Picture } from "../src/live/picture";

interface Row { slot: number; lat: number; lon: number; mmsi: number; course?: number; heading?: number; speed?: number; age?: number; length?: number; kind?: number; flags?: number }

/** The layout of docs/api.md, written byte by byte with a DataView: nothing of the decoder is used. */
function frame(kind: number, rows: Row[], removed: number[] = [], timeUs = 1_700_000_000_000_000n): ArrayBuffer {
  const bytes = new ArrayBuffer(32 + 28 * rows.length + 4 * removed.length);
  const view = new DataView(bytes);
  for (const [i, char] of [..."SRP1"].entries()) view.setUint8(i, char.charCodeAt(0));
  view.setUint8(4, kind);
  view.setUint8(5, 2);
  view.setUint32(8, 7, true);
  view.setUint32(12, rows.length, true);
  view.setUint32(16, removed.length, true);
  view.setUint32(20, 99, true);
  view.setBigInt64(24, timeUs, true);
  let at = 32;
  const put = (size: 1 | 2 | 4, values: number[]) => {
    for (const value of values) {
      if (size === 4) view.setInt32(at, value, true);
      else if (size === 2) view.setUint16(at, value, true);
      else view.setUint8(at, value);
      at += size;
    }
  };
  put(4, rows.map((r) => r.slot));
  put(4, rows.map((r) => Math.round(r.lat * 1e7)));
  put(4, rows.map((r) => Math.round(r.lon * 1e7)));
  put(4, rows.map((r) => r.mmsi));
  put(4, removed);
  put(2, rows.map((r) => r.course ?? 65535));
  put(2, rows.map((r) => r.heading ?? 65535));
  put(2, rows.map((r) => r.speed ?? 65535));
  put(2, rows.map((r) => r.age ?? 0));
  put(2, rows.map((r) => r.length ?? 0));
  put(1, rows.map((r) => r.kind ?? 0));
  put(1, rows.map((r) => r.flags ?? 0));
  return bytes;
}

describe("frames", () => {
  it("are read as documented", () => {
    const read = decodeFrame(frame(0, [{ slot: 3, lat: -12.3456789, lon: 179.9999999, mmsi: 367160049, course: 12345, speed: 512, age: 60, length: 200, kind: 4, flags: 3 }]));
    expect(read).toMatchObject({ kind: 0, view: 7, total: 99, timeUs: 1_700_000_000_000_000, simulated: true, thinned: false });
    const picture = new Picture();
    picture.apply(read);
    expect(picture.position[0]).toBeCloseTo(179.9999999, 7);
    expect(picture.position[1]).toBeCloseTo(-12.3456789, 7);
    expect(picture.course[0]).toBeCloseTo(123.45, 4);
    expect(picture.pointing[0]).toBeCloseTo(123.45, 4);
    expect(picture.heading[0]).toBeNaN();
    expect(picture.speedMps[0]).toBeCloseTo(5.12, 5);
    expect(picture.timeS[0]).toBe(1_700_000_000 - 60);
  });

  it("that are torn or foreign are refused", () => {
    const good = frame(0, [{ slot: 0, lat: 0, lon: 0, mmsi: 1 }]);
    for (const bad of [good.slice(0, 20), good.slice(0, 59), new ArrayBuffer(64)]) expect(() => decodeFrame(bad)).toThrow(FrameError);
    expect(() => decodeFrame(frame(9, []))).toThrow(FrameError);
  });
});

describe("the picture", () => {
  it("after any deltas is what a map from slot to row says", () => {
    // Linear congruential numbers (Numerical Recipes): the same every time.
    let seed = 42;
    const random = (n: number) => Math.floor((seed = (1664525 * seed + 1013904223) % 2 ** 32) / 2 ** 32 * n);
    const picture = new Picture();
    const truth = new Map<number, Row>();
    picture.apply(decodeFrame(frame(0, [])));
    for (let round = 0; round < 300; round++) {
      const removed = [...truth.keys()].filter(() => random(4) === 0);
      removed.forEach((slot) => truth.delete(slot));
      const fresh = new Map<number, Row>();
      for (let i = 0; i < random(40); i++) {
        const slot = random(400);
        if (!removed.includes(slot)) fresh.set(slot, { slot, lat: random(90), lon: random(180), mmsi: 1000 + slot, speed: random(2000), kind: random(13) });
      }
      fresh.forEach((row, slot) => truth.set(slot, row));
      picture.apply(decodeFrame(frame(1, [...fresh.values()], removed)));
      expect(picture.count).toBe(truth.size);
      for (const row of truth.values()) {
        const at = picture.rowOf(row.mmsi);
        expect([picture.position[2 * at], picture.position[2 * at + 1], picture.vesselClass[at]]).toEqual([row.lon, row.lat, row.kind]);
      }
    }
  });
});
