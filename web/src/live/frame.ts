/**
 * The binary frames of the live push (docs/api.md), as typed arrays over the received bytes.
 *
 * Always true: columns are views, nothing is copied; a frame whose length is not what its counts say is refused.
 */

export const SNAPSHOT = 0;
export const DELTA = 1;
export const CELLS = 2;

const MAGIC = 0x31505253; // "SRP1", little-endian
const HEADER_BYTES = 32;
const VESSEL_BYTES = 28;
const CELL_BYTES = 12;

/** Value of `course`, `heading` and `speed` that means unknown. */
export const UNKNOWN_U16 = 65535;

export const FLAG = { simulated: 1, alert: 2, flaws: 4, satellite: 8, watchlist: 16 } as const;

interface Header {
  view: number;
  total: number;
  timeUs: number;
  thinned: boolean;
  simulated: boolean;
}

export interface VesselFrame extends Header {
  kind: typeof SNAPSHOT | typeof DELTA;
  slot: Int32Array;
  latitude: Int32Array;
  longitude: Int32Array;
  mmsi: Int32Array;
  removed: Int32Array;
  course: Uint16Array;
  heading: Uint16Array;
  speed: Uint16Array;
  age: Uint16Array;
  length: Uint16Array;
  vesselClass: Uint8Array;
  flags: Uint8Array;
}

export interface CellFrame extends Header {
  kind: typeof CELLS;
  latitude: Int32Array;
  longitude: Int32Array;
  count: Uint32Array;
}

export type Frame = VesselFrame | CellFrame;

export class FrameError extends Error {}

/** Throws FrameError. The platform must be little-endian, as every browser's is. */
export function decodeFrame(buffer: ArrayBuffer): Frame {
  if (buffer.byteLength < HEADER_BYTES) throw new FrameError(`a frame of ${buffer.byteLength} bytes has no header`);
  const head = new DataView(buffer);
  if (head.getUint32(0, true) !== MAGIC) throw new FrameError("not a frame of the live push");
  const kind = head.getUint8(4);
  const bits = head.getUint8(5);
  const n = head.getUint32(12, true);
  const m = head.getUint32(16, true);
  const header: Header = {
    view: head.getUint32(8, true),
    total: head.getUint32(20, true),
    timeUs: Number(head.getBigInt64(24, true)),
    thinned: (bits & 1) !== 0,
    simulated: (bits & 2) !== 0,
  };
  const expected = HEADER_BYTES + (kind === CELLS ? CELL_BYTES * n : VESSEL_BYTES * n + 4 * m);
  if (buffer.byteLength !== expected) throw new FrameError(`a frame of ${buffer.byteLength} bytes should have ${expected}`);
  let at = HEADER_BYTES;
  const take = <T>(make: new (b: ArrayBuffer, o: number, l: number) => T, size: number, length: number): T => {
    const column = new make(buffer, at, length);
    at += size * length;
    return column;
  };
  if (kind === CELLS) {
    return {
      ...header,
      kind,
      latitude: take(Int32Array, 4, n),
      longitude: take(Int32Array, 4, n),
      count: take(Uint32Array, 4, n),
    };
  }
  if (kind !== SNAPSHOT && kind !== DELTA) throw new FrameError(`unknown kind of frame ${kind}`);
  return {
    ...header,
    kind,
    slot: take(Int32Array, 4, n),
    latitude: take(Int32Array, 4, n),
    longitude: take(Int32Array, 4, n),
    mmsi: take(Int32Array, 4, n),
    removed: take(Int32Array, 4, m),
    course: take(Uint16Array, 2, n),
    heading: take(Uint16Array, 2, n),
    speed: take(Uint16Array, 2, n),
    age: take(Uint16Array, 2, n),
    length: take(Uint16Array, 2, n),
    vesselClass: take(Uint8Array, 1, n),
    flags: take(Uint8Array, 1, n),
  };
}
