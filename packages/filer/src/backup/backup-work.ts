import { hex } from "@kelp/base";
import { type Fid, formatFid } from "@kelp/wire";
import { BackupError } from "../errors.ts";
import { BACKUP_READS_IN_FLIGHT_MAX, BLOCK_BYTES, DAMAGED_LISTED_MAX } from "../limits.ts";
import type { BackupDeps, BackupRequest } from "./backup-request.ts";
import type { BackupDatabase, BackupFile } from "./backup-manifest.ts";
import type { NamedChunks } from "./named-chunks.ts";
import { PackWriter, blockKey, chunkKey } from "./pack.ts";
import type { PackCatalogue } from "./pack-catalogue.ts";

/** What one backup copies, and what it counts. */
export class BackupWork {
  copiedChunks = 0;
  copiedNeedles = 0;
  copiedBytes = 0;
  damagedCount = 0;
  readonly damaged: { readonly fid: string; readonly reason: string }[] = [];
  looseDamagedCount = 0;
  readonly #deps: Pick<BackupDeps, "disk" | "hashes">;
  readonly #request: BackupRequest;
  readonly #catalogue: PackCatalogue;
  readonly #writer: PackWriter;
  /** Keys that are in the writer's hands. */
  readonly #pending = new Set<string>();

  constructor(
    deps: Pick<BackupDeps, "disk" | "hashes">,
    request: BackupRequest,
    catalogue: PackCatalogue,
  ) {
    this.#deps = deps;
    this.#request = request;
    this.#catalogue = catalogue;
    this.#writer = new PackWriter(request.target, deps.hashes, (pack) => {
      catalogue.add(pack);
      for (const { key } of pack.blobs) {
        catalogue.use(key);
        this.#pending.delete(key);
      }
    });
  }

  /** A few at once, in the order of their addresses. */
  async copyChunks(chunks: NamedChunks): Promise<void> {
    const chunkCount = chunks.count;
    let chunksDone = 0;
    const rest = chunks.all();
    const worker = async (): Promise<void> => {
      for (const fid of rest) {
        this.#request.signal?.throwIfAborted();
        await this.#copyChunk(fid);
        chunksDone += 1;
        const { copiedBytes } = this;
        this.#request.onProgress?.({ chunksDone, chunkCount, copiedBytes });
      }
    };
    const workers = Array.from({ length: BACKUP_READS_IN_FLIGHT_MAX }, worker);
    // All have ended before a failure of one is told: none works on for a backup that is over.
    const results = await Promise.allSettled(workers);
    for (const result of results) if (result.status === "rejected") throw result.reason;
  }

  /** A manifest that waits to be freed. One that is gone was freed, and only its row was not forgotten: nothing is lost. */
  async copyFreed(fid: Fid): Promise<void> {
    this.#request.signal?.throwIfAborted();
    await this.#copyUnlessDamaged(fid);
  }

  async copyBlocks(name: string, path: string): Promise<BackupDatabase> {
    await using file = await this.#deps.disk.open(path, { access: "read" });
    const sizeBytes = await file.sizeBytes();
    const blocks: string[] = [];
    for (let offset = 0; offset < sizeBytes; offset += BLOCK_BYTES) {
      this.#request.signal?.throwIfAborted();
      const block = Buffer.allocUnsafe(Math.min(BLOCK_BYTES, sizeBytes - offset));
      const count = await file.readAt(block, offset);
      if (count < block.length) throw new BackupError("source-failed", `${name} became shorter`);
      blocks.push(await this.#addBlock(block));
    }
    return { name, sizeBytes, blocks };
  }

  async copyFile(name: string, path: string): Promise<BackupFile> {
    const bytes = await this.#deps.disk.readWhole(path);
    return { name, sizeBytes: bytes.length, block: await this.#addBlock(bytes) };
  }

  /** Whether the target has the piece; then it is one of this backup. */
  has(key: string): boolean {
    return this.#catalogue.use(key) !== undefined;
  }

  async addNeedle(key: string, bytes: Uint8Array): Promise<void> {
    this.copiedNeedles += 1;
    await this.#add(key, bytes);
  }

  /** Something of a volume that clients write to cannot be read. */
  noteLooseDamage(what: string, reason: string): void {
    this.looseDamagedCount += 1;
    this.#list(what, reason);
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  settle(): Promise<void> {
    return this.#writer.settle();
  }

  usedPacks(): string[] {
    return this.#catalogue.usedPacks();
  }

  async #copyChunk(fid: Fid): Promise<void> {
    const reason = await this.#copyUnlessDamaged(fid);
    if (reason === undefined) return;
    this.damagedCount += 1;
    this.#list(formatFid(fid), reason);
  }

  #list(fid: string, reason: string): void {
    if (this.damaged.length < DAMAGED_LISTED_MAX) this.damaged.push({ fid, reason });
  }

  /** Returns what is wrong with the chunk. */
  async #copyUnlessDamaged(fid: Fid): Promise<string | undefined> {
    const { source } = this.#request;
    const key = chunkKey(source.storeId, formatFid(fid));
    if (this.#catalogue.use(key) !== undefined) return undefined;
    const read = await source.readChunk(fid);
    if (read.kind === "damaged") return read.reason;
    this.copiedChunks += 1;
    await this.#add(key, read.bytes);
    return undefined;
  }

  async #addBlock(bytes: Uint8Array): Promise<string> {
    const sha256 = hex(this.#deps.hashes.digest("sha256", bytes));
    const key = blockKey(sha256);
    if (this.#catalogue.use(key) === undefined && !this.#pending.has(key)) {
      await this.#add(key, bytes);
    }
    return sha256;
  }

  async #add(key: string, bytes: Uint8Array): Promise<void> {
    this.#pending.add(key);
    this.copiedBytes += bytes.length;
    await this.#writer.add(key, bytes);
  }
}
