/** Names of vessels in view, areas, and where we hear: what the map shows besides the picture. */
import type { FeatureCollection } from "geojson";
import { ApiFailure, api, type Area, type Reception, type Schemas } from "../api/client";
import { DAY_US } from "../measure/time";
import { chart } from "./chart.svelte";

type Marking = Schemas["Marking"];

const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };
/** Shares of the expected positions, on a logarithmic scale: from a receiver ashore (all) to a passing satellite (few). */
const HEARD_ALL = 0.5;
const HEARD_NONE = 0.001;
const NAMES_AT_ONCE = 300;

/** 0 is never heard, 1 is heard as well as can be; null ratio: nothing was expected there. */
function heard(ratio: number | null, received: number): number {
  if (ratio === null) return received ? 0.75 : 0;
  if (ratio <= HEARD_NONE) return 0;
  return Math.min(1, Math.log(ratio / HEARD_NONE) / Math.log(HEARD_ALL / HEARD_NONE));
}

/** A ring across the 180th meridian goes on past it instead of round the world. */
function unwrapped(ring: readonly (readonly number[])[]): [number, number][] {
  const start = ring[0]?.[0] ?? 0;
  const out = ring.map(([x, y]): [number, number] => [start + (((x! - start + 540) % 360) - 180), y!]);
  return [...out, out[0]!];
}

class Places {
  names = $state.raw<ReadonlyMap<number, string>>(new Map());
  /** The marking of what is heard of each of them. */
  nameMarkings = $state.raw<ReadonlyMap<number, Marking>>(new Map());
  areas = $state.raw<Area[]>([]);
  /** Of all of them together; where there are none, there is nothing to mark. */
  areasMarking = $state.raw<Marking | undefined>();
  reception = $state.raw<Reception | null>(null);
  receptionFailure = $state("");
  private asked = new Set<number>();

  async nameThem(mmsis: Iterable<number>): Promise<void> {
    const missing: number[] = [];
    for (const mmsi of mmsis) {
      if (missing.length >= NAMES_AT_ONCE) break;
      if (!this.asked.has(mmsi)) missing.push(mmsi);
    }
    if (!missing.length) return;
    for (const mmsi of missing) this.asked.add(mmsi);
    try {
      const { names, markings } = await api.names(missing);
      const next = new Map(this.names);
      for (const [mmsi, name] of Object.entries(names)) next.set(Number(mmsi), name);
      this.names = next;
      this.nameMarkings = new Map([...this.nameMarkings, ...Object.entries(markings).map(([mmsi, marking]) => [Number(mmsi), marking] as const)]);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      for (const mmsi of missing) this.asked.delete(mmsi);
    }
  }

  async loadAreas(): Promise<void> {
    const { areas, marking } = await api.areas();
    this.areas = areas;
    this.areasMarking = areas.length ? marking : undefined;
  }

  /** Over the day before `us`: a shorter time would call quiet what is only rarely heard. */
  async loadReception(us: number): Promise<void> {
    if (!chart.bbox || !us) return;
    try {
      this.reception = await api.reception(chart.bbox, us, Math.max(0, us - DAY_US));
      this.receptionFailure = "";
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.receptionFailure = error.message;
    }
  }

  get receptionGeometry(): FeatureCollection {
    if (!this.reception) return EMPTY;
    return {
      type: "FeatureCollection",
      features: this.reception.cells.map((cell) => ({
        type: "Feature",
        properties: { heard: heard(cell.ratio, cell.received) },
        geometry: { type: "Polygon", coordinates: [unwrapped(cell.ring)] },
      })),
    };
  }

  get areaGeometry(): FeatureCollection {
    return {
      type: "FeatureCollection",
      features: this.areas
        .filter((area) => area.active)
        .map((area) => ({
          type: "Feature",
          properties: { name: area.name },
          geometry: { type: "Polygon", coordinates: [unwrapped(area.ring)] },
        })),
    };
  }
}

export const places = new Places();
