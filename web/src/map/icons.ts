/**
 * The atlas of vessel symbols: a shape for each class, drawn here, tinted by deck.gl.
 *
 * Always true: a simulated vessel is never the same shape as a real one (hollow, barred), nor a stale one
 * as a fresh one (hollow, dashed); class is told by shape, not by colour.
 */
import { parseHex } from "./palette";
import ms from "milsymbol";

export const CLASS_NAMES = [
  "unknown", "cargo", "tanker", "passenger", "fishing", "pleasure", "tug", "highspeed", "government", "rescue",
  "base", "aid", "aircraft", "other",
] as const;
export type ClassName = (typeof CLASS_NAMES)[number];

export interface Atlas {
  image: HTMLCanvasElement;
  /** Side of a cell, pixels. */
  cell: number;
  /** Left and top of a symbol's cell. */
  frames: Record<string, readonly [number, number]>;
}

/** Cell of the atlas, pixels; shapes are drawn in a 64 x 64 space. */
const CELL = 64;

/** Paths point north. */
const SHAPES: Record<ClassName, string> = {
  unknown: "M32 8 L50 54 L32 44 L14 54 Z",
  cargo: "M32 4 L46 20 L46 58 L18 58 L18 20 Z",
  tanker: "M32 4 C44 12 46 20 46 28 L46 58 L18 58 L18 28 C18 20 20 12 32 4 Z",
  passenger: "M32 4 L48 26 L44 58 L20 58 L16 26 Z",
  fishing: "M32 6 L48 34 L40 58 L32 48 L24 58 L16 34 Z",
  pleasure: "M32 6 C44 24 44 42 40 56 L24 56 C20 42 20 24 32 6 Z",
  tug: "M32 14 C42 18 46 26 46 34 L46 56 L18 56 L18 34 C18 26 22 18 32 14 Z",
  highspeed: "M32 2 L44 58 L32 50 L20 58 Z",
  government: "M32 4 L46 24 L46 48 L32 60 L18 48 L18 24 Z",
  rescue: "M26 10 L38 10 L38 26 L54 26 L54 38 L38 38 L38 54 L26 54 L26 38 L10 38 L10 26 L26 26 Z",
  base: "M32 10 L52 54 L12 54 Z M32 26 L24 48 L40 48 Z",
  aid: "M32 10 L54 32 L32 54 L10 32 Z",
  aircraft: "M32 4 L37 24 L58 36 L58 42 L37 36 L36 50 L44 58 L20 58 L28 50 L27 36 L6 42 L6 36 L27 24 Z",
  other: "M32 8 L46 26 L42 56 L22 56 L18 26 Z",
};
/** A mark inside the shape, cut out, where outlines alone are alike. */
const CUTS: Partial<Record<ClassName, string>> = {
  tanker: "M32 30 m-6 0 a6 6 0 1 0 12 0 a6 6 0 1 0 -12 0",
  cargo: "M22 40 H42",
  passenger: "M24 30 H40 M24 42 H40",
  tug: "M24 42 H40",
  government: "M20 44 L44 26",
};
/** Hull to scale: six lengths to a beam. */
const HULL = "M32 0 C36 8 37.3 14 37.3 20 L37.3 62 L34 64 L30 64 L26.7 62 L26.7 20 C26.7 14 28 8 32 0 Z";
const DISC = "M32 16 a16 16 0 1 0 0.01 0 Z";

type Variant = "plain" | "stale" | "simulated" | "simulated-stale";
const VARIANTS: readonly Variant[] = ["plain", "stale", "simulated", "simulated-stale"];

function draw(g: CanvasRenderingContext2D, shape: string, variant: Variant, cut?: string): void {
  const path = new Path2D(shape);
  g.lineJoin = "round";
  g.strokeStyle = g.fillStyle = "#fff";
  if (variant === "plain") {
    g.fill(path, "evenodd");
    if (!cut) return;
    g.globalCompositeOperation = "destination-out";
    g.lineWidth = 5;
    g.stroke(new Path2D(cut));
    g.globalCompositeOperation = "source-over";
    return;
  }
  // A see-through body keeps the heading readable at a glance.
  g.globalAlpha = 0.3;
  g.fill(path, "evenodd");
  g.globalAlpha = 1;
  g.lineWidth = 5.5;
  if (variant.endsWith("stale")) g.setLineDash([9, 7]);
  g.stroke(path);
  g.setLineDash([]);
  if (variant.startsWith("simulated")) {
    g.save();
    g.clip(path);
    g.lineWidth = 5;
    g.stroke(new Path2D("M10 50 L54 28"));
    g.restore();
  }
}

