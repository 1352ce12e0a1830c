/**
 * Time as a control: live at the right end, else a moment, as known then or as known now.
 *
 * Always true: live follows the newest data; leaving live keeps the moment in the URL; playing moves the
 * moment forward and stops at its end.
 */
import { fromIso, HOUR_US, toIso } from "../measure/time";
import { route } from "./route.svelte";
import { desk } from "./session.svelte";

export type Mode = "live" | "then" | "now";
export const SPEEDS = [1, 10, 60, 300, 1800] as const;
export const SPANS_H = [6, 24, 72, 168] as const;

class Clock {
  /** The moment while it is being dragged or played, before the URL is told; null follows the URL. */
  private moving = $state<number | null>(null);
  playing = $state(false);
  speed = $state<number>(300);
  spanH = $state<number>(24);
  /** Where playing ends; null: at live. */
  private until: number | null = null;
  private frame = 0;
  private lastMs = 0;

  get mode(): Mode {
    if (this.moving === null && !route.at.t) return "live";
    return route.at.known === "now" ? "now" : "then";
  }

  get us(): number {
    return this.moving ?? fromIso(route.at.t) ?? desk.pictureUs;
  }

  get known(): "then" | "now" {
    return route.at.known === "now" ? "now" : "then";
  }

  setKnown(known: "then" | "now"): void {
    route.go({ known: known === "now" ? "now" : undefined }, true);
  }

  /** What was known at the moment; null where everything known now counts. */
  get knownUs(): number | null {
    return this.mode === "then" ? this.us : null;
  }

  drag(us: number): void {
    this.moving = Math.min(us, desk.pictureUs);
  }

  settle(): void {
    if (this.moving === null) return;
    const us = this.moving;
    this.moving = null;
    if (us >= desk.pictureUs) this.live();
    else route.go({ t: toIso(us) }, true);
  }

  at(us: number): void {
    this.stop();
    if (us >= desk.pictureUs) this.live();
    else route.go({ t: toIso(us) });
  }

  live(): void {
    this.stop();
    this.moving = null;
    route.go({ t: undefined, known: undefined });
  }

  play(from: number | null = null, until: number | null = null): void {
    if (from !== null) this.moving = from;
    else this.moving = this.us >= desk.pictureUs ? desk.pictureUs - (this.spanH * HOUR_US) / 4 : this.us;
    this.until = until;
    this.playing = true;
    this.lastMs = performance.now();
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(this.step);
  }

  stop(): void {
    if (!this.playing) return;
    this.playing = false;
    cancelAnimationFrame(this.frame);
    this.settle();
  }

  private readonly step = (nowMs: number): void => {
    if (!this.playing) return;
    // A page that was hidden does not jump.
    const elapsedMs = Math.min(nowMs - this.lastMs, 250);
    this.lastMs = nowMs;
    const end = this.until ?? desk.pictureUs;
    const next = this.us + elapsedMs * 1000 * this.speed;
    if (next >= end) {
      this.moving = end;
      this.stop();
      return;
    }
    this.moving = next;
    this.frame = requestAnimationFrame(this.step);
  };
}

export const clock = new Clock();
