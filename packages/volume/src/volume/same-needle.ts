import { compareBytes } from "@kelp/base";
import type { NeedleContent, StoredNeedle } from "@kelp/wire";
import { encodeFields } from "../needle/fields.ts";

/**
 * Whether writing `needle` would change nothing but the date of modification, which tells when a needle was written
 * and is another at each repetition.
 */
export function isSameNeedle(stored: StoredNeedle, needle: NeedleContent): boolean {
  if (compareBytes(stored.data, needle.data) !== 0) return false;
  return fieldsText(stored) === fieldsText(needle);
}

/** As they would be stored, so that a name that was cut equals itself. */
function fieldsText(needle: NeedleContent): string {
  const { lastModifiedSec: _date, pairs, ...rest } = needle;
  const sorted = Object.entries(pairs ?? {}).sort(([left], [right]) => (left < right ? -1 : 1));
  const fields = encodeFields({ ...rest, pairs: Object.fromEntries(sorted) });
  return fields === undefined || typeof fields === "string"
    ? String(fields)
    : Buffer.from(fields).toString("latin1");
}