/** Names: `<class>|still|hull` + `.` + variant, `ring`, `square`, `bracket`. */
export function simpleAtlas(): Atlas {
  const names: [string, string, Variant, string | undefined][] = [];
  for (const variant of VARIANTS) {
    for (const name of CLASS_NAMES) names.push([`${name}.${variant}`, SHAPES[name], variant, CUTS[name]]);
    names.push([`still.${variant}`, DISC, variant, undefined]);
    names.push([`hull.${variant}`, HULL, variant, undefined]);
  }
  const columns = 16;
  const image = document.createElement("canvas");
  image.width = columns * CELL;
  image.height = (VARIANTS.length + 1) * CELL;
  const g = image.getContext("2d")!;
  const frames: Atlas["frames"] = {};
  names.forEach(([name, shape, variant, cut], i) => {
    const [x, y] = [(i % columns) * CELL, Math.floor(i / columns) * CELL];
    g.save();
    g.translate(x, y);
    g.beginPath();
    g.rect(0, 0, CELL, CELL);
    g.clip();
    draw(g, shape, variant, cut);
    g.restore();
    frames[name] = [x, y];
  });
  marks(g, frames, VARIANTS.length * CELL);
  return { image, cell: CELL, frames };
}

/** What is drawn around a vessel: an alert's ring, a watchlist's square, the selection's brackets. */
function marks(g: CanvasRenderingContext2D, frames: Atlas["frames"], y: number): void {
  const paths: Record<string, string> = {
    alert: "M32 6 a26 26 0 1 0 0.01 0 Z M32 0 V10 M32 54 V64 M0 32 H10 M54 32 H64",
    watchlist: "M32 4 L60 32 L32 60 L4 32 Z",
    selected: "M4 20 V4 H20 M44 4 H60 V20 M60 44 V60 H44 M20 60 H4 V44",
  };
  Object.entries(paths).forEach(([name, path], i) => {
    g.save();
    g.translate(i * CELL, y);
    g.strokeStyle = "#fff";
    g.lineWidth = name === "selected" ? 6 : 4;
    g.stroke(new Path2D(path));
    g.restore();
    frames[name] = [i * CELL, y];
  });
}

/** Sea surface entities of MIL-STD-2525D / APP-6D, symbol set 30. */
const ENTITIES: Record<ClassName, string> = {
  unknown: "000000", cargo: "140101", tanker: "140109", passenger: "140110", fishing: "140200", pleasure: "140400",
  tug: "140111", highspeed: "140502", government: "140300", rescue: "140000", base: "000000", aid: "000000",
  aircraft: "000000", other: "140000",
};

/**
 * MIL-STD-2525D / APP-6D. Standard identity is unknown (1) where an alert is open, else neutral (4):
 * nothing here says friend or hostile. Context is simulation (2) for simulated vessels: the symbol says S.
 * With a tint, every colour becomes a brightness of it: eyes adapted to the dark see no other light.
 */
export function milstdAtlas(tint = ""): Atlas {
  const size = 22;
  const cell = 96;
  const names: [string, string][] = [];
  for (const [context, simulated] of [["0", ""], ["2", ".simulated"]] as const)
    for (const [identity, suffix] of [["4", ""], ["1", ".alert"]] as const)
      for (const name of CLASS_NAMES)
        names.push([`${name}${simulated}${suffix}`, `10${context}${identity}300000${ENTITIES[name]}0000`]);
  const columns = 14;
  const image = document.createElement("canvas");
  image.width = columns * cell;
  image.height = Math.ceil(names.length / columns) * cell;
  const g = image.getContext("2d")!;
  const frames: Atlas["frames"] = {};
  names.forEach(([name, sidc], i) => {
    const symbol = new ms.Symbol(sidc, { size, outlineWidth: 2, outlineColor: "rgba(0,0,0,0.6)" });
    const canvas = symbol.asCanvas(2);
    const [x, y] = [(i % columns) * cell, Math.floor(i / columns) * cell];
    // The symbol's own anchor comes to the middle of the cell.
    const anchor = symbol.getAnchor();
    g.save();
    g.beginPath();
    g.rect(x, y, cell, cell);
    g.clip();
    g.drawImage(canvas, x + cell / 2 - 2 * anchor.x, y + cell / 2 - 2 * anchor.y);
    g.restore();
    frames[name] = [x, y];
  });
  if (tint) tinted(g, tint);
  return { image, cell, frames };
}

/** Grey by brightness, times the tint; what is transparent stays so. */
function tinted(g: CanvasRenderingContext2D, tint: string): void {
  const pixels = g.getImageData(0, 0, g.canvas.width, g.canvas.height);
  const rgb = parseHex(tint);
  const { data } = pixels;
  for (let i = 0; i < data.length; i += 4) {
    const light = (0.2126 * data[i]! + 0.7152 * data[i + 1]! + 0.0722 * data[i + 2]!) / 255;
    for (let k = 0; k < 3; k++) data[i + k] = light * rgb[k]!;
  }
  g.putImageData(pixels, 0, 0);
}
