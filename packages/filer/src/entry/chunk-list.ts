import { assert } from "@kelp/base";
import { type Chunk, type Fid, needleId, volumeId } from "@kelp/wire";

/**
 * Chunk lists as bytes. One record per chunk, big endian, in the order of the content:
 *
 *   offset  size  field
 *        0     4  volume id
 *        4     8  needle id
 *       12     4  cookie
 *       16     4  size of the chunk in bytes
 *
 * Lists have no header, so lists laid one after another are the list of the joined content: completing an upload
 * joins its parts without reading them. The first 16 bytes of a record are the chunk's address, in an order
 * that is the order of volumes and needles.
 */
export const CHUNK_RECORD_BYTES = 20;
export const CHUNK_ADDRESS_BYTES = 16;

export function encodeChunks(chunks: readonly Chunk[]): Uint8Array {
  const bytes = new Uint8Array(chunks.length * CHUNK_RECORD_BYTES);
  const view = new DataView(bytes.buffer);
  let offset = 0;
  for (const chunk of chunks) {
    writeAddress(view, offset, chunk.fid);
    view.setUint32(offset + CHUNK_ADDRESS_BYTES, chunk.sizeBytes);
    offset += CHUNK_RECORD_BYTES;
  }
  return bytes;
}

/** `undefined` when the bytes are no chunk list. */
export function decodeChunks(bytes: Uint8Array): Chunk[] | undefined {
  if (bytes.length % CHUNK_RECORD_BYTES !== 0) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: Chunk[] = [];
  for (let offset = 0; offset < bytes.length; offset += CHUNK_RECORD_BYTES) {
    const volume = view.getUint32(offset);
    const needle = view.getBigUint64(offset + 4);
    if (volume === 0 || needle === 0n) return undefined;
    chunks.push({
      fid: {
        volumeId: volumeId(volume),
        needleId: needleId(needle),
        cookie: view.getUint32(offset + 12),
      },
      sizeBytes: view.getUint32(offset + CHUNK_ADDRESS_BYTES),
    });
  }
  return chunks;
}

/** The address part of every record, as views into `bytes`. */
export function* chunkAddresses(bytes: Uint8Array): Generator<Uint8Array> {
  assert(bytes.length % CHUNK_RECORD_BYTES === 0, "a chunk list is whole records");
  for (let offset = 0; offset < bytes.length; offset += CHUNK_RECORD_BYTES) {
    yield bytes.subarray(offset, offset + CHUNK_ADDRESS_BYTES);
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
