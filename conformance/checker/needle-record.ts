import { type ByteSource, crc32c } from "./byte-source.ts";

export type FormatVersion = 1 | 2 | 3;

/** A record of a volume file as its bytes say. Offsets and sizes are bytes. */
export interface NeedleRecord {
  readonly offset: number;
  readonly totalBytes: number;
  readonly cookie: number;
  readonly id: bigint;
  /** Of the region between the header and the checksum. */
  readonly bodyBytes: number;
  readonly data: Buffer;
  readonly flags: number;
  readonly name: Buffer | undefined;
  readonly mime: Buffer | undefined;
  readonly modifiedSeconds: number | undefined;
  readonly ttl: readonly [count: number, unit: number] | undefined;
  readonly pairs: string | undefined;
  readonly appendedNs: bigint | undefined;
}

const HEADER_BYTES = 16;
const CHECKSUM_BYTES = 4;
const DATE_BYTES = 8;
const ALIGNMENT = 8;

/** Total size of a record with a body of this size. The padding has 1 to 8 bytes, never none. */
export function recordBytes(version: FormatVersion, bodyBytes: number): number {
  const before = HEADER_BYTES + bodyBytes + CHECKSUM_BYTES + (version === 3 ? DATE_BYTES : 0);
  return before + ALIGNMENT - (before % ALIGNMENT);
}

/** Reads the record at `offset`, giving what is wrong with it to `complain`. `undefined`: there is no record. */
export function readRecord(
  file: ByteSource,
  version: FormatVersion,
  offset: number,
  complain: (problem: string) => void,
): NeedleRecord | undefined {
  const header = file.read(offset, HEADER_BYTES);
  if (header.length < HEADER_BYTES) {
    complain(`ends after ${header.length} bytes of a header`);
    return undefined;
  }
  const bodyBytes = header.readInt32BE(12);
  if (bodyBytes < 0) {
    complain(`a body of ${bodyBytes} bytes`);
    return undefined;
  }
  const totalBytes = recordBytes(version, bodyBytes);
  if (offset + totalBytes > file.sizeBytes) {
    complain(`a record of ${totalBytes} bytes ends behind the file`);
    return undefined;
  }
  const record = file.read(offset, totalBytes);
  const id = header.readBigUInt64BE(4);
  if (id === 0n) complain("needle id 0");
  const body = record.subarray(HEADER_BYTES, HEADER_BYTES + bodyBytes);
  const parsed = version === 1 ? plain(body) : parseBody(body, complain);
  const checksumAt = HEADER_BYTES + bodyBytes;
  // A record without body is a deletion, whose checksum is that of nothing or of what it deletes.
  if (bodyBytes > 0) checkSum(record.readUInt32BE(checksumAt), parsed.data, complain);
  const tail = checksumAt + CHECKSUM_BYTES;
  const appendedNs = version === 3 ? record.readBigUInt64BE(tail) : undefined;
  const padding = record.subarray(tail + (version === 3 ? DATE_BYTES : 0));
  checkPadding(version, padding, bodyBytes, complain);
  return {
    offset,
    totalBytes,
    cookie: header.readUInt32BE(0),
    id,
    bodyBytes,
    ...parsed,
    appendedNs,
  };
}

type Body = Pick<
  NeedleRecord,
  "data" | "flags" | "name" | "mime" | "modifiedSeconds" | "ttl" | "pairs"
>;

function plain(data: Buffer): Body {
  return {
    data,
    flags: 0,
    name: undefined,
    mime: undefined,
    modifiedSeconds: undefined,
    ttl: undefined,
    pairs: undefined,
  };
}

/** Fields stand one after another, each that its flag announces, and fill the body exactly. */
function parseBody(body: Buffer, complain: (problem: string) => void): Body {
  if (body.length === 0) return plain(body);
  let at = 0;
  const take = (count: number, what: string): Buffer => {
    const piece = body.subarray(at, at + count);
    if (piece.length < count) complain(`its ${what} ends behind the body`);
    at += count;
    return piece.length < count ? Buffer.alloc(count) : piece;
  };
  const dataBytes = take(4, "data size").readUInt32BE(0);
  if (dataBytes > body.length) {
    complain(`${dataBytes} bytes of data in a body of ${body.length}`);
    return plain(Buffer.alloc(0));
  }
  const data = take(dataBytes, "data");
  const flags = take(1, "flags").readUInt8(0);
  if ((flags & 0x40) !== 0) complain("flag 0x40 is set, which means nothing");
  const has = (flag: number): boolean => (flags & flag) !== 0;
  const short = (what: string): Buffer => take(take(1, what).readUInt8(0), what);
  const name = has(0x02) ? short("name") : undefined;
  const mime = has(0x04) ? short("media type") : undefined;
  const modifiedSeconds = has(0x08) ? take(5, "date").readUIntBE(0, 5) : undefined;
  const ttlBytes = has(0x10) ? take(2, "lifetime") : undefined;
  const pairs = has(0x20) ? take(take(2, "pairs").readUInt16BE(0), "pairs").toString() : undefined;
  if (at !== body.length) complain(`its fields take ${at} of ${body.length} bytes of the body`);
  const ttl = ttlBytes === undefined ? undefined : ([ttlBytes[0] ?? 0, ttlBytes[1] ?? 0] as const);
  if (ttl !== undefined && ttl[1] > 6) complain(`lifetime unit ${ttl[1]}`);
  if (pairs !== undefined && !isObject(pairs)) complain("its pairs are no JSON object");
  return { data, flags, name, mime, modifiedSeconds, ttl, pairs };
}

function checkSum(stored: number, data: Buffer, complain: (problem: string) => void): void {
  const sum = crc32c(data);
  // Written before version 3.09 of the format's own server.
  const turned = (((sum >>> 15) | (sum << 17)) + 0xa282_ead8) >>> 0;
  if (stored !== sum && stored !== turned) {
    complain(`checksum ${hex(stored)}, its data has ${hex(sum)}`);
  }
}

function checkPadding(
  version: FormatVersion,
  padding: Buffer,
  bodyBytes: number,
  complain: (problem: string) => void,
): void {
  if (padding.length < 1 || padding.length > ALIGNMENT) complain(`padding of ${padding.length}`);
  if (version !== 3) return;
  const expected = Buffer.alloc(ALIGNMENT);
  expected.writeInt32BE(bodyBytes, 0);
  if (!padding.equals(expected.subarray(0, padding.length))) {
    complain(`padding ${padding.toString("hex")} is not its size and zeros`);
  }
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0");
}
