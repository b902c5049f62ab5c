import { type Hashes, type SqlDatabase, type SqlStatement, assert, must } from "@kelp/base";
import type { Chunk, Content, Fid, VolumeId } from "@kelp/wire";
import {
  CHUNK_ADDRESS_BYTES,
  chunkAddresses,
  decodeChunks,
  encodeChunks,
  encodeFid,
  firstAddressOf,
} from "../../entry/chunk-list.ts";
import { storedBytesOf } from "../../seal/stored-bytes.ts";
import type { Garbage } from "../filer-store.ts";
import { checkSum, contentSum, damaged } from "./row-sums.ts";

/** The `content_id` of empty content, which has no row. */
export const NO_CONTENT = 0;

const VOLUME_ID_MAX = 0xffff_ffff;

/**
 * Content, references and garbage. The pairing that everything rests on: the transaction that names a chunk inserts its
 * reference (the primary key refuses a second), and the one that stops naming it removes the reference and
 * queues the chunk as garbage. A chunk is named by one content or part; a content by one row or, as snapshots, copies and
 * renames share it, by `1 + content_shares.extra` rows.
 */
export class ContentRows {
  readonly #hashes: Hashes;
  readonly #insert: SqlStatement<unknown>;
  readonly #select: SqlStatement<{ bytes: Uint8Array; sum: number | null }>;
  readonly #delete: SqlStatement<unknown>;
  readonly #selectExtra: SqlStatement<{ extra: number }>;
  readonly #share: SqlStatement<unknown>;
  readonly #unshare: SqlStatement<unknown>;
  readonly #dropShare: SqlStatement<unknown>;
  readonly #insertRef: SqlStatement<unknown>;
  readonly #deleteRef: SqlStatement<unknown>;
  readonly #selectRef: SqlStatement<{ found: number }>;
  readonly #selectRefs: SqlStatement<{ address: Uint8Array; sizeBytes: number }>;
  readonly #countRefs: SqlStatement<{ count: number }>;
  readonly #insertGarbage: SqlStatement<unknown>;
  readonly #selectGarbage: SqlStatement<{ id: number; freedMs: number; chunks: Uint8Array }>;
  readonly #deleteGarbage: SqlStatement<unknown>;

