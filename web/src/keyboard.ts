/**
 * The keyboard: one table, for the keys themselves and for the help.
 *
 * Always true: keys do nothing while somebody types, and nothing behind an open dialog.
 */
import type { MessageKey } from "./i18n.svelte";
import { THEMES } from "./map/palette";
import { MINUTE_US } from "./measure/time";
import { chart } from "./state/chart.svelte";
import { clock } from "./state/clock.svelte";
import { can, decisions } from "./state/decisions.svelte";
import { flyToEvidence, openBeside, playEvidence } from "./state/opening.svelte";
import { NOTHING_SELECTED, type Panel, route } from "./state/route.svelte";
import { selection } from "./state/selection.svelte";
import { desk } from "./state/session.svelte";
import { NO_PART } from "./state/together.svelte";

interface Key {
  key: string;
  shown: string;
  words: MessageKey;
  act: () => void;
}

const current = () => selection.alert.value;
const panel = (name: Panel) => () => route.go({ ...NOTHING_SELECTED, panel: name === "queue" ? undefined : name });
const step = (minutes: number) => () => clock.at(clock.us + minutes * MINUTE_US);

/** One step back: the dialog, the tool, the observation, the vessel, the alert, the panel. */
function back(): void {
  if (decisions.asking !== "none") decisions.close();
  else if (chart.tool !== "none") chart.take("none");
  else if (route.at.raw) route.go({ raw: undefined });
  else if (route.at.vessel) route.go({ vessel: undefined });
  else if (route.at.alert) route.go({ alert: undefined });
  else if (route.at.panel) route.go({ panel: undefined, desk: undefined, of: undefined, ofkind: undefined, ...NO_PART, ...(route.panel === "together" ? { state: undefined } : {}) });
  else chart.legend = false;
}

export const KEYS: readonly Key[] = [
  { key: "j", shown: "j", words: "key.next", act: () => openBeside(1) },
  { key: "k", shown: "k", words: "key.previous", act: () => openBeside(-1) },
  { key: "Enter", shown: "enter", words: "key.open", act: () => { if (!route.at.alert) openBeside(1); } },
  { key: "t", shown: "t", words: "key.take", act: () => { const d = current(); if (d && can("take", d.alert)) decisions.take(d.alert); } },
  { key: "d", shown: "d", words: "key.dismiss", act: () => { const d = current(); if (d && can("dismiss", d.alert)) decisions.ask("dismiss", d.alert); } },
  { key: "e", shown: "e", words: "key.escalate", act: () => { const d = current(); if (d && can("escalate", d.alert)) decisions.ask("escalate", d.alert); } },
  { key: "m", shown: "m", words: "key.merge", act: () => { const d = current(); if (d && can("merge", d.alert)) decisions.ask("merge", d.alert); } },
  { key: "u", shown: "u", words: "key.undo", act: () => { const last = decisions.said?.undo ?? current()?.alert; if (last && last.state !== "new") decisions.undo(last); } },
  { key: "p", shown: "p", words: "key.play", act: () => { const d = current(); if (clock.playing) clock.stop(); else if (d) playEvidence(d.finding); else clock.play(); } },
  { key: "g", shown: "g", words: "key.show", act: () => { const d = current(); if (d) flyToEvidence(d.finding); else { const at = selection.vessel.value?.position; if (at) chart.fly([{ latitude: at.latitude_deg, longitude: at.longitude_deg }]); } } },
  { key: "[", shown: "[", words: "key.back10", act: step(-10) },
  { key: "]", shown: "]", words: "key.forward10", act: step(10) },
  { key: "n", shown: "n", words: "key.known", act: () => { if (clock.mode !== "live") clock.setKnown(clock.known === "then" ? "now" : "then"); } },
  { key: "l", shown: "l", words: "key.live", act: () => clock.live() },
  { key: "/", shown: "/", words: "key.search", act: () => document.getElementById("search")?.focus() },
  { key: "f", shown: "f", words: "key.filters", act: () => { route.go(NOTHING_SELECTED); panel("queue")(); decisions.asking = "filters"; } },
  { key: "r", shown: "r", words: "key.range", act: () => chart.take("range") },
  { key: "c", shown: "c", words: "key.approach", act: () => chart.take("approach") },
  { key: "a", shown: "a", words: "key.area", act: () => chart.take("area") },
  { key: "1", shown: "1", words: "nav.queue", act: panel("queue") },
  { key: "2", shown: "2", words: "nav.log", act: panel("log") },
  { key: "3", shown: "3", words: "nav.handover", act: panel("handover") },
  { key: "4", shown: "4", words: "nav.watchlists", act: panel("watchlists") },
  { key: "5", shown: "5", words: "nav.areas", act: panel("areas") },
  { key: "6", shown: "6", words: "nav.calibration", act: panel("calibration") },
  { key: "7", shown: "7", words: "key.desk", act: panel("desk") },
  { key: "8", shown: "8", words: "key.together", act: panel("together") },
  { key: "T", shown: "T", words: "key.theme", act: () => void desk.choose({ theme: THEMES[(THEMES.indexOf(desk.theme) + 1) % THEMES.length]! }) },
  { key: "L", shown: "L", words: "key.language", act: () => void desk.choose({ language: desk.choices.language === "en" ? "es" : "en" }) },
  { key: "?", shown: "?", words: "key.help", act: () => (decisions.asking = "help") },
  { key: "Escape", shown: "esc", words: "key.close", act: back },
];

const TYPING = "input:not([type=range]):not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

export function onKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  if (target.matches?.(TYPING) || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && target.closest?.("button, a, summary, input")) return;
  const found = KEYS.find((each) => each.key === event.key);
  if (!found) return;
  event.preventDefault();
  found.act();
}
