/** Opening an alert: the URL, the time, the camera. */
import type { Alert, Finding } from "../api/client";
import type { Point } from "../measure/geodesy";
import { chart } from "./chart.svelte";
import { clock } from "./clock.svelte";
import { queue } from "./queue.svelte";
import { route } from "./route.svelte";
import { selection } from "./selection.svelte";

export function openAlert(alert: Alert): void {
  clock.stop();
  route.go({ alert: alert.id, vessel: undefined, raw: undefined, panel: undefined });
}

export function openBeside(step: number): void {
  const alert = queue.beside(step);
  if (!alert) return;
  openAlert(alert);
  requestAnimationFrame(() => document.querySelector(`[data-alert="${alert.id}"]`)?.scrollIntoView({ block: "nearest" }));
}

/** The stretches of track that are the evidence, else where the finding says it was. */
export function flyToEvidence(finding: Finding): void {
  const points: Point[] = [{ latitude: finding.latitude_deg, longitude: finding.longitude_deg }];
  for (const track of selection.tracks.value ?? []) {
    const mine = finding.evidence.filter((e) => e.mmsi === track.mmsi);
    track.time_us.forEach((us, i) => {
      if (mine.some((e) => us >= e.start_us && us <= e.end_us)) points.push({ latitude: track.latitude_deg[i]!, longitude: track.longitude_deg[i]! });
    });
  }
  chart.fly(points);
}

/** About twenty seconds of watching, whatever the behaviour's length. */
const WATCHING_S = 20;
const LEAD = 0.15;

export function playEvidence(finding: Finding): void {
  const span = Math.max(finding.end_us - finding.start_us, 10 * 60e6);
  const from = finding.start_us - LEAD * span;
  const until = finding.end_us + LEAD * span;
  // What shows it may have come late: it is played with all that is known now.
  clock.setKnown("now");
  clock.speed = Math.max(1, Math.round((until - from) / 1e6 / WATCHING_S));
  clock.play(from, until);
}
