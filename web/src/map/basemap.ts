/**
 * The basemap: land, borders, 12 nm limits, graticule and the reception layer, from files of this page.
 *
 * Always true: nothing comes from a network; there are no glyphs and no tiles. Sea that no receiver has
 * been heard from is hatched, so that an empty map does not look like an empty sea: the hatching is the
 * page's background, seen where the map's canvas is left empty (a pattern drawn by the map itself doubled
 * the cost of a frame on a machine without a GPU).
 */
import type { FeatureCollection } from "geojson";
import type { Map as MapLibre, StyleSpecification } from "maplibre-gl";
import type { Palette } from "./palette";

const EMPTY: FeatureCollection = { type: "FeatureCollection", features: [] };
/** From here on the 1:10 million coast is drawn instead of the 1:50 million one. */
const FINE_COAST_ZOOM = 6;
export const ATTRIBUTION = "Natural Earth · 12 nm © OpenStreetMap (ODbL)";

export function basemapStyle(palette: Palette): StyleSpecification {
  const c = palette.css;
  const url = (name: string) => new URL(`/basemap/${name}`, location.href).href;
  return {
    version: 8,
    sources: {
      reception: { type: "geojson", data: EMPTY },
      graticule: { type: "geojson", data: EMPTY },
      limits: { type: "geojson", data: url("maritime.geojson"), tolerance: 1.5, buffer: 16 },
      land: { type: "geojson", data: url("land-50m.geojson"), tolerance: 0.9, buffer: 16, maxzoom: FINE_COAST_ZOOM },
      borders: { type: "geojson", data: url("borders.geojson"), tolerance: 1, buffer: 16 },
      areas: { type: "geojson", data: EMPTY },
    },
    layers: [
      { id: "sea", type: "background", paint: { "background-color": c.sea } },
      {
        id: "heard",
        type: "fill",
        source: "reception",
        layout: { visibility: "none" },
        paint: { "fill-color": c.sea, "fill-opacity": ["get", "heard"], "fill-antialias": false },
      },
      { id: "graticule", type: "line", source: "graticule", paint: { "line-color": c.grid, "line-width": 1 } },
      {
        id: "limits",
        type: "line",
        source: "limits",
        minzoom: 3.5,
        paint: { "line-color": c.limit, "line-width": 1, "line-dasharray": [4, 3] },
      },
      { id: "land", type: "fill", source: "land", maxzoom: FINE_COAST_ZOOM, paint: { "fill-color": c.land, "fill-antialias": false } },
      { id: "coast", type: "line", source: "land", maxzoom: FINE_COAST_ZOOM, paint: { "line-color": c.coast, "line-width": 0.8 } },
      { id: "borders", type: "line", source: "borders", paint: { "line-color": c.border, "line-width": 0.8, "line-dasharray": [3, 2] } },
      { id: "areas", type: "line", source: "areas", paint: { "line-color": c["text-2"], "line-width": 1.5, "line-dasharray": [6, 2, 1, 2] } },
    ],
  };
}

/** The fine coast (8 MB) is loaded when somebody first looks so closely. */
export function addFineCoast(map: MapLibre, palette: Palette): void {
  if (map.getSource("land-fine") || map.getZoom() < FINE_COAST_ZOOM - 0.3) return;
  map.addSource("land-fine", { type: "geojson", data: new URL("/basemap/land-10m.geojson", location.href).href, tolerance: 0.7, buffer: 16, maxzoom: 10 });
  map.addLayer(
    { id: "land-fine", type: "fill", source: "land-fine", minzoom: FINE_COAST_ZOOM, paint: { "fill-color": palette.css.land, "fill-antialias": false } },
    "borders",
  );
  map.addLayer(
    { id: "coast-fine", type: "line", source: "land-fine", minzoom: FINE_COAST_ZOOM, paint: { "line-color": palette.css.coast, "line-width": 1 } },
    "borders",
  );
}

/** The colours of another theme on the same map. */
export function recolour(map: MapLibre, palette: Palette): void {
  const c = palette.css;
  map.setPaintProperty("sea", "background-color", c.sea);
  map.setPaintProperty("heard", "fill-color", c.sea);
  map.setPaintProperty("graticule", "line-color", c.grid);
  map.setPaintProperty("limits", "line-color", c.limit);
  map.setPaintProperty("borders", "line-color", c.border);
  map.setPaintProperty("areas", "line-color", c["text-2"]);
  for (const suffix of ["", "-fine"]) {
    if (!map.getLayer(`land${suffix}`)) continue;
    map.setPaintProperty(`land${suffix}`, "fill-color", c.land);
    map.setPaintProperty(`coast${suffix}`, "line-color", c.coast);
  }
}
