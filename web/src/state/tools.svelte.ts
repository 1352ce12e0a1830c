/** What the tools in hand come to: range and bearing, closest approach, and where what is selected is. */
import { closestApproach, type ClosestApproach, type Mover, type Point, rangeBearing, type RangeBearing } from "../measure/geodesy";
import type { VesselDetail } from "../api/client";
import { live } from "../live/socket.svelte";
import { chart, type Pick } from "./chart.svelte";
import { route } from "./route.svelte";
import { selection } from "./selection.svelte";

function moverOf(at: Position): Mover {
  return {
    latitude: at.latitude_deg,
    longitude: at.longitude_deg,
    speedMps: at.speed_mps ?? NaN,
    courseDeg: at.course_deg ?? NaN,
    timeS: at.time_us / 1e6,
  };
}

type Position = NonNullable<VesselDetail["position"]>;

class Tools {
  /** Where vessels were last, that were picked by name or have left the view since. */
  private remembered = new Map<number, Mover>();

  /** A position that the API gave, for a vessel that may lie outside the view. */
  remember(mmsi: number, at: Position): void {
    this.remembered.set(mmsi, moverOf(at));
  }

  /** A vessel of the picture as a mover, else as it was last known; null where it never was. Course and speed may be NaN. */
  private mover(mmsi: number): Mover | null {
    void live.version;
    const p = live.picture;
    const row = p.rowOf(mmsi);
    if (row >= 0) {
      const seen = {
        latitude: p.position[2 * row + 1]!,
        longitude: p.position[2 * row]!,
        speedMps: p.speedMps[row]!,
        courseDeg: p.course[row]!,
        timeS: p.timeS[row]!,
      };
      this.remembered.set(mmsi, seen);
      return seen;
    }
    const known = selection.vessel.value;
    if (known?.vessel.mmsi === mmsi && known.position) return moverOf(known.position);
    return this.remembered.get(mmsi) ?? null;
  }

  pointOf(pick: Pick): Point | null {
    return pick.kind === "point" ? pick.point : this.mover(pick.mmsi);
  }

  get ends(): Point[] {
    return chart.picks.map((pick) => this.pointOf(pick)).filter((point) => point !== null);
  }

  get range(): RangeBearing | null {
    const [a, b] = this.ends;
    return a && b ? rangeBearing(a, b) : null;
  }

  /** Null until both ends are there. A fixed point does not move; a vessel without course or speed has no CPA. */
  get approach(): ClosestApproach | null {
    if (chart.tool !== "approach" || chart.picks.length !== 2) return null;
    const atS = live.picture.timeUs / 1e6;
    const movers = chart.picks.map((pick): Mover | null =>
      pick.kind === "point" ? { ...pick.point, speedMps: 0, courseDeg: 0, timeS: atS } : this.mover(pick.mmsi),
    );
    const [a, b] = movers;
    if (!a || !b || [a, b].some((m) => Number.isNaN(m.speedMps) || (m.speedMps > 0 && Number.isNaN(m.courseDeg)))) return null;
    return closestApproach(a, b, atS);
  }

  get selectedMmsi(): ReadonlySet<number> {
    const mmsis = new Set<number>();
    const alert = selection.alert.value;
    if (route.at.alert && alert) for (const vessel of alert.finding.participants) mmsis.add(vessel.mmsi);
    if (route.at.vessel) mmsis.add(Number(route.at.vessel));
    return mmsis;
  }

  get selectedPoints(): Point[] {
    return route.at.vessel ? [this.mover(Number(route.at.vessel))].filter((point) => point !== null) : [];
  }

  get fan(): Mover | null {
    if (!route.at.vessel) return null;
    const mover = this.mover(Number(route.at.vessel));
    return mover && !Number.isNaN(mover.speedMps) && !Number.isNaN(mover.courseDeg) ? mover : null;
  }
}

export const tools = new Tools();
