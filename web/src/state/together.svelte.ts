/**
 * Working with partners: the language of fixed messages, and that something new was said.
 *
 * Always true: what is pushed is only that there is something; what it says is asked for, and logged then.
 */
import type { Schemas } from "../api/client";
import { words } from "../i18n.svelte";
import type { Place } from "./route.svelte";

export type WordsLanguage = Schemas["SaidOut"]["language"];
export const WORDS: readonly WordsLanguage[] = ["en", "es", "pt", "fr", "nl"];
const KEPT = "shiprider.words";

export type TogetherPart = "requests" | "cases" | "orders";
export const TOGETHER_PARTS: readonly TogetherPart[] = ["requests", "cases", "orders"];
export const togetherPart = (at: Place): TogetherPart => TOGETHER_PARTS.find((each) => each === at.part) ?? "requests";

/** What of the page is somewhere else's. */
export const NO_PART: Place = { part: undefined, request: undefined, room: undefined, roomkind: undefined, about: undefined };

const known = (language: string | null | undefined): WordsLanguage | undefined => WORDS.find((each) => each === language?.slice(0, 2));

function first(): WordsLanguage | undefined {
  const kept = known(localStorage.getItem(KEPT));
  // Who reads the page in a language that it has not, may still read the fixed messages in it.
  const only = navigator.languages.map(known).find((each) => each);
  return kept ?? (only === "en" || only === "es" ? undefined : only);
}

class Together {
  /** Counts up with every push. */
  version = $state(0);
  private chosen = $state<WordsLanguage | undefined>(first());

  /** In which language fixed messages are read: a person's own choice, else that of the page. */
  get words(): WordsLanguage {
    return this.chosen ?? words.language;
  }

  choose(language: WordsLanguage): void {
    this.chosen = language;
    localStorage.setItem(KEPT, language);
  }

  said(): void {
    this.version += 1;
  }
}

export const together = new Together();

/** Asks now for what was never asked for, else after what else is pushed at the same moment. */
export function soon(load: () => Promise<void>, never: boolean): () => void {
  const timer = setTimeout(() => void load(), never ? 0 : 150);
  return () => clearTimeout(timer);
}

/** What a person types into the gaps of a fixed message, as the node takes it; null where it is not meant. */
export function argumentOf(type: Schemas["ArgumentOut"]["type"], text: string): string | number | null {
  const plain = text.trim();
  if (!plain) return null;
  if (type === "text") return plain;
  if (type === "place") return /^-?\d+(\.\d+)?\s*,\s*-?\d+(\.\d+)?$/.test(plain) ? plain.replace(/\s/g, "") : null;
  if (type === "time") {
    const ms = Date.parse(`${plain}Z`);
    return Number.isNaN(ms) ? null : ms * 1000;
  }
  if (!/^\d+(\.\d+)?$/.test(plain)) return null;
  return type === "duration" ? Math.round(Number(plain) * 3600) : /^\d{1,9}$/.test(plain) ? Number(plain) : null;
}
