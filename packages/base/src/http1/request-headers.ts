import { KNOWN_NAMES_MAX, KNOWN_NAME_BYTES_MAX } from "./limits.ts";

/**
 * Values by lower-case name, one character a byte; several lines of a name joined by `, ` (cookies by `; `). It has no prototype, so that
 * no name means anything by itself.
 */
export interface RequestHeaders {
  readonly [name: string]: string | undefined;
  readonly authorization?: string;
  readonly cookie?: string;
  readonly date?: string;
  readonly host?: string;
  readonly range?: string;
}

export type MutableHeaders = Record<string, string | undefined>;

export function newHeaders(): MutableHeaders {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an object without prototype has no other type
  return Object.create(null) as MutableHeaders;
}

/** Clients write few names, and always the same way. */
const knownNames = new Map<string, string>();

export function lowerCaseName(name: string): string {
  const known = knownNames.get(name);
  if (known !== undefined) return known;
  const lower = name.toLowerCase();
  if (name.length <= KNOWN_NAME_BYTES_MAX && knownNames.size < KNOWN_NAMES_MAX) {
    knownNames.set(name, lower);
  }
  return lower;
}
