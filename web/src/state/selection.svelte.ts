/**
 * What is open: an alert, a vessel or an observation, and the tracks that belong to it.
 *
 * Always true: it follows the URL; an answer to an older question is thrown away; tracks are as known then
 * where the clock says so.
 */
import { type Alert, type AlertDetail, ApiFailure, type Observation, type Track, type VesselDetail, api } from "../api/client";
import { DAY_US, HOUR_US } from "../measure/time";
import { clock } from "./clock.svelte";
import { queue } from "./queue.svelte";
import { route } from "./route.svelte";
import { desk } from "./session.svelte";

/** Before and after an alert's span, tracks are drawn this much longer, to show where they came from. */
const MARGIN_US = 3 * HOUR_US;

class Slot<T> {
  value = $state.raw<T | null>(null);
  failure = $state.raw<ApiFailure | null>(null);
  loading = $state(false);
  private ticket = 0;

  async fill(ask: () => Promise<T>): Promise<T | null> {
    const ticket = ++this.ticket;
    this.loading = true;
    try {
      const value = await ask();
      if (ticket !== this.ticket) return null;
      this.value = value;
      this.failure = null;
      return value;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (ticket === this.ticket) {
        this.value = null;
        this.failure = error;
      }
      return null;
    } finally {
      if (ticket === this.ticket) this.loading = false;
    }
  }

  /** What was asked for elsewhere; answers still on their way are older. */
  put(value: T): void {
    this.ticket += 1;
    this.value = value;
    this.failure = null;
    this.loading = false;
  }

  clear(): void {
    this.ticket += 1;
    this.value = null;
    this.failure = null;
    this.loading = false;
  }
}

class Selection {
  alert = new Slot<AlertDetail>();
  vessel = new Slot<VesselDetail>();
  observation = new Slot<Observation>();
  tracks = new Slot<Track[]>();

  async openAlert(id: string): Promise<AlertDetail | null> {
    if (this.alert.value?.alert.id !== id) this.alert.clear();
    const detail = await this.alert.fill(() => api.alert(id));
    if (detail) queue.take(detail.alert);
    return detail;
  }

  /** The same again, where what is shown is no longer so; it stays until the newer one is here. Raises ApiFailure. */
  async lookAgain(id: string): Promise<AlertDetail> {
    const detail = await api.alert(id);
    if (route.at.alert === id) this.alert.put(detail);
    queue.take(detail.alert);
    return detail;
  }

  /** A decision's answer: shown at once, the rest of the alert follows. */
  decided(alert: Alert): void {
    const shown = this.alert.value;
    if (shown?.alert.id === alert.id && shown.alert.revision < alert.revision) this.alert.value = { ...shown, alert };
  }

  openVessel(mmsi: number): Promise<VesselDetail | null> {
    if (this.vessel.value?.vessel.mmsi !== mmsi) this.vessel.clear();
    return this.vessel.fill(() => api.vessel(mmsi));
  }

  openObservation(raw: number): Promise<Observation | null> {
    return this.observation.fill(() => api.observation(raw));
  }

  /** Tracks of the alert's vessels around it, else of the vessel over the last day. */
  async loadTracks(): Promise<void> {
    const detail = this.alert.value;
    const vessel = this.vessel.value;
    const known = clock.knownUs;
    if (detail) {
      const { start_us, end_us, participants, evidence } = detail.finding;
      const mmsis = [...new Set([...evidence.map((e) => e.mmsi), ...participants.map((p) => p.mmsi)])];
      await this.tracks.fill(async () =>
        (await Promise.all(mmsis.map((mmsi) => api.tracks(mmsi, Math.max(0, start_us - MARGIN_US), end_us + MARGIN_US, known)))).flatMap(
          (answer) => answer.tracks,
        ),
      );
    } else if (vessel) {
      const end = clock.mode === "live" ? desk.pictureUs + 1 : clock.us;
      await this.tracks.fill(async () => (await api.tracks(vessel.vessel.mmsi, Math.max(0, end - DAY_US), end, known)).tracks);
    } else {
      this.tracks.clear();
    }
  }
}

export const selection = new Selection();
