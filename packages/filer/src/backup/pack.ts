import { type Hashes, assert, hex, joinBytes } from "@kelp/base";
import { BackupError } from "../errors.ts";
import { PACK_BLOBS_MAX, PACK_BYTES_MAX } from "../limits.ts";
import type { BackupTarget } from "./backup-target.ts";
import { isPackIndex } from "./checked-shape.ts";
import type { PackIndex, PackedBlob } from "./pack-index.ts";
import { decodeChecked, encodeChecked } from "./checked-text.ts";

/** A blob with its place. */
export interface PlacedBlob extends PackedBlob {
  readonly offset: number;
}

const PACKS = "packs/";
const PACK_ID_CHARS = 32;

export function chunkKey(storeId: string, fid: string): string {
  return `chunk ${storeId} ${fid}`;
}

export function looseKey(storeId: string, name: string): string {
  return `needle ${storeId} ${name}`;
}

export function blockKey(sha256: string): string {
  return `block ${sha256}`;
}

/** Gathers blobs and writes them as packs. What was handed out by `onPack` is durable and found by the next backup. */
export class PackWriter {
  readonly #target: BackupTarget;
  readonly #hashes: Pick<Hashes, "digest">;
  readonly #onPack: (pack: PackIndex) => void;
  #parts: Uint8Array[] = [];
  #blobs: PackedBlob[] = [];
  #sizeBytes = 0;
  #writing: Promise<void> = Promise.resolve();

  constructor(
    target: BackupTarget,
    hashes: Pick<Hashes, "digest">,
    onPack: (pack: PackIndex) => void,
  ) {
    this.#target = target;
    this.#hashes = hashes;
    this.#onPack = onPack;
  }

  /** Takes the bytes. Memory: one pack being gathered and one being written. */
  async add(key: string, bytes: Uint8Array): Promise<void> {
    const sha256 = hex(this.#hashes.digest("sha256", bytes));
    this.#parts.push(bytes);
    this.#blobs.push({ key, sizeBytes: bytes.length, sha256 });
    this.#sizeBytes += bytes.length;
    if (this.#sizeBytes >= PACK_BYTES_MAX || this.#blobs.length >= PACK_BLOBS_MAX) {
      await this.#send();
    }
  }

  /** Resolves when everything that was added is durable. */
  async flush(): Promise<void> {
    if (this.#blobs.length > 0) await this.#send();
    await this.#writing;
  }

  /** Resolves when nothing is being written any more, however that ended: for whoever gives up. */
  async settle(): Promise<void> {
    await this.#writing.catch(() => undefined);
  }

  async #send(): Promise<void> {
    const bytes = joinBytes(this.#parts);
    const blobs = this.#blobs;
    this.#parts = [];
    this.#blobs = [];
    this.#sizeBytes = 0;
    const before = this.#writing;
    const next = before.then(() => this.#write(bytes, blobs));
    // Whoever sends next, or flushes, meets the failure.
    this.#writing = next;
    next.catch(() => undefined);
    await before;
  }

  async #write(bytes: Uint8Array, blobs: readonly PackedBlob[]): Promise<void> {
    const id = packIdOf(bytes, this.#hashes);
    const pack: PackIndex = { id, sizeBytes: bytes.length, blobs };
    await this.#target.write(`${PACKS}${id}.pack`, bytes);
    await this.#target.write(`${PACKS}${id}.json`, encodeChecked(pack, this.#hashes));
    this.#onPack(pack);
  }
}

/** Every pack that is whole, by id. */
export async function packIds(target: BackupTarget): Promise<string[]> {
  const names = new Set(await target.list(PACKS));
  return [...names]
    .filter((name) => name.endsWith(".json") && names.has(name.replace(/json$/, "pack")))
    .map((name) => name.slice(PACKS.length, -".json".length))
    .toSorted();
}

/** Throws `BackupError` `backup-damaged`. */
export async function readPackIndex(
  target: BackupTarget,
  id: string,
  hashes: Pick<Hashes, "digest">,
): Promise<PackIndex> {
  const name = `${PACKS}${id}.json`;
  const bytes = await target.read(name);
  if (bytes === undefined) throw new BackupError("backup-damaged", `${name} is missing`);
  const index = decodeChecked(name, bytes, hashes);
  if (!isPackIndex(index, id)) {
    throw new BackupError("backup-damaged", `${name} is no index of a pack of that name`);
  }
  return index;
}

/** Whether the pack is there and as long as its index says; its content is not looked at. Throws `BackupError` `backup-damaged`. */
export async function checkPackSize(target: BackupTarget, pack: PackIndex): Promise<void> {
  const name = `${PACKS}${pack.id}.pack`;
  const sizeBytes = await target.sizeOf(name);
  if (sizeBytes === pack.sizeBytes) return;
  const found = sizeBytes === undefined ? "missing" : "torn or damaged";
  throw new BackupError("backup-damaged", `${name} is ${found}`);
}

/** The whole pack, checked against its id. Throws `BackupError` `backup-damaged`. */
export async function readPack(
  target: BackupTarget,
  pack: PackIndex,
  hashes: Pick<Hashes, "digest">,
): Promise<Uint8Array> {
  const name = `${PACKS}${pack.id}.pack`;
  const bytes = await target.read(name);
  if (bytes === undefined) throw new BackupError("backup-damaged", `${name} is missing`);
  if (bytes.length !== pack.sizeBytes || packIdOf(bytes, hashes) !== pack.id) {
    throw new BackupError("backup-damaged", `${name} is torn or damaged`);
  }
  return bytes;
}

/** The blobs of a pack, each checked. Throws `BackupError` `backup-damaged`. */
export function* blobsOf(
  pack: PackIndex,
  bytes: Uint8Array,
  hashes: Pick<Hashes, "digest">,
): Generator<PackedBlob & { readonly bytes: Uint8Array }> {
  for (const blob of placedBlobs(pack)) {
    const content = bytes.subarray(blob.offset, blob.offset + blob.sizeBytes);
    if (hex(hashes.digest("sha256", content)) !== blob.sha256) {
      throw new BackupError("backup-damaged", `${blob.key} in pack ${pack.id} is damaged`);
    }
    yield { ...blob, bytes: content };
  }
}

function* placedBlobs(pack: PackIndex): Generator<PlacedBlob> {
  let offset = 0;
  for (const blob of pack.blobs) {
    yield { ...blob, offset };
    offset += blob.sizeBytes;
  }
  assert(offset === pack.sizeBytes, "a pack is its blobs");
}

export async function removePack(target: BackupTarget, id: string): Promise<void> {
  // The index first: a pack without one is nothing, an index without its pack would be a lie.
  await target.remove(`${PACKS}${id}.json`);
  await target.remove(`${PACKS}${id}.pack`);
}

function packIdOf(bytes: Uint8Array, hashes: Pick<Hashes, "digest">): string {
  return hex(hashes.digest("sha256", bytes)).slice(0, PACK_ID_CHARS);
}
