import { type Clock, type Disk, type Hashes, type Random, type SqlDatabase, hex } from "@kelp/base";
import { type Fid, formatFid } from "@kelp/wire";
import { BackupError } from "../errors.ts";
import { BACKUP_READS_IN_FLIGHT_MAX, BLOCK_BYTES, DAMAGED_LISTED_MAX } from "../limits.ts";
import { ringMasterKeys } from "../seal/open-ring.ts";
import type { BackupSource, NamedFile } from "./backup-source.ts";
import type { BackupTarget } from "./backup-target.ts";
import { FreedManifests } from "./freed-manifests.ts";
import {
  BACKUP_FORMAT,
  type BackupDatabase,
  type BackupFile,
  type BackupManifest,
  openTarget,
  writeManifest,
} from "./manifest.ts";
import { NamedChunks, checkDatabase } from "./named-chunks.ts";
import { PackWriter, blockKey, chunkKey, packIds } from "./pack.ts";
import { type PackCatalogue, loadCatalogue } from "./pack-catalogue.ts";

export interface BackupDeps {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly random: Pick<Random, "uint32">;
  readonly hashes: Pick<Hashes, "digest">;
  /** Opens a database file, made when absent. */
  readonly openDatabase: (path: string) => SqlDatabase;
  /** Copies a database that others may be writing: one state of it, with all that was committed before the call. */
  readonly copyDatabase: (source: string, target: string) => Promise<void>;
}

export interface BackupRequest {
  readonly source: BackupSource;
  readonly target: BackupTarget;
  /** An empty folder for copies of the databases, which the caller removes. */
  readonly workFolder: string;
  /** Of the databases, the one that names the chunks. */
  readonly filerDatabase: string;
  readonly kelpVersion: string;
  readonly onProgress?: (progress: BackupProgress) => void;
  readonly signal?: AbortSignal;
}

export interface BackupProgress {
  readonly chunksDone: number;
  readonly chunkCount: number;
  readonly copiedBytes: number;
}

export interface BackupReport {
  readonly manifest: BackupManifest;
  /** Pieces that the target did not have. */
  readonly copiedChunks: number;
  readonly copiedBytes: number;
  readonly masterKeyIds: readonly string[];
}

/**
 * Makes a backup of the state at one position: databases first, then the chunks that they name and the target has not. The
 * source must be held (`CollectorHolds`) since before the call. What was written stays when it fails or is killed: the next
 * backup finds it. The manifest comes last and is what makes a backup. Throws `BackupError`.
 */
export async function makeBackup(deps: BackupDeps, request: BackupRequest): Promise<BackupReport> {
  const { target, workFolder } = request;
  await openTarget(target, "write", deps.hashes);
  const startedMs = deps.clock.nowMs();
  const copies = await copyDatabases(deps, request);
  using scratch = deps.openDatabase(`${workFolder}/catalogue.db`);
  // A damaged index makes its pieces be copied again; whether an earlier backup suffers, verification tells.
  const catalogue = await loadCatalogue(target, await packIds(target), {
    scratch,
    hashes: deps.hashes,
    onDamaged: () => undefined,
  });
  using filer = deps.openDatabase(copyPath(request, request.filerDatabase));
  const chunks = new NamedChunks(filer);
  const freed = new FreedManifests(filer, chunks);
  const work = new BackupWork(deps, request, catalogue);
  const { databases, files } = await copyAll(work, request, { copies, chunks, freed });
  const manifest: BackupManifest = {
    format: BACKUP_FORMAT,
    id: newId(deps, startedMs),
    storeId: request.source.storeId,
    kelpVersion: request.kelpVersion,
    startedMs,
    finishedMs: deps.clock.nowMs(),
    position: chunks.position,
    databases,
    files,
    volumes: request.source.volumes,
    chunkCount: chunks.count,
    damaged: work.damaged,
    damagedCount: work.damagedCount,
    packs: work.usedPacks(),
  };
  await writeManifest(target, manifest, deps.hashes);
  const { copiedChunks, copiedBytes } = work;
  return { manifest, copiedChunks, copiedBytes, masterKeyIds: ringMasterKeys(filer) };
}

/** Durable when resolved; when it fails nothing is being written any more. */
async function copyAll(
  work: BackupWork,
  request: BackupRequest,
  what: {
    readonly copies: readonly NamedFile[];
    readonly chunks: NamedChunks;
    readonly freed: FreedManifests;
  },
): Promise<Pick<BackupManifest, "databases" | "files">> {
  try {
    await work.copyChunks(what.chunks);
    for (const fid of what.freed.fids) await work.copyFreed(fid);
    const databases: BackupDatabase[] = [];
    for (const { name } of what.copies) {
      databases.push(await work.copyBlocks(name, copyPath(request, name)));
    }
    const files: BackupFile[] = [];
    for (const { name, path } of request.source.files) files.push(await work.copyFile(name, path));
    await work.flush();
    return { databases, files };
  } finally {
    await work.settle();
  }
}

async function copyDatabases(
  deps: BackupDeps,
  request: BackupRequest,
): Promise<readonly NamedFile[]> {
  for (const { name, path } of request.source.databases) {
    request.signal?.throwIfAborted();
    const copy = copyPath(request, name);
    await deps.copyDatabase(path, copy);
    using database = deps.openDatabase(copy);
    // Folds the log into the file, which then is all of it.
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
    checkDatabase(database, name, "source-damaged");
  }
  return request.source.databases;
}

/** What one backup copies, and what it counts. */
class BackupWork {
  copiedChunks = 0;
  copiedBytes = 0;
  damagedCount = 0;
  readonly damaged: { readonly fid: string; readonly reason: string }[] = [];
  readonly #deps: BackupDeps;
  readonly #request: BackupRequest;
  readonly #catalogue: PackCatalogue;
  readonly #writer: PackWriter;
  /** Keys that are in the writer's hands. */
  readonly #pending = new Set<string>();

  constructor(deps: BackupDeps, request: BackupRequest, catalogue: PackCatalogue) {
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
    if (this.damaged.length < DAMAGED_LISTED_MAX) {
      this.damaged.push({ fid: formatFid(fid), reason });
    }
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

function copyPath(request: BackupRequest, name: string): string {
  return `${request.workFolder}/${name}`;
}

/** `20261127T101500123Z-1a2b3c4d`: in the order of time, and never twice. */
function newId(deps: BackupDeps, startedMs: number): string {
  const time = new Date(startedMs).toISOString().replaceAll(/[-:.]/g, "");
  return `${time}-${deps.random.uint32().toString(16).padStart(8, "0")}`;
}
