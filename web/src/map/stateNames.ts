/** Names of States on land, in the person's language, from the browser itself: no glyphs, no gazetteer. */

export interface StateLabel {
  code: string;
  position: [number, number];
  /** Of its largest part, in square degrees. */
  area: number;
}

const FIRST_ZOOM = 3;
const LAST_ZOOM = 9;
/** At zoom z a State needs an area of this over 4^z to have room for its name. */
const ROOM = 3000;

let labels: StateLabel[] = [];

/** Loads the labels once; without them the map has no names. */
export async function loadStateNames(): Promise<void> {
  const answer = await fetch("/basemap/states.json");
  if (answer.ok) labels = (await answer.json()) as StateLabel[];
}

/** Those that have room at a zoom, with their names. */
export function stateNames(zoom: number, language: string): { text: string; position: [number, number] }[] {
  if (zoom < FIRST_ZOOM || zoom > LAST_ZOOM) return [];
  const names = new Intl.DisplayNames(language, { type: "region" });
  return labels.filter((label) => label.area > ROOM / 4 ** zoom).map((label) => ({ text: names.of(label.code) ?? "", position: label.position }));
}
