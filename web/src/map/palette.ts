/** The theme's colours where CSS does not reach: on the map's canvas. */

export type Theme = "dark" | "light" | "red";
export const THEMES: readonly Theme[] = ["dark", "light", "red"];
export type Rgb = [number, number, number];

const NAMES = [
  "sea", "sea-unheard", "hatch", "land", "coast", "border", "limit", "grid", "map-label", "panel", "text", "text-2",
  "accent", "caution", "alarm", "good", "simulated", "vessel", "vessel-edge", "halo",
] as const;
export type ColourName = (typeof NAMES)[number];

export interface Palette {
  css: Record<ColourName, string>;
  rgb: Record<ColourName, Rgb>;
}

export function parseHex(hex: string): Rgb {
  const value = Number.parseInt(hex.trim().slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255];
}

/** Of the theme that the document has now. */
export function readPalette(): Palette {
  const style = getComputedStyle(document.documentElement);
  const css = {} as Record<ColourName, string>;
  const rgb = {} as Record<ColourName, Rgb>;
  for (const name of NAMES) {
    css[name] = style.getPropertyValue(`--${name}`).trim();
    rgb[name] = parseHex(css[name]);
  }
  return { css, rgb };
}
