import type { ByteSource } from "./byte-source.ts";
import { type FormatVersion, type NeedleRecord, readRecord, recordBytes } from "./needle-record.ts";
import type { VolumeInfo } from "./volume-info.ts";

/** Where a live needle is. */
export interface LiveNeedle {
  readonly offset: number;
  readonly bodyBytes: number;
  readonly cookie: number;
}

export interface VolumeReport {
  readonly problems: readonly string[];
  readonly recordCount: number;
  /** By the volume file alone. */
  readonly live: ReadonlyMap<bigint, LiveNeedle>;
}

export interface VolumeFiles {
  readonly data: ByteSource;
  /** Absent: not looked at. */
  readonly index?: ByteSource | undefined;
  readonly info?: VolumeInfo | undefined;
  /** Called with each whole record. */
  readonly onRecord?: (record: NeedleRecord) => void;
}

const SUPERBLOCK_BYTES = 8;

/** Walks a volume file from its first byte to its last and holds the index against it. Nothing is taken on trust. */
export function checkVolume(files: VolumeFiles): VolumeReport {
  const problems: string[] = [];
  const { data, index, info } = files;
  const superblock = readSuperblock(data, problems);
  if (superblock === undefined) return { problems, recordCount: 0, live: new Map() };
  const { version, startBytes } = superblock;
  if (info?.version !== undefined && info.version !== 0 && info.version !== version) {
    problems.push(`the info file says version ${info.version}, the superblock ${version}`);
  }
  const live = new Map<bigint, LiveNeedle>();
  const offsets = new Map<number, NeedleRecord>();
  let recordCount = 0;
  let lastNs = 0n;
  let at = startBytes;
  while (at < data.sizeBytes) {
    const record = readRecord(data, version, at, (problem) =>
      problems.push(`at ${at}: ${problem}`),
    );
    if (record === undefined) break;
    recordCount += 1;
    if (record.appendedNs !== undefined) {
      if (record.appendedNs < lastNs) problems.push(`at ${at}: older than the record before it`);
      lastNs = record.appendedNs;
    }
    const { id, cookie, bodyBytes } = record;
    const known = live.get(id);
    if (known !== undefined && known.cookie !== cookie) {
      problems.push(`at ${at}: needle ${id} changes its cookie`);
    }
    if (bodyBytes === 0 && known !== undefined) live.delete(id);
    else live.set(id, { offset: at, bodyBytes, cookie });
    offsets.set(at, { ...record, data: Buffer.alloc(0) });
    files.onRecord?.(record);
    at += record.totalBytes;
  }
  if (at !== data.sizeBytes) problems.push(`${data.sizeBytes - at} bytes behind the last record`);
  if (index !== undefined) {
    checkIndex({ index, live, offsets, version, info, startBytes }, problems);
  }
  return { problems, recordCount, live };
}

function readSuperblock(
  data: ByteSource,
  problems: string[],
): { readonly version: FormatVersion; readonly startBytes: number } | undefined {
  const bytes = data.read(0, SUPERBLOCK_BYTES);
  if (bytes.length < SUPERBLOCK_BYTES) {
    problems.push(`a superblock of ${bytes.length} bytes`);
    return undefined;
  }
  const version = bytes.readUInt8(0);
  if (version !== 1 && version !== 2 && version !== 3) {
    problems.push(`version ${version}`);
    return undefined;
  }
  if (bytes.readUInt8(3) > 6) problems.push(`lifetime unit ${bytes.readUInt8(3)}`);
  const extraBytes = version === 1 ? 0 : bytes.readUInt16BE(6);
  if (extraBytes % 8 !== 0) problems.push(`an extra field of ${extraBytes} bytes`);
  return { version, startBytes: SUPERBLOCK_BYTES + extraBytes };
}

/** One entry of an index file. */
export interface IndexEntry {
  readonly id: bigint;
  readonly offset: number;
  readonly bodyBytes: number;
}

/** Entries of 16 bytes, or of 17 with a fifth byte of the offset behind the low four. */
export function* readIndex(
  index: ByteSource,
  offsetBytes: number,
  complain: (problem: string) => void,
): Generator<IndexEntry> {
  const entryBytes = 12 + offsetBytes;
  const torn = index.sizeBytes % entryBytes;
  if (torn !== 0) complain(`the index ends with ${torn} bytes of an entry`);
  for (let at = 0; at + entryBytes <= index.sizeBytes; at += entryBytes) {
    const bytes = index.read(at, entryBytes);
    const high = offsetBytes === 5 ? bytes.readUInt8(12) : 0;
    yield {
      id: bytes.readBigUInt64BE(0),
      offset: (high * 2 ** 32 + bytes.readUInt32BE(8)) * 8,
      bodyBytes: bytes.readInt32BE(8 + offsetBytes),
    };
  }
}

function checkIndex(
  checked: {
    readonly index: ByteSource;
    readonly live: ReadonlyMap<bigint, LiveNeedle>;
    readonly offsets: ReadonlyMap<number, NeedleRecord>;
    readonly version: FormatVersion;
    readonly info: VolumeInfo | undefined;
    readonly startBytes: number;
  },
  problems: string[],
): void {
  const { live, offsets, version } = checked;
  const indexed = new Map<bigint, IndexEntry>();
  const complain = (problem: string): void => void problems.push(problem);
  for (const entry of readIndex(checked.index, checked.info?.bytesOffset ?? 4, complain)) {
    const { id, offset, bodyBytes } = entry;
    if (id === 0n) complain("the index has an entry for needle 0");
    const isDeletion = offset === 0 || bodyBytes < 0;
    if (offset !== 0) {
      const record = offsets.get(offset);
      if (record === undefined) {
        complain(`the index names offset ${offset} for needle ${id}, where no record begins`);
      } else if (record.id !== id || (!isDeletion && record.bodyBytes !== bodyBytes)) {
        complain(
          `the index names needle ${id} of ${bodyBytes} bytes (${recordBytes(version, Math.max(bodyBytes, 0))} with all) at ${offset}, where needle ${record.id} of ${record.bodyBytes} is`,
        );
      }
    }
    if (isDeletion) indexed.delete(id);
    else indexed.set(id, entry);
  }
  for (const [id, needle] of live) {
    const entry = indexed.get(id);
    if (entry === undefined) complain(`the index lacks needle ${id}`);
    else if (entry.offset !== needle.offset) {
      complain(`the index has needle ${id} at ${entry.offset}, it is at ${needle.offset}`);
    }
  }
  for (const id of indexed.keys()) {
    if (!live.has(id)) complain(`the index has needle ${id}, which is deleted`);
  }
}
