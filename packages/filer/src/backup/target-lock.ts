import type { Clock, Hashes, Random } from "@kelp/base";
import { BackupError } from "../errors.ts";
import { TARGET_LOCK_STALE_MS } from "../limits.ts";
import type { BackupTarget } from "./backup-target.ts";
import { decodeChecked, encodeChecked } from "./checked-text.ts";

/** What is being done with a target. */
export interface TargetUse {
  readonly operation: "backup" | "restore" | "verification";
  /** Older backups are removed: nobody may be reading any. */
  readonly removes: boolean;
}

/** A process, as one on the same machine can look for it. */
export interface TargetUser {
  readonly host: string;
  readonly pid: number;
}

export interface TargetLockDeps {
  readonly clock: Pick<Clock, "nowMs">;
  readonly random: Pick<Random, "uuid">;
  readonly hashes: Pick<Hashes, "digest">;
  readonly user: TargetUser;
  /** Whether that process is known to have ended. */
  readonly hasEnded: (user: TargetUser) => boolean;
}

interface LockEntry extends TargetUse, TargetUser {
  readonly startedMs: number;
  readonly renewedMs: number;
}

const LOCKS = "locks/";

/**
 * Who uses a target, as pieces in it, one for each user: `locks/ID.json`. Whoever comes writes its own first and then looks at all others, so of
 * two that exclude each other at least one sees the other, whatever the place can or cannot do atomically; both give up when both do. An entry is
 * left over when its process has ended, or when it was not renewed for `TARGET_LOCK_STALE_MS`; ids are never used again, so
 * removing one that is left over never removes another's. Two backups exclude each other, and one that removes backups excludes everybody.
 */
export class TargetLock implements AsyncDisposable {
  readonly #target: BackupTarget;
  readonly #deps: TargetLockDeps;
  readonly #name: string;
  #entry: LockEntry;
  #isWritten = true;
  #isEnded = false;

  private constructor(target: BackupTarget, deps: TargetLockDeps, entry: LockEntry) {
    this.#target = target;
    this.#deps = deps;
    this.#entry = entry;
    this.#name = `${LOCKS}${deps.random.uuid()}.json`;
  }

  /**
   * Throws `BackupError` `target-in-use`, which says by whom. Who only reads goes on without an entry where none can be written: the place
   * may be one that nobody writes to.
   */
  static async take(
    target: BackupTarget,
    use: TargetUse,
    deps: TargetLockDeps,
  ): Promise<TargetLock> {
    const nowMs = deps.clock.nowMs();
    const entry = { ...use, ...deps.user, startedMs: nowMs, renewedMs: nowMs };
    const lock = new TargetLock(target, deps, entry);
    await lock.#write();
    try {
      await lock.#refuseOthers();
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
    return lock;
  }

  /** Says that the user is alive: to be called well within `TARGET_LOCK_STALE_MS`. A failure is made good by the next call. */
  async renew(): Promise<void> {
    if (this.#isEnded || !this.#isWritten) return;
    try {
      // One that others removed is not written again: they work there now.
      if ((await this.#target.read(this.#name)) === undefined) return;
      this.#entry = { ...this.#entry, renewedMs: this.#deps.clock.nowMs() };
      await this.#write();
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
    }
    // Ended meanwhile: what was just written would be left over.
    if (this.#isEnded) await this.#remove();
  }

  /** Throws `BackupError` `target-in-use` when others took this user for dead: to be asked before anything is made visible or removed. */
  async assure(): Promise<void> {
    if (!this.#isWritten || (await this.#target.read(this.#name)) !== undefined) return;
    throw new BackupError(
      "target-in-use",
      "the lock of this process is gone from there: another one took it for dead, or the place is not the one that it was; begin again",
    );
  }

  /** Removes the entry; one that cannot be removed is found to be left over later. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#isWritten) await this.#remove();
  }

  async #write(): Promise<void> {
    try {
      await this.#target.write(this.#name, encodeChecked(this.#entry, this.#deps.hashes));
    } catch (error) {
      const isReader = this.#entry.operation !== "backup";
      if (!isReader || !(error instanceof BackupError)) throw error;
      this.#isWritten = false;
    }
  }

  async #remove(): Promise<void> {
    try {
      await this.#target.remove(this.#name);
    } catch (error) {
      if (!(error instanceof BackupError)) throw error;
    }
  }

  async #refuseOthers(): Promise<void> {
    for (const name of await this.#target.list(LOCKS)) {
      if (name === this.#name) continue;
      const other = await this.#read(name);
      if (other === undefined) continue;
      if (this.#isLeftOver(other)) {
        // Readers may be unable to, and need not.
        if (this.#isWritten) await this.#target.remove(name);
      } else if (excludes(this.#entry, other)) {
        throw new BackupError("target-in-use", describe(other, name));
      }
    }
  }

  /** `undefined`: it has ended meanwhile. */
  async #read(name: string): Promise<LockEntry | undefined> {
    const bytes = await this.#target.read(name);
    if (bytes === undefined) return undefined;
    const value = decodeChecked(name, bytes, this.#deps.hashes);
    if (isEntry(value)) return value;
    throw new BackupError(
      "backup-damaged",
      `${name} is no lock; remove it when nobody works there`,
    );
  }

  #isLeftOver({ host, pid, renewedMs }: LockEntry): boolean {
    const { user, clock, hasEnded } = this.#deps;
    if (host === user.host && (pid === user.pid || hasEnded({ host, pid }))) return true;
    return clock.nowMs() - renewedMs > TARGET_LOCK_STALE_MS;
  }
}

function excludes(left: TargetUse, right: TargetUse): boolean {
  const areBackups = left.operation === "backup" && right.operation === "backup";
  return areBackups || left.removes || right.removes;
}

function describe({ operation, host, pid, startedMs }: LockEntry, name: string): string {
  const since = new Date(startedMs).toISOString();
  return `a ${operation} of process ${pid} on ${host} uses it since ${since} (${name})`;
}

function isEntry(value: unknown): value is LockEntry {
  if (typeof value !== "object" || value === null) return false;
  const { operation, removes, host, pid, startedMs, renewedMs } = value as Partial<LockEntry>;
  return (
    (operation === "backup" || operation === "restore" || operation === "verification") &&
    typeof removes === "boolean" &&
    typeof host === "string" &&
    Number.isSafeInteger(pid) &&
    isDate(startedMs) &&
    isDate(renewedMs)
  );
}

/** What a `Date` can hold. */
function isDate(value: unknown): boolean {
  return typeof value === "number" && Math.abs(value) <= 8.64e15;
}
