import type { Attributes } from "@kelp/wire";
import { assert } from "@kelp/base";

/**
 * Sizes of the parts of a multipart object, kept in one attribute so that `partNumber` can be answered: runs of equal
 * sizes as `count*sizeBytes`, joined by commas. The usual upload, all parts alike but the last, is two runs.
 */
const ATTRIBUTE = "kelp-part-sizes";

export function partSizesAttributes(sizesBytes: readonly number[]): Attributes {
  assert(sizesBytes.length > 0, "a multipart object has a part");
  const runs: string[] = [];
  let count = 0;
  let current = -1;
  for (const sizeBytes of sizesBytes) {
    if (sizeBytes !== current && count > 0) {
      runs.push(`${count}*${current}`);
      count = 0;
    }
    current = sizeBytes;
    count++;
  }
  runs.push(`${count}*${current}`);
  return { [ATTRIBUTE]: runs.join(",") };
}

/** How many parts an object was made of; `undefined` when it was written in one go. */
export function partCount(attributes: Attributes): number | undefined {
  const runs = parseRuns(attributes);
  return runs?.reduce((total, run) => total + run.count, 0);
}

/** Where part `number` (from 1) lies in the object, half open; `undefined` when there is no such part. */
export function partRange(
  attributes: Attributes,
  number: number,
): { readonly start: number; readonly end: number } | undefined {
  let first = 1;
  let start = 0;
  for (const run of parseRuns(attributes) ?? []) {
    if (number < first + run.count) {
      const offset = start + (number - first) * run.sizeBytes;
      return { start: offset, end: offset + run.sizeBytes };
    }
    first += run.count;
    start += run.count * run.sizeBytes;
  }
  return undefined;
}

function parseRuns(
  attributes: Attributes,
): readonly { readonly count: number; readonly sizeBytes: number }[] | undefined {
  const text = attributes[ATTRIBUTE];
  if (text === undefined) return undefined;
  return text.split(",").map((run) => {
    const [countText, sizeText] = run.split("*");
    return { count: Number(countText), sizeBytes: Number(sizeText) };
  });
}
