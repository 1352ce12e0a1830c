/** Watchlists and areas: what the watch asked to be told about. */
import { ApiFailure, api, type Schemas, type Watchlist } from "../api/client";
import { chart } from "./chart.svelte";
import { places } from "./places.svelte";

class Orders {
  watchlists = $state.raw<Watchlist[]>([]);
  /** Of all of them together; where there are none, there is nothing to mark. */
  watchlistsMarking = $state.raw<Schemas["Marking"] | undefined>();
  trouble = $state("");

  async load(): Promise<void> {
    await this.doing(async () => {
      const { watchlists, marking } = await api.watchlists();
      this.watchlists = watchlists;
      this.watchlistsMarking = watchlists.length ? marking : undefined;
      await places.loadAreas();
    });
  }

  private async doing(act: () => Promise<void>): Promise<boolean> {
    try {
      await act();
      this.trouble = "";
      return true;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.trouble = [error.message, error.hint].filter(Boolean).join(" ");
      return false;
    }
  }

  newList(name: string): Promise<boolean> {
    return this.doing(async () => {
      await api.saveWatchlist({ name, entries: [], source: "", active: true, expected_revision: 0 });
      await this.load();
    });
  }

  private save(list: Watchlist, change: Partial<Pick<Watchlist, "entries" | "active">>): Promise<boolean> {
    return this.doing(async () => {
      await api.saveWatchlist({
        id: list.id,
        expected_revision: list.revision,
        name: list.name,
        source: list.source,
        entries: change.entries ?? list.entries,
        active: change.active ?? list.active,
      });
      await this.load();
    });
  }

  async addToList(id: string, mmsi: number): Promise<boolean> {
    const list = this.watchlists.find((each) => each.id === id);
    return list ? this.save(list, { entries: [...list.entries, { mmsi, reason: "" }] }) : false;
  }

  addEntry(list: Watchlist, entry: Watchlist["entries"][number]): Promise<boolean> {
    return this.save(list, { entries: [...list.entries, entry] });
  }

  removeEntry(list: Watchlist, at: number): Promise<boolean> {
    return this.save(list, { entries: list.entries.toSpliced(at, 1) });
  }

  retire(list: Watchlist): Promise<boolean> {
    return this.save(list, { active: !list.active });
  }

  async saveArea(name: string, text: string): Promise<boolean> {
    const ring = chart.ring.map((p): [number, number] => [p.longitude, p.latitude]);
    return this.doing(async () => {
      await api.saveArea({ name, text, ring: [...ring, ring[0]!], active: true, expected_revision: 0 });
      chart.take("none");
      await places.loadAreas();
    });
  }

  async retireArea(id: string): Promise<boolean> {
    const area = places.areas.find((each) => each.id === id);
    if (!area) return false;
    return this.doing(async () => {
      const ring = area.ring.map((p): [number, number] => [p[0]!, p[1]!]);
      await api.saveArea({ id, expected_revision: area.revision, name: area.name, text: area.text, ring, active: !area.active });
      await places.loadAreas();
    });
  }
}

export const orders = new Orders();
