/**
 * The queue: alerts as the filters of the URL ask, kept up to date by the live push.
 *
 * Always true: what is listed is what the server answered, changed only by alerts the server pushed or a
 * decision's answer; a filter that the server does not know is applied here and said so in the count.
 */
import { type Alert, type AlertQuery, ApiFailure, api } from "../api/client";
import { fromIso } from "../measure/time";
import { classOfShipType } from "../measure/vessels";
import { chart } from "./chart.svelte";
import { type Place, route } from "./route.svelte";
import { highest } from "./markings.svelte";

export const BANDS = [
  "almost_no_chance", "very_unlikely", "unlikely", "even", "likely", "very_likely", "almost_certain",
] as const;
export const STATES = ["new", "taken", "escalated", "dismissed", "merged"] as const;
export const BEHAVIOURS = [
  "encounter", "dark_encounter", "loitering", "gap", "port_visit", "identity", "spoofing", "route_departure",
  "watchlist", "area",
] as const;
export const FILTER_KEYS = ["behaviour", "state", "band", "class", "flag", "from", "to", "here", "sim", "sort"] as const;
const OPEN = ["new", "taken", "escalated"];
const PAGE = 200;

const list = (text: string | undefined): string[] => (text ?? "").split(",").filter(Boolean);

/** What the server is asked for a place. */
function queryOf(place: Place, bbox: string | null): AlertQuery {
  const since = fromIso(place.from);
  const until = fromIso(place.to);
  return {
    limit: PAGE,
    sort: (place.sort as AlertQuery["sort"]) ?? "rank",
    ...(place.state ? { state: place.state } : {}),
    ...(place.behaviour ? { behaviour: place.behaviour } : {}),
    ...(since === null ? {} : { since_us: since }),
    ...(until === null ? {} : { until_us: until }),
    ...(place.here && bbox ? { bbox } : {}),
    ...(place.sim === "no" ? { simulated: false } : place.sim === "only" ? { simulated: true } : {}),
  };
}

/** What the server cannot filter by. */
export function passes(alert: Alert, place: Place): boolean {
  const band = BANDS.indexOf(place.band as (typeof BANDS)[number]);
  if (band > 0 && BANDS.indexOf(alert.band) < band) return false;
  const classes = list(place.class).map(Number);
  if (classes.length && !alert.participants.some((v) => classes.includes(classOfShipType(v.ship_type)))) return false;
  const flags = list(place.flag?.toUpperCase());
  return !flags.length || alert.participants.some((v) => flags.includes(v.flag));
}

type Marking = Alert["marking"];

class Queue {
  private loaded = $state.raw<Alert[]>([]);
  private pages = $state.raw<Marking[]>([]);
  /** The highest of what is listed; of equal ones that of a whole page, which is their combination. */
  readonly marking = $derived(highest([...this.pages, ...this.loaded.map((alert) => alert.marking)]));
  total = $state(0);
  cursor = $state("");
  loading = $state(true);
  failure = $state.raw<ApiFailure | null>(null);
  private asked = 0;

  get alerts(): Alert[] {
    return this.loaded.filter((alert) => passes(alert, route.at));
  }

  /** Left out by filters applied here. */
  get hidden(): number {
    return this.loaded.length - this.alerts.length;
  }

  get filtered(): boolean {
    return FILTER_KEYS.some((key) => key !== "sort" && route.at[key]);
  }

  async load(): Promise<void> {
    const ticket = ++this.asked;
    this.loading = true;
    try {
      const page = await api.alerts(queryOf(route.at, chart.bbox));
      if (ticket !== this.asked) return;
      this.loaded = page.alerts;
      this.pages = page.alerts.length ? [page.marking] : [];
      this.total = page.total;
      this.cursor = page.next_cursor;
      this.failure = null;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (ticket === this.asked) this.failure = error;
    } finally {
      if (ticket === this.asked) this.loading = false;
    }
  }

  async more(): Promise<void> {
    if (!this.cursor) return;
    const page = await api.alerts({ ...queryOf(route.at, chart.bbox), cursor: this.cursor });
    this.loaded = [...this.loaded, ...page.alerts];
    this.pages = [...this.pages, page.marking];
    this.cursor = page.next_cursor;
  }

  /** An alert that was pushed or decided on: it replaces its line; one that no longer belongs goes. */
  take(alert: Alert): void {
    const at = this.loaded.findIndex((other) => other.id === alert.id);
    const wanted = (list(route.at.state).length ? list(route.at.state) : OPEN).includes(alert.state);
    if (at < 0) {
      if (wanted) this.reload();
      return;
    }
    const before = this.loaded[at]!;
    if (before.revision > alert.revision) return;
    // One alert asked for by itself has no place in the queue (rank 0): it keeps the one it had.
    this.loaded = wanted ? this.loaded.with(at, { ...alert, rank: alert.rank || before.rank }) : this.loaded.toSpliced(at, 1);
    if (!wanted) this.total -= 1;
  }

  private timer = 0;
  /** Pushed alerts come in bursts: one request for all of them. */
  private reload(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.load(), 400) as unknown as number;
  }

  /** The alert `step` lines from the selected one; the first where none is. */
  beside(step: number): Alert | undefined {
    const alerts = this.alerts;
    const at = alerts.findIndex((alert) => alert.id === route.at.alert);
    if (at < 0) return step > 0 ? alerts[0] : alerts.at(-1);
    return alerts[Math.min(Math.max(at + step, 0), alerts.length - 1)];
  }
}

export const queue = new Queue();
