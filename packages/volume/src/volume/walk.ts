import { assert } from "@kelp/base";
import {
  ALIGNMENT_BYTES,
  DATA_SIZE_BYTES,
  FLAGS_BYTES,
  HEADER_BYTES,
  PREFIX_BYTES,
  recordBytesOf,
} from "../needle/layout.ts";
import { type NeedleHeader, readHeader } from "../needle/decode.ts";
import { type ExamineSource, type Examined, examine, isPossible } from "./examine.ts";

/**
 * One step of a walk along a volume file:
 * - `record`: a whole record with a right checksum;
 * - `damaged`: a record with a possible header and wrong content, with good records behind it;
 * - `gap`: bytes that are no records, with good records behind them;
 * - `torn`: from here to the end of the file nothing is good: an append that never finished.
 */
export type WalkStep =
  | {
      readonly kind: "record";
      readonly offsetBytes: number;
      readonly header: NeedleHeader;
      /** The walk had to search for it: bytes of a user's data can look like a record, so trust it less. */
      readonly isFoundBySearch: boolean;
    }
  | {
      readonly kind: "damaged";
      readonly offsetBytes: number;
      readonly header: NeedleHeader;
      readonly reason: string;
    }
  | { readonly kind: "gap"; readonly offsetBytes: number; readonly endBytes: number }
  | { readonly kind: "torn"; readonly offsetBytes: number };

/** Walks from `fromBytes`, where a record should begin, to the end of the file. */
export async function* walkRecords(
  source: ExamineSource,
  fromBytes: number,
): AsyncGenerator<WalkStep> {
  assert(fromBytes % ALIGNMENT_BYTES === 0, "a walk begins at a record");
  let at = fromBytes;
  let isFoundBySearch = false;
  let lastDateNs = 0n;
  while (at < source.endBytes) {
    const examined = await examineDated(source, at);
    if (examined.kind === "good") {
      yield { kind: "record", offsetBytes: at, header: examined.header, isFoundBySearch };
      lastDateNs = examined.dateNs;
      at = examined.endBytes;
      continue;
    }
    const chain = await followDamaged(source, at, examined);
    if (chain.isConfirmed) {
      yield* chain.steps;
      at = chain.endBytes;
      continue;
    }
    const found = await search(source, at + ALIGNMENT_BYTES, lastDateNs);
    if (found === undefined) {
      yield { kind: "torn", offsetBytes: at };
      return;
    }
    for (const step of chain.steps) {
      const endBytes = step.offsetBytes + recordBytesOf(step.header.bodyBytes);
      if (endBytes > found) break;
      yield step;
      at = endBytes;
    }
    if (at < found) yield { kind: "gap", offsetBytes: at, endBytes: found };
    at = found;
    isFoundBySearch = true;
  }
}

/** Damaged records kept in memory while it is open whether they lead to a good one. */
const DAMAGED_CHAIN_MAX = 10_000;

/**
 * Every record has a date. One without was torn, even where its checksum fits: that of an empty needle is 0,
 * as is what a crash leaves in its place.
 */
async function examineDated(source: ExamineSource, offset: number): Promise<Examined> {
  const examined = await examine(source, offset);
  if (examined.kind !== "good" || examined.dateNs !== 0n) return examined;
  const { header, endBytes } = examined;
  return { kind: "damaged", header, endBytes, reason: "record has no date" };
}

type DamagedStep = Extract<WalkStep, { kind: "damaged" }>;

/** From one damaged record to the next. A good one behind them confirms that their headers are right. */
async function followDamaged(
  source: ExamineSource,
  offset: number,
  first: Examined,
): Promise<{
  readonly steps: readonly DamagedStep[];
  readonly endBytes: number;
  readonly isConfirmed: boolean;
}> {
  const steps: DamagedStep[] = [];
  let at = offset;
  let examined = first;
  while (examined.kind === "damaged" && steps.length < DAMAGED_CHAIN_MAX) {
    const { header, reason } = examined;
    steps.push({ kind: "damaged", offsetBytes: at, header, reason });
    at = examined.endBytes;
    examined = await examineDated(source, at);
  }
  return { steps, endBytes: at, isConfirmed: examined.kind === "good" };
}

/** The first offset from `fromBytes` on where a good record with data and a later date begins. */
async function search(
  source: ExamineSource,
  fromBytes: number,
  lastDateNs: bigint,
): Promise<number | undefined> {
  const { window, endBytes } = source;
  let at = fromBytes;
  while (at + PREFIX_BYTES <= endBytes) {
    const length = Math.min(window.capacity, endBytes - at);
    const candidate = findCandidate(await window.borrow(at, length), at, endBytes);
    if (candidate === undefined) {
      // The last bytes of the window were too few to tell.
      at += length - (length % ALIGNMENT_BYTES);
      if (length === window.capacity) at -= 3 * ALIGNMENT_BYTES;
      else return undefined;
      continue;
    }
    const examined = await examineDated(source, candidate);
    if (examined.kind === "good" && examined.dateNs > lastDateNs) return candidate;
    at = candidate + ALIGNMENT_BYTES;
  }
  return undefined;
}

/** Rules out nearly all offsets by their first 20 bytes: the sizes must fit each other and the file. */
function findCandidate(bytes: Buffer, start: number, endBytes: number): number | undefined {
  for (let at = 0; at + PREFIX_BYTES <= bytes.length; at += ALIGNMENT_BYTES) {
    const bodyBytes = bytes.readInt32BE(at + 12);
    if (bodyBytes <= DATA_SIZE_BYTES + FLAGS_BYTES) continue;
    if (start + at + recordBytesOf(bodyBytes) > endBytes) continue;
    const dataBytes = bytes.readUInt32BE(at + HEADER_BYTES);
    if (dataBytes === 0 || dataBytes > bodyBytes - DATA_SIZE_BYTES - FLAGS_BYTES) continue;
    if (isPossible(readHeader(bytes, at))) return start + at;
  }
  return undefined;
}
