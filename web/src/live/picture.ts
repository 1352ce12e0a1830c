/**
 * The picture: every vessel in view in columns that deck.gl reads as they are.
 *
 * Always true: rows 0..count-1 are live; a removed vessel's row is taken by the last one; a slot has at
 * most one row. Nothing is allocated for a delta unless the picture grows.
 */
import { CELLS, type CellFrame, type Frame, SNAPSHOT, UNKNOWN_U16, type VesselFrame } from "./frame";

const E7 = 1e-7;

export class Picture {
  count = 0;
  total = 0;
  timeUs = 0;
  thinned = false;
  simulated = false;
  cells: CellFrame | null = null;
  /** Changes with every frame applied: an update trigger. */
  version = 0;

  /** Longitude and latitude in degrees, interleaved. */
  position = new Float64Array(0);
  /** Degrees clockwise of north the shape points to: heading, else course, else NaN. */
  pointing = new Float32Array(0);
  course = new Float32Array(0);
  heading = new Float32Array(0);
  speedMps = new Float32Array(0);
  lengthM = new Uint16Array(0);
  mmsi = new Int32Array(0);
  /** When the position was true, in seconds since 1970. */
  timeS = new Float64Array(0);
  vesselClass = new Uint8Array(0);
  flags = new Uint8Array(0);

  private slotOfRow = new Int32Array(0);
  private readonly rowOfSlot = new Map<number, number>();

  /** Row of a vessel, or -1. */
  rowOf(mmsi: number): number {
    return this.mmsi.subarray(0, this.count).indexOf(mmsi);
  }

  apply(frame: Frame): void {
    this.version += 1;
    this.total = frame.total;
    this.timeUs = frame.timeUs;
    this.thinned = frame.thinned;
    this.simulated = frame.simulated;
    if (frame.kind === CELLS) {
      this.clear();
      this.cells = frame;
      return;
    }
    this.cells = null;
    if (frame.kind === SNAPSHOT) this.clear();
    for (const slot of frame.removed) this.remove(slot);
    this.reserve(this.count + frame.slot.length);
    for (let i = 0; i < frame.slot.length; i++) this.put(frame, i);
  }

  private clear(): void {
    this.count = 0;
    this.rowOfSlot.clear();
  }

  private put(frame: VesselFrame, i: number): void {
    const slot = frame.slot[i]!;
    let row = this.rowOfSlot.get(slot);
    if (row === undefined) {
      row = this.count++;
      this.rowOfSlot.set(slot, row);
      this.slotOfRow[row] = slot;
    }
    const course = frame.course[i]! === UNKNOWN_U16 ? NaN : frame.course[i]! / 100;
    const heading = frame.heading[i]! === UNKNOWN_U16 ? NaN : frame.heading[i]! / 100;
    this.position[2 * row] = frame.longitude[i]! * E7;
    this.position[2 * row + 1] = frame.latitude[i]! * E7;
    this.course[row] = course;
    this.heading[row] = heading;
    this.pointing[row] = Number.isNaN(heading) ? course : heading;
    this.speedMps[row] = frame.speed[i]! === UNKNOWN_U16 ? NaN : frame.speed[i]! / 100;
    this.lengthM[row] = frame.length[i]!;
    this.mmsi[row] = frame.mmsi[i]!;
    this.timeS[row] = frame.timeUs / 1e6 - frame.age[i]!;
    this.vesselClass[row] = frame.vesselClass[i]!;
    this.flags[row] = frame.flags[i]!;
  }

  private remove(slot: number): void {
    const row = this.rowOfSlot.get(slot);
    if (row === undefined) return;
    this.rowOfSlot.delete(slot);
    const last = --this.count;
    if (row === last) return;
    this.position.copyWithin(2 * row, 2 * last, 2 * last + 2);
    for (const column of this.scalars()) column[row] = column[last]!;
    this.rowOfSlot.set(this.slotOfRow[row]!, row);
  }

  private scalars(): (Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array)[] {
    return [
      this.pointing, this.course, this.heading, this.speedMps, this.lengthM, this.mmsi,
      this.timeS, this.vesselClass, this.flags, this.slotOfRow,
    ];
  }

  private reserve(rows: number): void {
    if (rows <= this.mmsi.length) return;
    const size = Math.max(1024, 2 ** Math.ceil(Math.log2(rows)));
    const grow = <T extends Float32Array | Float64Array | Uint16Array | Int32Array | Uint8Array>(old: T, width = 1): T => {
      const next = new (old.constructor as new (n: number) => T)(size * width);
      next.set(old);
      return next;
    };
    this.position = grow(this.position, 2);
    this.pointing = grow(this.pointing);
    this.course = grow(this.course);
    this.heading = grow(this.heading);
    this.speedMps = grow(this.speedMps);
    this.lengthM = grow(this.lengthM);
    this.mmsi = grow(this.mmsi);
    this.timeS = grow(this.timeS);
    this.vesselClass = grow(this.vesselClass);
    this.flags = grow(this.flags);
    this.slotOfRow = grow(this.slotOfRow);
  }
}
