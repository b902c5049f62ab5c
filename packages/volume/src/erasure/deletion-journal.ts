import { type Disk, type DiskFile, type Log, assert } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { QUEUE_COUNT_MAX } from "../limits.ts";

const ENTRY_BYTES = 8;

/** One needle id as two halves. */
export interface JournalEntry {
  readonly idHigh: number;
  readonly idLow: number;
}

interface Copy {
  readonly file: DiskFile;
  endBytes: number;
  /** A write or sync failed: what it holds beyond `endBytes` is unknown, so nothing more is written to it. */
  isFailed: boolean;
}

interface Waiting {
  readonly entry: JournalEntry;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Ids of needles removed from an erasure-coded volume (`.ecj`): 8 bytes each, big-endian, one copy in each folder that has
 * shards. A removal is durable when one copy has it; the copies are read together.
 */
export class DeletionJournal {
  readonly #copies: readonly Copy[];
  readonly #log: Log;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  /**
   * Opens the copies at `paths`, made when absent, and gives what they hold. A copy that cannot be opened is left out, unless
   * there is none that can be read: what was removed would come back. Throws `DiskError`.
   */
  static async open(
    deps: { readonly disk: Disk; readonly log: Log },
    paths: readonly string[],
  ): Promise<{ readonly journal: DeletionJournal; readonly entries: readonly JournalEntry[] }> {
    const copies: Copy[] = [];
    const entries: JournalEntry[] = [];
    let failure: unknown;
    let isRead = false;
    for (const path of paths) {
      try {
        const isThere = await deps.disk.exists(path);
        const file = await deps.disk.open(path, { access: "read-write", create: true });
        copies.push({ file, endBytes: await readEntries(file, entries), isFailed: false });
        isRead ||= isThere;
      } catch (error) {
        failure = error;
        deps.log.error("a journal of removals cannot be opened", { path, error });
      }
    }
    if (failure === undefined || isRead) {
      return { journal: new DeletionJournal(copies, deps.log), entries };
    }
    await Promise.all(copies.map((copy) => copy.file.close()));
    throw failure;
  }

  private constructor(copies: readonly Copy[], log: Log) {
    this.#copies = copies;
    this.#log = log;
  }

  /** Resolves when the removal is on stable storage. Throws `overloaded`, `out-of-space`, `volume-failed`. */
  append(entry: JournalEntry): Promise<void> {
    if (this.#waiting.length >= QUEUE_COUNT_MAX) {
      return Promise.reject(
        new VolumeError("overloaded", "Cannot remove a needle: too many removals are waiting"),
      );
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      this.#writing ??= this.#write();
    });
  }

  /** Waits for what is under way, then closes the copies. */
  async close(): Promise<void> {
    await this.#writing;
    await Promise.all(this.#copies.map((copy) => copy.file.close()));
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const bytes = Buffer.alloc(batch.length * ENTRY_BYTES);
      for (const [index, { entry }] of batch.entries()) {
        bytes.writeUInt32BE(entry.idHigh, index * ENTRY_BYTES);
        bytes.writeUInt32BE(entry.idLow, index * ENTRY_BYTES + 4);
      }
      const results = await Promise.all(this.#copies.map((copy) => this.#add(copy, bytes)));
      const isDurable = results.some((result) => result === "durable");
      for (const { resolve, reject } of batch) {
        if (isDurable) resolve();
        else reject(notWritten());
      }
    }
    // In the same turn as the last look at what waits, so that a removal cannot slip between.
    this.#writing = undefined;
  }

  async #add(copy: Copy, bytes: Buffer): Promise<"durable" | "failed"> {
    if (copy.isFailed) return "failed";
    try {
      await copy.file.writeAt([bytes], copy.endBytes);
      await copy.file.sync();
    } catch (error) {
      copy.isFailed = true;
      this.#log.error("a journal of removals cannot be written", { path: copy.file.path, error });
      return "failed";
    }
    copy.endBytes += bytes.length;
    return "durable";
  }
}

/** Adds what a copy holds to `entries`; returns where its last whole entry ends. */
async function readEntries(file: DiskFile, entries: JournalEntry[]): Promise<number> {
  const bytes = Buffer.alloc(await file.sizeBytes());
  const count = await file.readAt(bytes, 0);
  const endBytes = count - (count % ENTRY_BYTES);
  for (let at = 0; at < endBytes; at += ENTRY_BYTES) {
    entries.push({ idHigh: bytes.readUInt32BE(at), idLow: bytes.readUInt32BE(at + 4) });
  }
  assert(endBytes % ENTRY_BYTES === 0, "a journal holds whole entries");
  return endBytes;
}

function notWritten(): VolumeError {
  return new VolumeError(
    "volume-failed",
    "Cannot remove a needle: no journal of removals can be written",
  );
}
