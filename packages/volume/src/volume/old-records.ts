import type { DiskFile, Log } from "@kelp/base";
import {
  type OffsetWidth,
  indexEntryBytes,
  isRemoval,
  readIndexEntry,
} from "../index/index-entry.ts";
import { NeedleIndex } from "../index/needle-index.ts";
import { WALK_BUFFER_BYTES } from "../limits.ts";
import { readHeader } from "../needle/decode.ts";
import { type FormatVersion, HEADER_BYTES, recordBytesOf } from "../needle/layout.ts";
import { isPossible } from "./examine.ts";
import { ReadWindow } from "./read-window.ts";

/** Volumes of version 1 and 2: their records have no dates, and nobody adds to them any more. */
export interface OldRecords {
  readonly file: DiskFile;
  readonly version: FormatVersion;
  /** Bytes of an offset in the index file. */
  readonly offsetWidth: OffsetWidth;
  readonly startBytes: number;
  readonly endBytes: number;
  readonly log: Log;
}

/**
 * Where the needles of such a volume are: from its index file as far as that fits the volume file, and behind that
 * from the records, by their headers. Nothing is changed on disk.
 */
export async function indexOldRecords(
  records: OldRecords,
  indexFile: DiskFile | undefined,
): Promise<NeedleIndex> {
  const { version, offsetWidth } = records;
  const index = new NeedleIndex({
    offsetWidth,
    recordBytes: (bodyBytes) => recordBytesOf(bodyBytes, version),
  });
  const coveredBytes =
    indexFile === undefined ? records.startBytes : await replay(records, indexFile, index);
  await addFrom(records, coveredBytes, index);
  return index;
}

/** Takes the entries up to the first that cannot be true; returns the end of the last record that they name. */
async function replay(
  records: OldRecords,
  indexFile: DiskFile,
  index: NeedleIndex,
): Promise<number> {
  const { version, offsetWidth, startBytes, endBytes, log } = records;
  const entryBytes = indexEntryBytes(offsetWidth);
  const sizeBytes = await indexFile.sizeBytes();
  const window = new ReadWindow(indexFile, WALK_BUFFER_BYTES);
  let coveredBytes = startBytes;
  for (let at = 0; at + entryBytes <= sizeBytes; at += entryBytes) {
    const entry = readIndexEntry(await window.borrow(at, entryBytes), 0, offsetWidth);
    const hasRecord = entry.offsetBytes > 0;
    const bodyBytes = isRemoval(entry) ? 0 : entry.bodyBytes;
    const end = entry.offsetBytes + recordBytesOf(bodyBytes, version);
    const isOutside = entry.offsetBytes < startBytes || end > endBytes;
    if ((entry.idHigh | entry.idLow) === 0 || (hasRecord && isOutside)) {
      log.warn("the rest of an index file does not fit its volume", {
        path: indexFile.path,
        trusted_bytes: at,
      });
      break;
    }
    if (hasRecord) coveredBytes = Math.max(coveredBytes, end);
    if (isRemoval(entry)) index.remove(entry.idHigh, entry.idLow, { hasTombstone: hasRecord });
    else index.put(entry.idHigh, entry.idLow, entry.offsetBytes, bodyBytes);
  }
  return coveredBytes;
}

/** From one header to the next. The checksum of each is looked at when it is read. */
async function addFrom(records: OldRecords, fromBytes: number, index: NeedleIndex): Promise<void> {
  const { file, version, endBytes, log } = records;
  const window = new ReadWindow(file, WALK_BUFFER_BYTES);
  let at = fromBytes;
  while (at + recordBytesOf(0, version) <= endBytes) {
    const header = readHeader(await window.borrow(at, HEADER_BYTES), 0);
    const end = at + recordBytesOf(Math.max(header.bodyBytes, 0), version);
    if (!isPossible(header) || end > endBytes) break;
    const { idHigh, idLow, bodyBytes } = header;
    // Without a body it removes a needle that is known, and is an empty one when it is new.
    if (bodyBytes === 0 && index.knows(idHigh, idLow) !== "unknown") {
      index.remove(idHigh, idLow, { hasTombstone: true });
    } else {
      index.put(idHigh, idLow, at, bodyBytes);
    }
    at = end;
  }
  if (at === endBytes) return;
  log.error("a part of a volume is unreadable", { path: file.path, offset_bytes: at });
}
