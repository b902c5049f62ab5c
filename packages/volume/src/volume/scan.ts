import type { Clock, DiskFile } from "@kelp/base";
import { type ScannedNeedle, needleId } from "@kelp/wire";
import { type LiveBatch, liveInFileOrder } from "../index/file-order.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { type Checksums, readHeader } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { HEADER_BYTES } from "../needle/layout.ts";
import { type ExamineSource, type Examined, examine } from "./examine.ts";
import { ReadWindow } from "./read-window.ts";

export interface ScanSource {
  readonly file: DiskFile;
  readonly endBytes: number;
  readonly index: NeedleIndex;
  readonly hashes: Checksums;
  readonly clock: Pick<Clock, "sleep">;
}

/**
 * Every needle that was live when the scan began and still is, in file order. The index says where needles
 * are and which, so damage to one record hides no other. Takes bounded memory: see `liveInFileOrder`.
 */
export async function* scanLive(scan: ScanSource): AsyncGenerator<ScannedNeedle> {
  const source: ExamineSource = {
    window: new ReadWindow(scan.file, WALK_BUFFER_BYTES),
    endBytes: scan.endBytes,
    hashes: scan.hashes,
  };
  const { endBytes, clock } = scan;
  const batches = liveInFileOrder(scan.index, { endBytes, pause: () => clock.sleep(0) });
  for await (const batch of batches) {
    for (let at = 0; at < batch.count; at++) {
      const scanned = await scanOne(scan, source, needleAt(batch, at));
      if (scanned !== undefined) yield scanned;
    }
  }
}

interface ExpectedNeedle {
  readonly idHigh: number;
  readonly idLow: number;
  readonly offsetBytes: number;
  readonly bodyBytes: number;
}

function needleAt(batch: LiveBatch, at: number): ExpectedNeedle {
  return {
    idHigh: batch.idHighs[at] ?? 0,
    idLow: batch.idLows[at] ?? 0,
    offsetBytes: batch.offsetBytes[at] ?? 0,
    bodyBytes: batch.bodyBytes[at] ?? 0,
  };
}

function misfitOf(examined: Examined, expected: ExpectedNeedle): string | undefined {
  if (examined.kind === "unreadable") return "no record stands there";
  const { idHigh, idLow, bodyBytes } = examined.header;
  if (idHigh !== expected.idHigh || idLow !== expected.idLow) {
    return "another needle id stands there";
  }
  if (examined.kind === "damaged") return examined.reason;
  return bodyBytes === expected.bodyBytes ? undefined : "record has another size";
}

/** `undefined` when the needle was removed or replaced since the scan began. */
async function scanOne(
  scan: ScanSource,
  source: ExamineSource,
  expected: ExpectedNeedle,
): Promise<ScannedNeedle | undefined> {
  const { idHigh, idLow, offsetBytes, bodyBytes } = expected;
  const examined = await examine(source, offsetBytes);
  if (scan.index.find(idHigh, idLow)?.offsetBytes !== offsetBytes) return undefined;
  const id = needleId(joinIdHalves(idHigh, idLow));
  const reason = misfitOf(examined, expected);
  if (reason !== undefined || examined.kind !== "good") {
    const { cookie } = readHeader(await source.window.borrow(offsetBytes, HEADER_BYTES), 0);
    const recordBytes = scan.index.recordBytes(bodyBytes);
    return {
      kind: "corrupt",
      needleId: id,
      cookie,
      offsetBytes,
      recordBytes,
      reason: reason ?? "it is damaged",
    };
  }
  const { header, dataBytes: sizeBytes, dateNs: appendedNs } = examined;
  return { kind: "live", needleId: id, cookie: header.cookie, sizeBytes, appendedNs };
}
