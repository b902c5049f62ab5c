import type { DiskFile } from "@kelp/base";
import { type ScannedNeedle, needleId } from "@kelp/wire";
import type { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import type { Checksums } from "../needle/decode.ts";
import { joinIdHalves } from "../needle/id-halves.ts";
import { ALIGNMENT_BYTES } from "../needle/layout.ts";
import { type ExamineSource, examine } from "./examine.ts";
import { ReadWindow } from "./read-window.ts";

export interface ScanSource {
  readonly file: DiskFile;
  readonly endBytes: number;
  readonly index: NeedleIndex;
  readonly hashes: Checksums;
}

/**
 * Every needle that was live when the scan began and still is, in file order. The index says where needles
 * are, so damage to one record hides no other. Costs 4 bytes a live needle while it runs.
 */
export async function* scanLive(scan: ScanSource): AsyncGenerator<ScannedNeedle> {
  const source: ExamineSource = {
    window: new ReadWindow(scan.file, WALK_BUFFER_BYTES),
    endBytes: scan.endBytes,
    hashes: scan.hashes,
  };
  for (const units of liveOffsetUnits(scan.index)) {
    const scanned = await scanOne(scan, source, units * ALIGNMENT_BYTES);
    if (scanned !== undefined) yield scanned;
  }
}

/** Where live needles begin, in units of `ALIGNMENT_BYTES`, in the order of the file. */
export function liveOffsetUnits(index: NeedleIndex): Uint32Array {
  const units = new Uint32Array(index.liveCount);
  let count = 0;
  index.forEachLive((_high, _low, offsetBytes) => {
    units[count++] = offsetBytes / ALIGNMENT_BYTES;
  });
  return units.sort();
}

async function scanOne(
  scan: ScanSource,
  source: ExamineSource,
  offsetBytes: number,
): Promise<ScannedNeedle | undefined> {
  const examined = await examine(source, offsetBytes);
  if (examined.kind === "unreadable") {
    return corruptAt(scan.index, offsetBytes, "no record stands there");
  }
  const { idHigh, idLow, cookie, bodyBytes } = examined.header;
  const location = scan.index.find(idHigh, idLow);
  if (location?.offsetBytes !== offsetBytes) {
    return corruptAt(scan.index, offsetBytes, "another needle id stands there");
  }
  const id = needleId(joinIdHalves(idHigh, idLow));
  if (examined.kind === "damaged") {
    return { kind: "corrupt", needleId: id, offsetBytes, reason: examined.reason };
  }
  if (location.bodyBytes !== bodyBytes) {
    return { kind: "corrupt", needleId: id, offsetBytes, reason: "record has another size" };
  }
  return { kind: "live", needleId: id, cookie, sizeBytes: examined.dataBytes };
}

/** The needle that should be there; `undefined` when it was removed since the scan began. */
function corruptAt(
  index: NeedleIndex,
  offsetBytes: number,
  reason: string,
): ScannedNeedle | undefined {
  let found: ScannedNeedle | undefined;
  // A walk over the whole index, but only for a damaged header or one removed in this very moment.
  index.forEachLive((idHigh, idLow, liveOffsetBytes) => {
    if (liveOffsetBytes !== offsetBytes) return;
    found = {
      kind: "corrupt",
      needleId: needleId(joinIdHalves(idHigh, idLow)),
      offsetBytes,
      reason,
    };
  });
  return found;
}