  constructor(database: SqlDatabase, hashes: Hashes) {
    this.#hashes = hashes;
    this.#insert = database.prepare("INSERT INTO contents (id, bytes, sum) VALUES (?, ?, ?)");
    this.#select = database.prepare("SELECT bytes, sum FROM contents WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM contents WHERE id = ?");
    this.#selectExtra = database.prepare("SELECT extra FROM content_shares WHERE content_id = ?");
    this.#share = database.prepare(
      `INSERT INTO content_shares (content_id, extra) VALUES (?, 1)
       ON CONFLICT (content_id) DO UPDATE SET extra = extra + 1`,
    );
    this.#unshare = database.prepare(
      "UPDATE content_shares SET extra = extra - 1 WHERE content_id = ?",
    );
    this.#dropShare = database.prepare("DELETE FROM content_shares WHERE content_id = ?");
    this.#insertRef = database.prepare(
      "INSERT INTO chunk_refs (address, size_bytes) VALUES (?, ?)",
    );
    this.#deleteRef = database.prepare("DELETE FROM chunk_refs WHERE address = ?");
    this.#selectRef = database.prepare("SELECT 1 AS found FROM chunk_refs WHERE address = ?");
    this.#selectRefs = database.prepare(
      `SELECT address, size_bytes AS sizeBytes FROM chunk_refs
       WHERE address > ? AND address < ? ORDER BY address LIMIT ?`,
    );
    this.#countRefs = database.prepare("SELECT count(*) AS count FROM chunk_refs");
    this.#insertGarbage = database.prepare("INSERT INTO garbage (freed_ms, chunks) VALUES (?, ?)");
    this.#selectGarbage = database.prepare(
      "SELECT id, freed_ms AS freedMs, chunks FROM garbage WHERE id > ? ORDER BY id LIMIT ?",
    );
    this.#deleteGarbage = database.prepare("DELETE FROM garbage WHERE id = ?");
  }

  /** Stores new content under `id` and returns the id to keep, which is `NO_CONTENT` for empty content. */
  insert(id: number, content: Content): number {
    if (content.kind === "inline") {
      return this.insertBytes(id, content.bytes);
    }
    const bytes = encodeChunks(content.chunks);
    this.refer(content.chunks, bytes);
    return this.insertBytes(id, bytes);
  }

  /** Stores inline bytes, or a chunk list whose references exist already: joined parts. */
  insertBytes(id: number, bytes: Uint8Array): number {
    if (bytes.length === 0) return NO_CONTENT;
    this.#insert.run(id, bytes, contentSum(this.#hashes, id, bytes));
    return id;
  }

  read(id: number, chunkCount: number): Content {
    if (id === NO_CONTENT) return { kind: "inline", bytes: new Uint8Array(0) };
    return contentOf(this.#bytesOf(id), chunkCount);
  }

  /** One more row names the content. */
  share(id: number): void {
    if (id !== NO_CONTENT) this.#share.run(id);
  }

  /** One row less names the content, and with the last one it is removed. */
  release(id: number, chunkCount: number, nowMs: number): void {
    if (id === NO_CONTENT) return;
    const extra = this.#selectExtra.get(id)?.extra ?? 0;
    if (extra > 0) {
      (extra === 1 ? this.#dropShare : this.#unshare).run(id);
      return;
    }
    if (chunkCount > 0) this.freeList(this.#bytesOf(id), nowMs);
    this.#delete.run(id);
  }

  /** Whether more than one row names the content. */
  isShared(id: number): boolean {
    return (this.#selectExtra.get(id)?.extra ?? 0) > 0;
  }

  /**
   * Puts a chunk list in the place of another that one row names, and returns the id to keep. Chunks of `kept` go on being
   * named, other ones of the former list are freed.
   */
  exchange(
    id: number,
    next: {
      readonly id: number;
      readonly chunks: readonly Chunk[];
      readonly listed: readonly Chunk[];
      readonly kept: readonly Chunk[];
      readonly nowMs: number;
    },
  ): number {
    const former = id === NO_CONTENT ? [] : chunksOf(this.#bytesOf(id));
    const kept = new Set(next.kept.map(nameOf));
    const freed = former.filter((chunk) => !kept.has(nameOf(chunk)));
    assert(former.length - freed.length === kept.size, "what is kept was listed");
    this.freeList(encodeChunks(freed), next.nowMs);
    if (id !== NO_CONTENT) this.#delete.run(id);
    this.referListed([...next.chunks, ...next.listed].filter((chunk) => !kept.has(nameOf(chunk))));
    return this.insertBytes(next.id, encodeChunks(next.chunks));
  }

  #bytesOf(id: number): Uint8Array {
    const row = this.#select.get(id);
    if (row === undefined) throw damaged("content of an entry is absent");
    checkSum("the content of an entry", row.sum, contentSum(this.#hashes, id, row.bytes));
    return row.bytes;
  }

  /** Removes the references of a chunk list and queues the chunks. */
  freeList(bytes: Uint8Array, nowMs: number): void {
    if (bytes.length === 0) return;
    for (const address of chunkAddresses(bytes)) this.#deleteRef.run(address);
    this.#insertGarbage.run(nowMs, bytes);
  }

  /** Adds the references of chunks named for the first time. `bytes` is their list. */
  refer(chunks: readonly Chunk[], bytes: Uint8Array): void {
    let index = 0;
    for (const address of chunkAddresses(bytes)) {
      this.#insertRef.run(address, referencedBytes(must(chunks[index])));
      index += 1;
    }
  }

  /** Adds the references of chunks that manifests list. */
  referListed(chunks: readonly Chunk[] = []): void {
    if (chunks.length > 0) this.refer(chunks, encodeChunks(chunks));
  }

  /** Removes references without queueing anything. */
  forget(chunks: readonly Chunk[]): void {
    for (const chunk of chunks) this.#deleteRef.run(encodeFid(chunk.fid));
  }

  addGarbage(chunks: readonly Chunk[], nowMs: number): void {
    if (chunks.length > 0) this.#insertGarbage.run(nowMs, encodeChunks(chunks));
  }

  listGarbage(query: {
    readonly freedMsMax: number;
    readonly afterId: number;
    readonly limit: number;
  }): Garbage[] {
    const found: Garbage[] = [];
    for (const row of this.#selectGarbage.all(query.afterId, query.limit)) {
      // Ids follow time, so what comes behind a young row is young as well.
      if (row.freedMs > query.freedMsMax) break;
      found.push({ id: row.id, chunks: chunksOf(row.chunks) });
    }
    return found;
  }

  dropGarbage(ids: readonly number[]): void {
    for (const id of ids) this.#deleteGarbage.run(id);
  }

  isReferenced(fid: Fid): boolean {
    return this.#selectRef.get(encodeFid(fid)) !== undefined;
  }

  listReferences(query: {
    readonly volumeId: VolumeId;
    readonly after: Fid | undefined;
    readonly limit: number;
  }): Chunk[] {
    const from =
      query.after === undefined ? firstAddressOf(query.volumeId) : encodeFid(query.after);
    // No volume has the id behind the last one; all ones sort above every address of the last volume.
    const to =
      query.volumeId === VOLUME_ID_MAX
        ? new Uint8Array(CHUNK_ADDRESS_BYTES + 1).fill(0xff)
        : firstAddressOf(query.volumeId + 1);
    return this.#selectRefs.all(from, to, query.limit).map((row) => {
      const record = new Uint8Array(row.address.length + 4);
      record.set(row.address);
      new DataView(record.buffer).setUint32(row.address.length, row.sizeBytes);
      return must(chunksOf(record)[0]);
    });
  }

  referenceCount(): number {
    return this.#countRefs.get()?.count ?? 0;
  }
}

function nameOf({ fid }: Chunk): string {
  return `${fid.volumeId},${fid.needleId}`;
}

/** Stored bytes that a check expects; 0 of a manifest, whose size is that of the content it lists. */
function referencedBytes(chunk: Chunk): number {
  return chunk.isManifest === true ? 0 : storedBytesOf(chunk);
}

export function contentOf(bytes: Uint8Array, chunkCount: number): Content {
  if (chunkCount === 0) return { kind: "inline", bytes };
  const chunks = chunksOf(bytes);
  if (chunks.length !== chunkCount) throw damaged("an entry's chunk count differs from its list");
  return { kind: "chunks", chunks };
}

export function chunksOf(bytes: Uint8Array): Chunk[] {
  const chunks = decodeChunks(bytes);
  if (chunks === undefined) throw damaged("a chunk list is malformed");
  return chunks;
}
