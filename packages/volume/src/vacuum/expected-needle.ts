import type { LiveBatch } from "../index/file-order.ts";
import type { Examined } from "../volume/examine.ts";

export interface NeedleName {
  readonly idHigh: number;
  readonly idLow: number;
}

/** A needle, and what the index says of its record. */
export interface ExpectedNeedle extends NeedleName {
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

/** The needle number `at` of a batch. */
export function expectedAt(batch: LiveBatch, at: number): ExpectedNeedle {
  return {
    idHigh: batch.idHighs[at] ?? 0,
    idLow: batch.idLows[at] ?? 0,
    offsetBytes: batch.offsetBytes[at] ?? 0,
    bodyBytes: batch.bodyBytes[at] ?? 0,
  };
}

/** Whether the record says of itself that it is this needle, whatever became of its content. */
export function hasHeaderOf(
  examined: Examined,
  expected: NeedleName & { readonly bodyBytes: number },
): boolean {
  if (examined.kind === "unreadable") return false;
  const { idHigh, idLow, bodyBytes } = examined.header;
  return idHigh === expected.idHigh && idLow === expected.idLow && bodyBytes === expected.bodyBytes;
}

/** Why what stands there is not the needle that should, if it is not. */
export function misfitOf(
  examined: Examined,
  expected: NeedleName & { readonly bodyBytes: number },
): string | undefined {
  if (examined.kind === "unreadable") return "no record stands there";
  const { idHigh, idLow, bodyBytes } = examined.header;
  if (idHigh !== expected.idHigh || idLow !== expected.idLow) return "another needle stands there";
  if (examined.kind === "damaged") return examined.reason;
  return bodyBytes === expected.bodyBytes ? undefined : "record has another size";
}
