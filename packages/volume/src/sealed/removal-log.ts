import type { DiskFile, Log } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { MISSED_REMOVALS_BYTES_MAX, QUEUE_COUNT_MAX } from "../limits.ts";

/** One needle id as two halves. */
export interface RemovedId {
  readonly idHigh: number;
  readonly idLow: number;
}

/** A file to which removals are added. */
export interface RemovalCopy {
  readonly file: DiskFile;
  readonly endBytes: number;
}

interface Copy {
  readonly file: DiskFile;
  endBytes: number;
  /** Removals that only other copies have: a write or sync failed. They are written before the next ones, at `endBytes`. */
  missed: Uint8Array[];
  missedBytes: number;
  /** What it holds beyond `endBytes` is unknown, and nothing more is written to it. */
  isFailed: boolean;
}

interface Waiting {
  readonly entry: RemovedId;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Adds removals to the end of a file, or of several copies of it; those that come while a write is under way share the next one.
 * A removal is durable when one copy has it. The others get it with the next one: the copy that has it may be lost.
 */
export class RemovalLog {
  readonly #copies: readonly Copy[];
  readonly #encode: (entries: readonly RemovedId[]) => Uint8Array;
  readonly #log: Log;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;

  /** The files are the log's from now on. */
  constructor(
    copies: readonly RemovalCopy[],
    encode: (entries: readonly RemovedId[]) => Uint8Array,
    log: Log,
  ) {
    this.#copies = copies.map((copy) => ({
      ...copy,
      missed: [],
      missedBytes: 0,
      isFailed: false,
    }));
    this.#encode = encode;
    this.#log = log;
  }

  /** Resolves when the removal is on stable storage. Throws `overloaded`, `volume-failed`. */
  append(entry: RemovedId): Promise<void> {
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

  /** Waits for what is under way, then closes the files. */
  async close(): Promise<void> {
    await this.#writing;
    await Promise.all(this.#copies.map((copy) => copy.file.close()));
  }

  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      const bytes = this.#encode(batch.map(({ entry }) => entry));
      const results = await Promise.all(this.#copies.map((copy) => this.#add(copy, bytes)));
      const isDurable = results.includes("durable");
      for (const [index, copy] of this.#copies.entries()) {
        if (results[index] === "failed") miss(copy, bytes, { isDurable });
      }
      for (const { resolve, reject } of batch) {
        if (isDurable) resolve();
        else reject(notWritten());
      }
    }
    // In the same turn as the last look at what waits, so that a removal cannot slip between.
    this.#writing = undefined;
  }

  async #add(copy: Copy, bytes: Uint8Array): Promise<"durable" | "failed"> {
    if (copy.isFailed) return "failed";
    try {
      await copy.file.writeAt([...copy.missed, bytes], copy.endBytes);
      await copy.file.sync();
    } catch (error) {
      if (copy.missedBytes === 0) {
        this.#log.error("a removal cannot be written", { path: copy.file.path, error });
      }
      return "failed";
    }
    copy.endBytes += copy.missedBytes + bytes.length;
    copy.missed = [];
    copy.missedBytes = 0;
    return "durable";
  }
}

/** What no copy has was refused, and must not be taken for a removal later: then the copy is done with. */
function miss(copy: Copy, bytes: Uint8Array, { isDurable }: { readonly isDurable: boolean }): void {
  if (copy.isFailed) return;
  copy.isFailed = !isDurable || copy.missedBytes + bytes.length > MISSED_REMOVALS_BYTES_MAX;
  if (copy.isFailed) {
    copy.missed = [];
    copy.missedBytes = 0;
    return;
  }
  copy.missed.push(bytes);
  copy.missedBytes += bytes.length;
}

function notWritten(): VolumeError {
  return new VolumeError(
    "volume-failed",
    "Cannot remove a needle: no file can be written that would tell of it",
  );
}
