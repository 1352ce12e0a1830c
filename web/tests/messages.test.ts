import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "svelte/compiler";
import { describe, expect, it } from "vitest";
import en from "../src/messages/en.json";
import es from "../src/messages/es.json";

const SRC = join(import.meta.dirname, "../src");
const files = (ending: string): string[] =>
  readdirSync(SRC, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(ending) && !name.endsWith(".d.ts"));
const holes = (message: unknown): string => JSON.stringify([...new Set(JSON.stringify(message).match(/\{\w+\}/g) ?? [])].sort());

/** Abbreviations of the trade that are the same in every language. */
const UNIVERSAL = /^(Shiprider|MMSI|IMO|SIM|CPA|TCPA|A|B|T|N|S|E|W|nm|kn|m|h|d|u|e|t|f|g|p|l|esc|sha256|shiprider (ingest FILE|replay)|HND,PAN)$/;

describe("catalogues", () => {
  it("have the same keys, with the same holes", () => {
    expect(Object.keys(es).sort()).toEqual(Object.keys(en).sort());
    for (const key of Object.keys(en)) expect(holes((es as Record<string, unknown>)[key]), key).toBe(holes((en as Record<string, unknown>)[key]));
  });

  it("have every key that the code asks for", () => {
    for (const name of [...files(".svelte"), ...files(".ts")])
      for (const [, key] of readFileSync(join(SRC, name), "utf8").matchAll(/\bt\("([\w.]+)"/g)) expect(en, `${name}: ${key}`).toHaveProperty([key!]);
  });
});

describe("components", () => {
  it.each(files(".svelte"))("%s holds no words of its own", (name) => {
    const found: string[] = [];
    const visit = (node: unknown, attribute = ""): void => {
      if (Array.isArray(node)) return node.forEach((each) => visit(each, attribute));
      if (!node || typeof node !== "object") return;
      const { type, name: called, data } = node as { type?: string; name?: string; data?: string };
      if (type === "StyleDirective") return;
      if (type === "Attribute") {
        if (!["title", "aria-label", "placeholder", "alt", "aria-valuetext"].includes(called ?? "")) return;
        attribute = called ?? "";
      }
      if (type === "Text") {
        for (const part of (data ?? "").split(/[\s·–:;,.()/×✕◇▲◉○●]+/)) if (/\p{L}{2,}/u.test(part) && !UNIVERSAL.test((data ?? "").trim()) && !UNIVERSAL.test(part)) found.push(part);
        return;
      }
      for (const [key, value] of Object.entries(node)) if (key !== "instance" && key !== "module" && key !== "css" && key !== "metadata") visit(value, attribute);
    };
    visit(parse(readFileSync(join(SRC, name), "utf8"), { modern: true }).fragment);
    expect(found).toEqual([]);
  });
});
