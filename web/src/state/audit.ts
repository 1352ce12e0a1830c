/**
 * What an auditor asks of the access log, as the URL says it.
 *
 * Always true: every part of the page asks with the same filters; a link to a question can be sent to another auditor.
 */
import type { AuditQuery } from "../api/client";
import { fromIso } from "../measure/time";
import type { Place } from "./route.svelte";

export const AUDIT_PARTS = ["entries", "people", "alarms", "log"] as const;
export type AuditPart = (typeof AUDIT_PARTS)[number];
export const auditPart = (place: Place): AuditPart => AUDIT_PARTS.find((each) => each === place.audit) ?? "entries";

export const ACTS = [
  "sign_in", "sign_out", "read", "search", "count", "live", "export", "change", "release", "break_glass", "administer", "policy",
] as const;
export const OUTCOMES = ["allowed", "denied", "failed"] as const;

export const NOTHING_ASKED: Place = {
  who: undefined, object: undefined, act: undefined, outcome: undefined, case: undefined, since: undefined, until: undefined,
};

export function auditQuery(place: Place): AuditQuery {
  const [since, until] = [fromIso(place.since), fromIso(place.until)];
  return {
    ...(place.who ? { who: place.who } : {}),
    ...(place.object ? { object: place.object } : {}),
    ...(place.act ? { act: place.act } : {}),
    ...(place.outcome ? { outcome: place.outcome } : {}),
    ...(place.case ? { case: place.case } : {}),
    ...(since === null ? {} : { start_us: since }),
    ...(until === null ? {} : { end_us: until }),
  };
}
