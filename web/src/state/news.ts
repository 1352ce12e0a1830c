/**
 * What became of an alert since somebody looked at it, as one sentence.
 *
 * Always true: it is made of the steps after the revision that he saw and of what differs on his screen; where there
 * is no newer revision there is no sentence.
 */
import type { Alert, AlertDetail } from "../api/client";
import { t, tCode, words } from "../i18n.svelte";
import { formatShortTime } from "../measure/time";

/** What the node does of itself is signed by a process, never by a person. */
export const byNode = (author: string): boolean => author.startsWith("process:");

export const stepsSince = (seen: Alert, detail: AlertDetail): AlertDetail["history"] =>
  detail.history.filter((step) => step.revision > seen.revision);

const called = (alert: Alert): string => alert.participants.map((vessel) => vessel.name.trim() || vessel.mmsi).join(" + ");

/** "" where nothing is newer than what was seen. */
export function newsOf(seen: Alert, detail: AlertDetail): string {
  const now = detail.alert;
  if (now.revision <= seen.revision) return "";
  const steps = stepsSince(seen, detail).map(({ text, reason, author }) => {
    const what = [text.replace(/[.\s]+$/, ""), reason && `(${tCode("reason", reason)})`].filter(Boolean).join(" ");
    return t("news.step", { what: what.charAt(0).toLocaleLowerCase(words.language) + what.slice(1), who: byNode(author) ? t("author.node") : author });
  });
  const changes = [
    now.band !== seen.band && t("news.band", { now: now.band_text, before: seen.band_text }),
    now.behaviour_text !== seen.behaviour_text && t("news.behaviour", { now: now.behaviour_text, before: seen.behaviour_text }),
    called(now) !== called(seen) && t("news.vessels", { now: called(now) }),
    now.end_us !== seen.end_us && t("news.until", { time: formatShortTime(now.end_us, seen.end_us, words.language) }),
    now.marking.portion !== seen.marking.portion && t("news.marking", { now: now.marking.banner }),
  ];
  // A node that revised it five times is said once.
  return t("news.since", { what: [...new Set([...steps, ...changes].filter((each) => each !== false))].join("; ") });
}
