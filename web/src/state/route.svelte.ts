/**
 * Where we are, as the URL says it: what is open, the time, the filters, the map's place.
 *
 * Always true: `route.at` and the address bar say the same; a value that is the default is not in the URL.
 */

export type Panel = "queue" | "log" | "handover" | "watchlists" | "areas" | "calibration" | "quarantine" | "settings" | "access" | "accounts" | "desk" | "keys" | "audit" | "partners" | "together";

/** Every parameter a URL can carry. */
export interface Place {
  panel?: string;
  alert?: string;
  vessel?: string;
  raw?: string;
  t?: string;
  known?: string;
  lat?: string;
  lon?: string;
  z?: string;
  behaviour?: string;
  state?: string;
  band?: string;
  class?: string;
  flag?: string;
  from?: string;
  to?: string;
  here?: string;
  sim?: string;
  sort?: string;
  desk?: string;
  of?: string;
  ofkind?: string;
  audit?: string;
  who?: string;
  object?: string;
  act?: string;
  outcome?: string;
  case?: string;
  since?: string;
  until?: string;
  part?: string;
  request?: string;
  about?: string;
  room?: string;
  roomkind?: string;
}

const KEYS = [
  "panel", "alert", "vessel", "raw", "t", "known", "behaviour", "state", "band", "class", "flag", "from", "to",
  "here", "sim", "sort", "desk", "of", "ofkind", "audit", "who", "object", "act", "outcome", "case", "since", "until",
  "part", "request", "about", "room", "roomkind",
  "lat", "lon", "z",
] as const satisfies readonly (keyof Place)[];

function read(): Place {
  const query = new URLSearchParams(location.search);
  const place: Place = {};
  for (const key of KEYS) {
    const value = query.get(key);
    if (value) place[key] = value;
  }
  return place;
}

export function hrefOf(place: Place): string {
  const query = new URLSearchParams();
  for (const key of KEYS) {
    const value = place[key];
    if (value) query.set(key, value);
  }
  const text = query.toString().replace(/%2C/g, ",").replace(/%3A/g, ":");
  return text ? `/?${text}` : "/";
}

class Route {
  at = $state.raw<Place>(read());

  constructor() {
    addEventListener("popstate", () => (this.at = read()));
  }

  /** Change some parameters (undefined takes one away). `replace` leaves no step to go back to. */
  go(change: Place, replace = false): void {
    const next: Place = { ...this.at };
    for (const key of KEYS) {
      if (!(key in change)) continue;
      if (change[key]) next[key] = change[key];
      else delete next[key];
    }
    const href = hrefOf(next);
    if (href === location.pathname + location.search) return;
    if (replace) history.replaceState(null, "", href);
    else history.pushState(null, "", href);
    this.at = next;
  }

  get panel(): Panel {
    return (this.at.panel as Panel | undefined) ?? "queue";
  }
}

export const route = new Route();

/** What closing everything that is selected means. */
export const NOTHING_SELECTED: Place = { alert: undefined, vessel: undefined, raw: undefined };
