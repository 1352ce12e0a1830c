import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const CSS = readFileSync(join(import.meta.dirname, "../src/theme/tokens.css"), "utf8");
const themes = [...CSS.matchAll(/:root\[data-theme="(\w+)"\] \{([^}]*)\}/g)].map(
  ([, name, body]) => [name!, Object.fromEntries([...body!.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, key, value]) => [key!, value!]))] as const,
);

/** Relative luminance and contrast ratio, WCAG 2.2. */
function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5].map((i) => {
    const c = Number.parseInt(hex.slice(i, i + 2), 16) / 255;
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a: string, b: string): number => {
  const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (high + 0.05) / (low + 0.05);
};

describe("contrast", () => {
  it("is computed as in the standard", () => {
    expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
    expect(themes.map(([name]) => name)).toEqual(["dark", "light", "red"]);
  });

  it.each(themes)("%s: text 4.5:1, borders of controls and symbols 3:1", (_name, c) => {
    for (const ink of ["text", "text-2", "text-3", "accent", "caution", "alarm", "good", "simulated"])
      for (const ground of ["panel", "raised"]) expect(contrast(c[ink]!, c[ground]!), `${ink} on ${ground}`).toBeGreaterThanOrEqual(4.5);
    for (const ink of ["text", "text-2", "accent"]) expect(contrast(c[ink]!, c.pressed!), `${ink} on pressed`).toBeGreaterThanOrEqual(4.5);
    expect(contrast(c["on-accent"]!, c.accent!), "on-accent").toBeGreaterThanOrEqual(4.5);
    for (const ground of ["sea", "land", "sea-unheard", "halo"]) expect(contrast(c["map-label"]!, c[ground]!), `map-label on ${ground}`).toBeGreaterThanOrEqual(4.5);
    expect(contrast(c.edge!, c.panel!), "edge").toBeGreaterThanOrEqual(3);
    for (const symbol of ["vessel", "simulated", "caution", "accent"])
      for (const ground of ["sea", "land", "sea-unheard"]) expect(contrast(c[symbol]!, c[ground]!), `${symbol} on ${ground}`).toBeGreaterThanOrEqual(3);
  });
});
