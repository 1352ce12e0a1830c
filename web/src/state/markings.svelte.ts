/**
 * What the page shows, by its markings: the highest of them stands over the page.
 *
 * Always true: a panel that is gone counts no more; a label that nobody understands is the highest of all.
 */
import type { Schemas } from "../api/client";

type Marking = Schemas["Marking"];

/** From the lowest to the highest. What is unlabelled stays with its originator, so it is no public page. */
export const LEVELS: readonly Marking["level"][] = ["UNCLASSIFIED", "UNLABELLED", "RESTRICTED", "CONFIDENTIAL", "SECRET", "TOP_SECRET", "UNKNOWN"];

export function highest(shown: Iterable<Marking>): Marking | null {
  let found: Marking | null = null;
  for (const each of shown) if (!found || LEVELS.indexOf(each.level) > LEVELS.indexOf(found.level)) found = each;
  return found;
}

class Markings {
  private shown = $state.raw<ReadonlyMap<string, Marking>>(new Map());
  readonly page = $derived(highest(this.shown.values()));

  show(panel: string, marking: Marking): void {
    if (this.shown.get(panel) === marking) return;
    this.shown = new Map(this.shown).set(panel, marking);
  }

  hide(panel: string): void {
    if (!this.shown.has(panel)) return;
    const left = new Map(this.shown);
    left.delete(panel);
    this.shown = left;
  }
}

export const markings = new Markings();
