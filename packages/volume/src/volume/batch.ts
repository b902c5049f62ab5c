import { assert } from "@kelp/base";
import type { NeedleId } from "@kelp/wire";
import { REMOVED_SIZE, indexEntryBytes, writeIndexEntry } from "../index/index-entry.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import { COPY_BYTES_MAX } from "../limits.ts";
import {
  type NewNeedle,
  needleBodyBytes,
  suffixBytesOf,
  writeNeedle,
  writePrefix,
  writeSuffix,
  writeTombstone,
} from "../needle/encode.ts";
import { idHigh, idLow } from "../needle/id-halves.ts";
import { PREFIX_BYTES, TOMBSTONE_BYTES, recordBytesOf } from "../needle/layout.ts";

/** A record to be written: a needle, or the tombstone of one. */
export type PlannedRecord =
  | ({ readonly kind: "append" } & NewNeedle)
  | { readonly kind: "remove"; readonly needleId: NeedleId; readonly cookie: number };

/** Size of the record in the volume file. */
export function plannedBytes(record: PlannedRecord): number {
  return record.kind === "append" ? recordBytesOf(needleBodyBytes(record)) : TOMBSTONE_BYTES;
}

/**
 * The bytes of `records` one after another. Small records are copied into one buffer; the data of large
 * ones stays where it is, so the parts borrow the callers' memory until they are written.
 * Dates count up from `firstDateNs`.
 */
export function encodeRecords(
  records: readonly PlannedRecord[],
  firstDateNs: bigint,
): readonly Uint8Array[] {
  let scratchBytes = 0;
  for (const record of records) scratchBytes += plannedBytes(record) - borrowedBytes(record);
  const scratch = Buffer.allocUnsafeSlow(scratchBytes);
  const parts: Uint8Array[] = [];
  let start = 0;
  let at = 0;
  let dateNs = firstDateNs;
  for (const record of records) {
    if (record.kind === "remove") {
      writeTombstone(scratch, at, record, dateNs);
      at += TOMBSTONE_BYTES;
    } else if (borrowedBytes(record) === 0) {
      writeNeedle(scratch, at, record, dateNs);
      at += plannedBytes(record);
    } else {
      writePrefix(scratch, at, record);
      at += PREFIX_BYTES;
      parts.push(scratch.subarray(start, at), record.data);
      start = at;
      writeSuffix(scratch, at, record, dateNs);
      at += suffixBytesOf(record);
    }
    dateNs++;
  }
  assert(at === scratchBytes, "a batch fills its buffer");
  if (start < at) parts.push(scratch.subarray(start, at));
  return parts;
}

function borrowedBytes(record: PlannedRecord): number {
  return record.kind === "append" && record.data.length > COPY_BYTES_MAX ? record.data.length : 0;
}

/** Puts records that are durable from `offsetBytes` on into the index; returns their entries for the index file. */
export function indexRecords(
  index: NeedleIndex,
  records: readonly PlannedRecord[],
  offsetBytes: number,
): Uint8Array {
  const { offsetWidth } = index;
  const entryBytes = indexEntryBytes(offsetWidth);
  const entries = Buffer.allocUnsafeSlow(records.length * entryBytes);
  let offset = offsetBytes;
  let at = 0;
  for (const record of records) {
    const high = idHigh(record.needleId);
    const low = idLow(record.needleId);
    let bodyBytes = REMOVED_SIZE;
    if (record.kind === "append") {
      bodyBytes = needleBodyBytes(record);
      index.put(high, low, offset, bodyBytes);
    } else {
      index.remove(high, low, { hasTombstone: true });
    }
    const entry = { idHigh: high, idLow: low, offsetBytes: offset, bodyBytes };
    writeIndexEntry(entries, at, entry, offsetWidth);
    offset += plannedBytes(record);
    at += entryBytes;
  }
  return entries;
}
