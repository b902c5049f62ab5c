import { ShellError } from "./errors.ts";

/** The flags of a command by name, without dashes. */
export type FlagSpecs = Readonly<Record<string, FlagSpec>>;

export interface FlagSpec {
  /** `switch` takes no value, or `=true` and `=false`; `count` takes a whole number from 0. */
  readonly kind: "text" | "count" | "switch";
  readonly help: string;
}

/** Flags and arguments of one call, as typed. */
export class ParsedFlags {
  readonly #values: ReadonlyMap<string, string>;
  /** Words that are neither flags nor values of flags. */
  readonly rest: readonly string[];

  constructor(values: ReadonlyMap<string, string>, rest: readonly string[]) {
    this.#values = values;
    this.rest = rest;
  }

  get isEmpty(): boolean {
    return this.#values.size === 0;
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  isOn(name: string): boolean {
    return this.#values.get(name) === "true";
  }

  text(name: string): string | undefined {
    return this.#values.get(name);
  }

  requiredText(name: string): string {
    const value = this.#values.get(name);
    if (value === undefined || value === "") {
      throw new ShellError("usage", `The flag -${name} is required`);
    }
    return value;
  }

  /** Comma-separated values without empty ones; empty when the flag is not there. */
  list(name: string): readonly string[] {
    const pieces = (this.#values.get(name) ?? "").split(",").map((piece) => piece.trim());
    return pieces.filter((piece) => piece !== "");
  }

  requiredCount(name: string): number {
    const value = this.count(name);
    if (value === undefined) throw new ShellError("usage", `The flag -${name} is required`);
    return value;
  }

  count(name: string): number | undefined {
    const value = this.#values.get(name);
    return value === undefined ? undefined : Number(value);
  }
}

/**
 * Takes `-name value`, `-name=value`, and both with two dashes, anywhere in the line; after `--` all is arguments.
 * A repeated flag counts once, the last time. Throws `ShellError` `usage`.
 */
export function parseFlags(words: readonly string[], specs: FlagSpecs): ParsedFlags {
  const values = new Map<string, string>();
  const rest: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? "";
    if (word === "--") {
      rest.push(...words.slice(at + 1));
      break;
    }
    const match = /^--?([^-=][^=]*)(?:=([^]*))?$/.exec(word);
    if (match === null) {
      rest.push(word);
      continue;
    }
    const [, name = "", attached] = match;
    const spec = Object.hasOwn(specs, name) ? specs[name] : undefined;
    if (spec === undefined) throw new ShellError("usage", `There is no flag -${name}`);
    if (spec.kind === "switch") {
      values.set(name, switchValue(name, attached));
      continue;
    }
    const value = attached ?? words[at + 1];
    if (value === undefined) throw new ShellError("usage", `The flag -${name} needs a value`);
    if (attached === undefined) at += 1;
    if (spec.kind === "count" && !/^\d{1,15}$/.test(value)) {
      throw new ShellError("usage", `The flag -${name} needs a whole number`);
    }
    values.set(name, value);
  }
  return new ParsedFlags(values, rest);
}

function switchValue(name: string, attached: string | undefined): string {
  if (attached === undefined || attached === "true" || attached === "1") return "true";
  if (attached === "false" || attached === "0") return "false";
  throw new ShellError("usage", `The flag -${name} is either true or false`);
}
