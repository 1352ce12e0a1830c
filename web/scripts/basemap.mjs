/**
 * Makes the basemap's files from packages, so that the map needs no network:
 * land and country borders from world-atlas (Natural Earth, public domain), the 12 nm limits from
 * @osm_borders/maritime_1000m (OpenStreetMap contributors, ODbL). The map's worker reads them by URL,
 * so the page itself never parses them.
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { feature, mesh } from "topojson-client";

const require = createRequire(import.meta.url);
const out = join(dirname(fileURLToPath(import.meta.url)), "..", "public", "basemap");
mkdirSync(out, { recursive: true });

const read = (name) => JSON.parse(readFileSync(require.resolve(name), "utf8"));

/** Degrees to five decimals (about a metre) keep the files a third smaller. */
const rounded = (_key, value) => (typeof value === "number" ? Math.round(value * 1e5) / 1e5 : value);
const write = (name, data) => writeFileSync(join(out, name), JSON.stringify(data, rounded));

for (const scale of ["50m", "10m"]) {
  const land = read(`world-atlas/land-${scale}.json`);
  write(`land-${scale}.geojson`, feature(land, land.objects.land));
}

const countries = read("world-atlas/countries-50m.json");
write("borders.geojson", {
  type: "Feature",
  properties: {},
  geometry: mesh(countries, countries.objects.countries, (a, b) => a !== b),
});

/** One label point per State: the centre of the bounding box of its largest ring. */
const ringArea = (ring) =>
  Math.abs(ring.reduce((sum, [x, y], i) => sum + x * ring[(i + 1) % ring.length][1] - ring[(i + 1) % ring.length][0] * y, 0)) / 2;
const labels = [];
for (const state of feature(countries, countries.objects.countries).features) {
  if (!state.id) continue;
  const rings = state.geometry.type === "Polygon" ? [state.geometry.coordinates[0]] : state.geometry.coordinates.map((p) => p[0]);
  const largest = rings.reduce((a, b) => (ringArea(b) > ringArea(a) ? b : a));
  const xs = largest.map((p) => p[0]);
  const ys = largest.map((p) => p[1]);
  const alpha2 = Intl.getCanonicalLocales(`und-${state.id}`)[0].slice(4);
  if (!/^[A-Z]{2}$/.test(alpha2)) continue;
  labels.push({
    code: alpha2,
    position: [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2],
    area: ringArea(largest),
  });
}
write("states.json", labels);

const maritime = read("@osm_borders/maritime_1000m/borders.geo.json");
write("maritime.geojson", {
  type: "FeatureCollection",
  features: maritime.features.flatMap((state) =>
    (state.geometry.type === "GeometryCollection" ? state.geometry.geometries : [state.geometry]).map((geometry) => ({
      type: "Feature",
      properties: { state: state.properties.isoA2 },
      geometry,
    })),
  ),
});
