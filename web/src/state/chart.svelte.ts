/**
 * The map's side of the page: where it looks, what it draws, the tool in hand.
 *
 * Always true: `bbox` is what the API understands (west > east crosses the 180th meridian); nothing here
 * touches the map itself: `map/WatchMap.svelte` reads this.
 */
import type { Point } from "../measure/geodesy";
import { wrapLongitude } from "../measure/geodesy";
import type { Bounds } from "../map/graticule";

export type Tool = "none" | "range" | "approach" | "area";

/** A place picked for a tool: a fixed point, or a vessel that goes on moving. */
export type Pick = { kind: "point"; point: Point } | { kind: "vessel"; mmsi: number };

export interface Flight {
  points: Point[];
  /** Counts up with every flight asked for. */
  count: number;
}

class Chart {
  bounds = $state.raw<Bounds | null>(null);
  zoom = $state(3);
  cursor = $state.raw<Point | null>(null);
  ready = $state(false);
  failed = $state("");
  flight = $state.raw<Flight>({ points: [], count: 0 });

  reception = $state(true);
  limits = $state(true);
  names = $state(true);
  vectors = $state(true);
  legend = $state(false);

  tool = $state<Tool>("none");
  picks = $state.raw<Pick[]>([]);
  ring = $state.raw<Point[]>([]);

  get bbox(): string | null {
    const b = this.bounds;
    if (!b) return null;
    const wide = b.east - b.west >= 360;
    const [west, east] = wide ? [-180, 180] : [wrapLongitude(b.west), wrapLongitude(b.east)];
    return [west, Math.max(b.south, -90), east, Math.min(b.north, 90)].map((x) => x.toFixed(4)).join(",");
  }

  fly(points: Point[]): void {
    this.flight = { points, count: this.flight.count + 1 };
  }

  take(tool: Tool): void {
    this.tool = this.tool === tool ? "none" : tool;
    this.picks = [];
    this.ring = [];
  }

  /** A pick on the map for the tool in hand; a third one begins anew. */
  pick(pick: Pick): void {
    if (this.tool === "area") {
      if (pick.kind === "point") this.ring = [...this.ring, pick.point];
      return;
    }
    this.picks = this.picks.length >= 2 ? [pick] : [...this.picks, pick];
  }

  setPick(at: number, pick: Pick): void {
    this.picks = at < this.picks.length ? this.picks.with(at, pick) : [...this.picks, pick];
  }
}

export const chart = new Chart();
