import { afterEach, describe, expect, it } from "vitest";
import type { Alert, AlertDetail } from "../src/api/client";
import { words } from "../src/i18n.svelte";
import { newsOf } from "../src/state/news";

const HOUR = 3_600_000_000;
const vessel = (mmsi: number, name: string) => ({ mmsi, name, ship_type: 30, ship_type_text: "fishing", flag: "HND" });
const marking = { level: "UNLABELLED", banner: "UNLABELLED // ORIGINATOR ONLY", portion: "(U)" } as const;
const alert = (change: Partial<Alert> = {}): Alert =>
  ({
    id: "a", revision: 2, band: "likely", band_text: "likely", behaviour: "encounter", behaviour_text: "encounter",
    participants: [vessel(1, "SANTA RITA")], end_us: 4 * HOUR, marking, ...change,
  }) as Alert;
const step = (revision: number, kind: string, text: string, author: string, reason = "") => ({ revision, kind, text, author, reason, recorded_us: 0 });
const detail = (now: Alert, history: AlertDetail["history"]): AlertDetail => ({ alert: now, history }) as AlertDetail;
const REVISED = "Revised: late data changed the finding.";

afterEach(() => {
  words.language = "en";
});

describe("what is new of an alert", () => {
  it("is nothing where nothing is newer than what was seen", () => {
    expect(newsOf(alert(), detail(alert(), [step(2, "taken", "Taken.", "Lt Ortega")]))).toBe("");
  });

  it("leaves out what was seen, says once what the node did often, and what differs", () => {
    const now = alert({ revision: 5, band: "very_likely", band_text: "very likely", end_us: 5 * HOUR, participants: [vessel(1, "SANTA RITA"), vessel(2, "")] });
    const history = [step(1, "raised", "Raised by the watch.", "process:watch"), step(2, "taken", "Taken.", "Lt Ortega"), ...[3, 4, 5].map((n) => step(n, "revised", REVISED, "process:watch"))];
    expect(newsOf(alert(), detail(now, history))).toBe(
      "New since you looked: revised: late data changed the finding (this node); now very likely, before likely; now of SANTA RITA + 2; now until 05:00Z.",
    );
  });

  it("names who decided, with his reason and his words", () => {
    const now = alert({ revision: 3, state: "dismissed" });
    const history = [step(3, "dismissed", "Dismissed. Seen before", "Lt Vega", "known_vessel")];
    expect(newsOf(alert(), detail(now, history))).toBe("New since you looked: dismissed. Seen before (Known vessel) (Lt Vega).");
  });

  it("speaks Spanish", () => {
    words.language = "es";
    const history = [step(3, "relabelled", "Se fijó otra etiqueta.", "Lt Vega")];
    const now = alert({ revision: 3, marking: { level: "RESTRICTED", banner: "RESTRICTED // REL TO COL", portion: "(R)" } });
    expect(newsOf(alert(), detail(now, history))).toBe(
      "Novedades desde que la miró: se fijó otra etiqueta (Lt Vega); ahora marcada RESTRICTED // REL TO COL.",
    );
  });
});
