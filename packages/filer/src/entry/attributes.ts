import type { Attributes } from "@kelp/wire";
import { FilerError } from "../errors.ts";

const NONE: Attributes = Object.freeze({});
const NONE_TEXT = "";

/** Attributes as JSON; nothing at all when there are none. */
export function encodeAttributes(attributes: Attributes): string {
  for (const _name in attributes) return JSON.stringify(attributes);
  return NONE_TEXT;
}

/** Throws `FilerError` code `store-failed` for a text that `encodeAttributes` cannot have made. */
export function decodeAttributes(text: string): Attributes {
  if (text === NONE_TEXT) return NONE;
  try {
    return JSON.parse(text) as Attributes;
  } catch (error) {
    throw new FilerError("store-failed", "Cannot read attributes: the stored text is no JSON", {
      cause: error,
    });
  }
}
