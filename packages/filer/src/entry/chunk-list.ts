import { assert } from "@kelp/base";
import { type Chunk, type Fid, needleId, volumeId } from "@kelp/wire";

/**
 * Chunk lists as bytes. One record per chunk, big endian, in the order of the content:
 *
 *   offset  size  field
 *        0     4  volume id
 *        4     8  needle id
 *       12     4  cookie
 *       16     4  size of the content in bytes, 0 for a manifest; the top bit says that an extension follows
 *       20     1  (extended) which fields follow: 1 hash, 2 sealed key, 4 manifest
 *        …     8  (hash) xxHash3 of the stored bytes
 *        …   1+n  (sealed key) its size, its bytes
 *        …     8  (manifest) size of the content of all chunks that it lists
 *
 * Lists have no header, so lists laid one after another are the list of the joined content: completing an upload
 * joins its parts without reading them. The first 16 bytes of a record are the chunk's address, in an order
 * that is the order of volumes and needles.
 */
export const CHUNK_RECORD_BYTES = 20;
export const CHUNK_ADDRESS_BYTES = 16;
export const SEALED_KEY_BYTES_MAX = 255;

const EXTENDED = 0x8000_0000;
const FIELD_HASH = 1;
const FIELD_SEALED_KEY = 2;
const FIELD_MANIFEST = 4;
const FIELDS_KNOWN = FIELD_HASH | FIELD_SEALED_KEY | FIELD_MANIFEST;

export function encodeChunks(chunks: readonly Chunk[]): Uint8Array {
  let listBytes = 0;
  for (const chunk of chunks) listBytes += CHUNK_RECORD_BYTES + extensionBytes(chunk);
  const bytes = new Uint8Array(listBytes);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const chunk of chunks) {
    assert(
      chunk.isManifest === true || chunk.sizeBytes < EXTENDED,
      "a chunk's size leaves the top bit free",
    );
    const extended = extensionBytes(chunk);
    writeAddress(view, offset, chunk.fid);
    const sizeBytes = chunk.isManifest === true ? 0 : chunk.sizeBytes;
    view.setUint32(offset + CHUNK_ADDRESS_BYTES, sizeBytes + (extended > 0 ? EXTENDED : 0));
    offset += CHUNK_RECORD_BYTES;
    if (extended > 0) writeExtension(bytes, view, offset, chunk);
    offset += extended;
  }
  return bytes;
}

/** `undefined` when the bytes are no chunk list. Sealed keys are views into `bytes`. */
export function decodeChunks(bytes: Uint8Array): Chunk[] | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const end = recordEnd(bytes, offset);
    if (end === undefined) return undefined;
    const volume = view.getUint32(offset);
    const needle = view.getBigUint64(offset + 4);
    if (volume === 0 || needle === 0n) return undefined;
    const size = view.getUint32(offset + CHUNK_ADDRESS_BYTES);
    const fid = {
      volumeId: volumeId(volume),
      needleId: needleId(needle),
      cookie: view.getUint32(offset + 12),
    };
    chunks.push(
      size < EXTENDED
        ? { fid, sizeBytes: size }
        : { fid, sizeBytes: size - EXTENDED, ...readExtension(bytes, view, offset) },
    );
    offset = end;
  }
  return chunks;
}

/** The address part of every record, as views into `bytes`, which must be a chunk list. */
export function* chunkAddresses(bytes: Uint8Array): Generator<Uint8Array> {
  let offset = 0;
  while (offset < bytes.length) {
    const end = recordEnd(bytes, offset);
    assert(end !== undefined, "a chunk list is whole records");
    yield bytes.subarray(offset, offset + CHUNK_ADDRESS_BYTES);
    offset = end;
  }
}

export function encodeFid(fid: Fid): Uint8Array {
  const bytes = new Uint8Array(CHUNK_ADDRESS_BYTES);
  writeAddress(new DataView(bytes.buffer), 0, fid);
  return bytes;
}

/** The first address that can belong to a volume: addresses of a volume lie between its own and the next one's. */
export function firstAddressOf(volume: number): Uint8Array {
  const bytes = new Uint8Array(CHUNK_ADDRESS_BYTES);
  new DataView(bytes.buffer).setUint32(0, volume);
  return bytes;
}

function writeAddress(view: DataView, offset: number, fid: Fid): void {
  view.setUint32(offset, fid.volumeId);
  view.setBigUint64(offset + 4, fid.needleId);
  view.setUint32(offset + 12, fid.cookie);
}

/** 0 where the chunk says no more than address and size. */
function extensionBytes({ hash64, sealedKey, isManifest }: Chunk): number {
  if (hash64 === undefined && sealedKey === undefined && isManifest === undefined) return 0;
  return (
    1 +
    (hash64 === undefined ? 0 : 8) +
    (sealedKey === undefined ? 0 : 1 + sealedKey.length) +
    (isManifest === undefined ? 0 : 8)
  );
}

// oxlint-disable-next-line max-params -- the four are of four types and private to this file
function writeExtension(bytes: Uint8Array, view: DataView, start: number, chunk: Chunk): void {
  const { hash64, sealedKey } = chunk;
  bytes[start] =
    (hash64 === undefined ? 0 : FIELD_HASH) |
    (sealedKey === undefined ? 0 : FIELD_SEALED_KEY) |
    (chunk.isManifest === undefined ? 0 : FIELD_MANIFEST);
  let at = start + 1;
  if (hash64 !== undefined) {
    view.setBigUint64(at, hash64);
    at += 8;
  }
  if (sealedKey !== undefined) {
    assert(sealedKey.length <= SEALED_KEY_BYTES_MAX, "a sealed key's size fits in one byte");
    bytes[at] = sealedKey.length;
    bytes.set(sealedKey, at + 1);
    at += 1 + sealedKey.length;
  }
  if (chunk.isManifest !== undefined) view.setBigUint64(at, BigInt(chunk.sizeBytes));
}

function readExtension(
  bytes: Uint8Array,
  view: DataView,
  record: number,
): Partial<Omit<Chunk, "fid">> {
  let at = record + CHUNK_RECORD_BYTES;
  const fields = bytes[at] ?? 0;
  at += 1;
  const read: { -readonly [Name in keyof Omit<Chunk, "fid">]?: Chunk[Name] } = {};
  if (fields & FIELD_HASH) {
    read.hash64 = view.getBigUint64(at);
    at += 8;
  }
  if (fields & FIELD_SEALED_KEY) {
    read.sealedKey = bytes.subarray(at + 1, at + 1 + (bytes[at] ?? 0));
    at += 1 + read.sealedKey.length;
  }
  if (fields & FIELD_MANIFEST) {
    read.isManifest = true;
    read.sizeBytes = Number(view.getBigUint64(at));
  }
  return read;
}

/** Where the record at `start` ends; `undefined` when it does not end within `bytes` or has unknown fields. */
function recordEnd(bytes: Uint8Array, start: number): number | undefined {
  let end = start + CHUNK_RECORD_BYTES;
  if (end > bytes.length) return undefined;
  if (((bytes[start + CHUNK_ADDRESS_BYTES] ?? 0) & 0x80) === 0) return end;
  const fields = bytes[end];
  if (fields === undefined || (fields & ~FIELDS_KNOWN) !== 0) return undefined;
  end += 1;
  if (fields & FIELD_HASH) end += 8;
  if (fields & FIELD_SEALED_KEY) {
    const keyBytes = bytes[end];
    if (keyBytes === undefined) return undefined;
    end += 1 + keyBytes;
  }
  if (fields & FIELD_MANIFEST) end += 8;
  return end > bytes.length ? undefined : end;
}
