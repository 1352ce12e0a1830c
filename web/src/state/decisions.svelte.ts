/**
 * Decisions on alerts, and what was decided last.
 *
 * Always true: a decision carries the name of who makes it and the revision he looked at; what came in between is
 * shown and he decides again, with what he has typed; the last decision can be taken back.
 */
import { type Alert, type AlertDetail, ApiFailure, api, type DismissReason } from "../api/client";
import { type MessageKey, t } from "../i18n.svelte";
import { byNode, newsOf, stepsSince } from "./news";
import { queue } from "./queue.svelte";
import { route } from "./route.svelte";
import { selection } from "./selection.svelte";
import { desk } from "./session.svelte";

export type Asking = "none" | "name" | "dismiss" | "merge" | "escalate" | "help" | "filters";

/** From which states each decision can be made. */
const FROM = {
  take: ["new"],
  dismiss: ["new", "taken", "escalated"],
  merge: ["new", "taken"],
  escalate: ["new", "taken"],
} as const satisfies Record<string, readonly Alert["state"][]>;

export const can = (decision: keyof typeof FROM, alert: Alert): boolean => (FROM[decision] as readonly string[]).includes(alert.state);

export interface Said {
  text: string;
  /** The alert whose last decision can be undone. */
  undo: Alert | null;
  trouble: boolean;
}

class Decisions {
  asking = $state<Asking>("none");
  /** The alert that the open dialog is about. */
  about = $state.raw<Alert | null>(null);
  /** What became of it since the dialog was opened: said there before he decides again. */
  news = $state("");
  said = $state.raw<Said | null>(null);
  busy = $state(false);
  private afterName: (() => void) | null = null;

  /** Ask for a name first where nobody has said his. */
  withName(then: () => void): void {
    if (desk.session?.officer) then();
    else {
      this.afterName = then;
      this.asking = "name";
    }
  }

  async named(name: string): Promise<void> {
    await desk.sayWho(name);
    this.asking = "none";
    const then = this.afterName;
    this.afterName = null;
    then?.();
  }

  close(): void {
    this.asking = "none";
    this.about = null;
    this.news = "";
    this.afterName = null;
  }

  ask(asking: "dismiss" | "merge" | "escalate", alert: Alert): void {
    this.withName(() => {
      this.about = alert;
      this.news = "";
      this.asking = asking;
    });
  }

  take = (alert: Alert): void =>
    this.withName(() => void this.decide("said.taken", alert, () => api.take(alert.id, { expected_revision: alert.revision, text: "" })));

  reopen = (alert: Alert): void =>
    this.withName(() => void this.decide("said.reopened", alert, () => api.reopen(alert.id, { expected_revision: alert.revision, text: "" })));

  escalate = (alert: Alert, text: string): Promise<boolean> =>
    this.decide("said.escalated", alert, () => api.escalate(alert.id, { expected_revision: alert.revision, text }));

  dismiss = (alert: Alert, reason: DismissReason, text: string): Promise<boolean> =>
    this.decide("said.dismissed", alert, () => api.dismiss(alert.id, { expected_revision: alert.revision, reason, text }));

  merge = (alert: Alert, into: string): Promise<boolean> =>
    this.decide("said.merged", alert, () => api.merge(alert.id, { expected_revision: alert.revision, into }));

  undo = (alert: Alert): void =>
    this.withName(
      () => void this.decide("said.undone", alert, () => api.undo(alert.id, { expected_revision: alert.revision, text: "" }), false),
    );

  private async decide(key: MessageKey, alert: Alert, act: () => Promise<Alert>, canUndo = true): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    const next = ["said.dismissed", "said.merged"].includes(key) && route.at.alert === alert.id ? this.nextAfter(alert) : undefined;
    try {
      const decided = await act();
      queue.take(decided);
      this.said = { text: t(key, { what: headline(decided) }), undo: canUndo ? decided : null, trouble: false };
      this.close();
      if (next !== undefined) route.go({ alert: next, raw: undefined, t: undefined, known: undefined });
      else if (route.at.alert === alert.id) {
        // What he does next goes on his own decision, also before the rest of the alert has come.
        if (decided.revision === alert.revision + 1) selection.decided(decided);
        void selection.openAlert(alert.id);
      }
      return true;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.said = { text: [error.message, error.hint].filter(Boolean).join(" "), undo: null, trouble: true };
      if (error.status === 409) await this.lookAgain(alert, !canUndo);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** The alert moved on: fetch it and say what is new. An open dialog goes on with it, and nothing is sent by itself. */
  private async lookAgain(seen: Alert, undoing: boolean): Promise<void> {
    void queue.load();
    let detail: AlertDetail;
    try {
      detail = await selection.lookAgain(seen.id);
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      this.said = { text: [error.message, error.hint].filter(Boolean).join(" "), undo: null, trouble: true };
      return;
    }
    const news = newsOf(seen, detail);
    if (!news) return;
    if (this.about?.id === seen.id) [this.about, this.news] = [detail.alert, news];
    // Another person's decision is not offered to be undone in place of one's own.
    const undo = undoing && stepsSince(seen, detail).every((step) => byNode(step.author)) ? detail.alert : null;
    this.said = { text: `${news} ${t("news.again")}`, undo, trouble: true };
  }

  /** The alert to look at when this one leaves the queue; "" closes. */
  private nextAfter(alert: Alert): string {
    const at = queue.alerts.findIndex((other) => other.id === alert.id);
    if (at < 0) return alert.id;
    return (queue.alerts[at + 1] ?? queue.alerts[at - 1])?.id ?? "";
  }
}

export const headline = (alert: Alert): string =>
  `${alert.behaviour_text}, ${alert.participants.map((v) => v.name.trim() || v.mmsi).join(" + ")}`;

export const decisions = new Decisions();
