/**
 * Words for people, in the language they chose. Components hold keys, never words.
 *
 * Always true: every key stands in every catalogue (tests/messages.test.ts).
 */
import en from "./messages/en.json";
import es from "./messages/es.json";

export type Language = "en" | "es";
export type MessageKey = keyof typeof en;
type Message = string | { one: string; other: string };

const CATALOGUES: Record<Language, Record<string, Message>> = { en, es };
export const LANGUAGES: readonly Language[] = ["en", "es"];

class Words {
  language = $state<Language>("en");
}

export const words = new Words();

export function setLanguage(language: Language): void {
  words.language = language;
  document.documentElement.lang = language;
}

/** The words of a key, `{name}` filled from `values`; `values.n` chooses between one and other. */
export function t(key: MessageKey, values: Record<string, string | number> = {}): string {
  const language = words.language;
  let message = CATALOGUES[language][key] ?? key;
  if (typeof message !== "string") {
    const rule = new Intl.PluralRules(language).select(Number(values.n ?? 0));
    message = rule === "one" ? message.one : message.other;
  }
  return message.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? value.toLocaleString(language) : value;
  });
}

/** Words for a code of the API; the code itself, spaces for underscores, where there are none yet. */
export function tCode(prefix: string, code: string): string {
  const key = `${prefix}.${code}`;
  return key in CATALOGUES[words.language] ? t(key as MessageKey) : code.replace(/_/g, " ");
}

/** Whether there are words for a code of the API. */
export function hasWords(prefix: string, code: string): boolean {
  return `${prefix}.${code}` in CATALOGUES[words.language];
}
