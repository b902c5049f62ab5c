import { existsSync, readFileSync } from "node:fs";
import type { SqlDatabase, SqlStatement } from "@kelp/base";
import { openGuardedDatabase } from "@kelp/base/platform";
import type { MirrorFile, PowerCutDisk } from "@kelp/base/testing";

/** Layout of a write-ahead log of SQLite. */
const WAL_HEADER_BYTES = 32;
const FRAME_HEADER_BYTES = 24;
const PAGE_BYTES = 4096;

/**
 * SQLite does its own I/O, so what it did is read off its files after each commit and brought into the log of the
 * simulated disk, in the order that `sqlite-trace.test.ts` shows to be the real one:
 *
 * 1. when the log begins anew: its header, a sync of it;
 * 2. the frames of the transaction, a sync of the log: the commit is durable;
 * 3. when it checkpoints: the pages in the database file, its length, a sync of it;
 * 4. when it closes: a checkpoint, then the log is emptied and removed.
 *
 * The shared-memory file is not kept: the first to open a database after a cut makes it anew.
 */
export class CapturedDatabase implements SqlDatabase {
  readonly #database: SqlDatabase;
  readonly #main: MirroredFile;
  readonly #log: MirroredFile;
  #depth = 0;
  #isOpen = true;

  /** `file` on the machine stands for `path` on the simulated disk, which holds the same already or nothing. */
  constructor(disk: PowerCutDisk, file: string, path: string) {
    this.#main = new MirroredFile(disk, file, path);
    this.#log = new MirroredFile(disk, `${file}-wal`, `${path}-wal`);
    this.#database = openGuardedDatabase(file, {
      damagedLog: "refuse",
      nowMs: 0,
      onCut: () => undefined,
    });
    // Small, so that a run checkpoints often.
    this.#database.execute("PRAGMA wal_autocheckpoint = 24");
    this.#capture();
    this.#main.syncName();
  }

  execute(sql: string): void {
    this.#database.execute(sql);
    this.#capture();
  }

  prepare<Row>(sql: string): SqlStatement<Row> {
    const statement = this.#database.prepare<Row>(sql);
    return {
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
      run: (...values) => {
        const count = statement.run(...values);
        this.#capture();
        return count;
      },
    };
  }

  transaction<Value>(work: () => Value): Value {
    this.#depth += 1;
    try {
      return this.#database.transaction(work);
    } finally {
      this.#depth -= 1;
      this.#capture();
    }
  }

  snapshot<Value>(work: () => Value): Value {
    return this.#database.snapshot(work);
  }

  version(): number {
    return this.#database.version();
  }

  [Symbol.dispose](): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#database[Symbol.dispose]();
    this.#captureMain();
    if (!this.#log.isThere) this.#log.remove();
  }

  /** Inside a transaction nothing is durable yet; what SQLite spills early is seen at its end. */
  #capture(): void {
    if (this.#depth > 0) return;
    const content = this.#log.read();
    this.#captureLog(content);
    this.#captureMain();
    // A checkpoint that was asked for cuts the log off, when the database has all of it.
    if (this.#log.resize(content.length)) this.#log.sync();
  }

  #captureLog(content: Buffer): void {
    if (content.length === 0) return;
    if (this.#log.copy(content, 0, WAL_HEADER_BYTES)) this.#log.sync();
    let isChanged = false;
    let at = WAL_HEADER_BYTES;
    while (at < content.length) {
      const page = at + FRAME_HEADER_BYTES;
      const isHeader = this.#log.copy(content, at, page);
      const isPage = this.#log.copy(content, page, page + PAGE_BYTES);
      isChanged ||= isHeader || isPage;
      at = page + PAGE_BYTES;
    }
    if (isChanged) this.#log.sync();
  }

  #captureMain(): void {
    const content = this.#main.read();
    let isChanged = false;
    for (let at = 0; at < content.length; at += PAGE_BYTES) {
      isChanged = this.#main.copy(content, at, at + PAGE_BYTES) || isChanged;
    }
    if (this.#main.resize(content.length) || isChanged) this.#main.sync();
  }
}

/** A file of the machine and its image on the simulated disk. */
class MirroredFile {
  readonly #disk: PowerCutDisk;
  readonly #file: string;
  readonly #path: string;
  #mirror: MirrorFile | undefined;
  #seen: Buffer;
  #seenBytes: number;

  constructor(disk: PowerCutDisk, file: string, path: string) {
    this.#disk = disk;
    this.#file = file;
    this.#path = path;
    this.#seen = this.read();
    this.#seenBytes = this.#seen.length;
    if (this.isThere) this.#mirror = disk.mirror(path);
  }

  get isThere(): boolean {
    return existsSync(this.#file);
  }

  read(): Buffer {
    return this.isThere ? readFileSync(this.#file) : Buffer.alloc(0);
  }

  /** Writes `[start, end)` of the new content when it differs from what was seen. */
  copy(content: Buffer, start: number, end: number): boolean {
    const piece = content.subarray(start, end);
    const seenEnd = Math.min(start + piece.length, this.#seenBytes);
    if (piece.length <= seenEnd - start && piece.equals(this.#seen.subarray(start, seenEnd))) {
      return false;
    }
    this.#open().write(piece, start);
    this.#grow(start + piece.length);
    this.#seen.set(piece, start);
    return true;
  }

  resize(sizeBytes: number): boolean {
    if (sizeBytes === this.#seenBytes) return false;
    this.#open().truncate(sizeBytes);
    this.#grow(sizeBytes);
    this.#seenBytes = sizeBytes;
    return true;
  }

  sync(): void {
    this.#open().sync();
  }

  syncName(): void {
    this.#open().syncName();
  }

  remove(): void {
    if (this.#mirror === undefined) return;
    this.#mirror.truncate(0);
    this.#mirror.remove();
    this.#mirror = undefined;
    this.#seenBytes = 0;
  }

  /** SQLite syncs the folder when it has made a log, before it relies on it. */
  #open(): MirrorFile {
    if (this.#mirror === undefined) {
      this.#mirror = this.#disk.mirror(this.#path);
      this.#mirror.syncName();
    }
    return this.#mirror;
  }

  #grow(sizeBytes: number): void {
    if (sizeBytes > this.#seen.length) {
      const seen = Buffer.alloc(Math.max(sizeBytes, this.#seen.length * 2));
      seen.set(this.#seen.subarray(0, this.#seenBytes));
      this.#seen = seen;
    }
    this.#seenBytes = Math.max(this.#seenBytes, sizeBytes);
  }
}
