import { describe, expect, it } from "vitest";
import type { Track } from "../src/api/client";
import { jumpsBetween, jumpsShown, momentOf, presentAt, segmentsOf } from "../src/map/trackColumns";

const MINUTE = 60e6;
const track = (mmsi: number, minutes: number[], places: [number, number][]): Track => ({
  track: mmsi * 16,
  mmsi,
  total: minutes.length,
  thinned: false,
  simulated: false,
  marking: { level: "UNLABELLED", banner: "UNLABELLED", portion: "(UNLABELLED)" },
  time_us: minutes.map((m) => m * MINUTE),
  longitude_deg: places.map(([x]) => x),
  latitude_deg: places.map(([, y]) => y),
  speed_mps: minutes.map(() => null),
  course_deg: minutes.map(() => null),
  raw: minutes.map((_, i) => i + 1),
});
const style = { rgb: [1, 2, 3], evidence: [200, 100, 0] } as const;

describe("a jump", () => {
  const before = track(1, [0, 10], [[-84, 24], [-83.9, 24]]);
  const after = track(1, [60, 70], [[-61.2, 16.5], [-61.1, 16.5]]);

  it("is a line from where the identity was to where it is next", () => {
    const [jump] = jumpsBetween([after, before]);
    expect([jump!.longitude_deg, jump!.latitude_deg]).toEqual([[-83.9, -61.2], [24, 16.5]]);
    expect(jumpsBetween([before, after])).toHaveLength(1);
  });

  it("is not drawn between two vessels, nor where both tracks go on at the same time", () => {
    expect(jumpsBetween([before, track(2, [60, 70], [[-61, 16], [-61, 16]])])).toEqual([]);
    const [first, second] = [track(1, [0, 100], [[0, 0], [1, 0]]), track(1, [50, 120], [[5, 5], [6, 5]])];
    expect(jumpsBetween([first, second])).toEqual([]);
  });

  it("is dashed, in the colour of evidence, however short it took", () => {
    const near = track(1, [12, 20], [[-61.2, 16.5], [-61.1, 16.5]]);
    const made = segmentsOf([before, near], [{ mmsi: 1, raws: [], startUs: 9 * MINUTE, endUs: 13 * MINUTE }], 30 * MINUTE, 60 * MINUTE, style);
    // One segment for each seen stretch, twelve dashes for the jump.
    expect(made.length).toBe(2 + 12);
    const dashes = Array.from({ length: 12 }, (_, i) => [...made.colour.subarray(4 * (2 + i), 4 * (2 + i) + 3)]);
    expect(dashes).toEqual(Array.from({ length: 12 }, () => [200, 100, 0]));
  });

  it("of the evidence is drawn between the observations that show it, though both tracks go on", () => {
    const here = track(1, [0, 10, 100], [[-61, 16], [-61.1, 16], [-61.2, 16]]);
    const there = { ...track(1, [60, 70], [[-84, 24], [-84.1, 24]]), raw: [11, 12] };
    const [jump, ...rest] = jumpsShown([here, there], { mmsi: 1, raws: [2, 11, 12], startUs: 0, endUs: 70 * MINUTE });
    expect(rest).toEqual([]);
    expect([jump!.longitude_deg, jump!.latitude_deg, jump!.time_us]).toEqual([[-61.1, -84], [16, 24], [10 * MINUTE, 60 * MINUTE]]);
    expect(jumpsShown([here], { mmsi: 1, raws: [1, 2], startUs: 0, endUs: 1 })).toEqual([]);
  });
});

describe("a moment", () => {
  it("outside a track has no place: the vessel stays where the picture has it", () => {
    const seen = track(1, [0, 10], [[-84, 24], [-83.9, 24]]);
    expect(momentOf(seen, 11 * MINUTE)).toBeNull();
    expect([...presentAt([seen, track(2, [5, 20], [[0, 0], [1, 0]])], 11 * MINUTE)]).toEqual([2]);
    expect(momentOf(seen, 5 * MINUTE)!.longitude).toBeCloseTo(-83.95, 9);
  });
});
