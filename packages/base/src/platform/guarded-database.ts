import * as fs from "node:fs";
import { dirname } from "node:path";
import type { SqlDatabase } from "../database.ts";
import { DiskError } from "../disk.ts";
import { openDatabase } from "./database.ts";
import { type LogBytes, type LogState, inspectLog } from "./write-ahead-log.ts";

/** The write-ahead log of a database is damaged, and committed transactions are behind the damage. */
export class DamagedLogError extends Error {
  override readonly name = "DamagedLogError";
  readonly code = "log-damaged";
  readonly logPath: string;

  constructor(logPath: string, offset: number) {
    super(
      `Cannot open ${logPath}: it is damaged at byte ${offset}, and committed transactions are behind that`,
    );
    this.logPath = logPath;
  }
}

/** A log that was cut off where it is damaged. A copy of it as it was is kept, on stable storage. */
export interface CutLog {
  readonly logPath: string;
  readonly keptPath: string;
  /** Where it ends now. */
  readonly offset: number;
}

export interface GuardOptions {
  readonly damagedLog: "refuse" | "accept-loss";
  /** Names the copy. */
  readonly nowMs: number;
  readonly onCut: (cut: CutLog) => void;
}

/**
 * Opens a database for writing as `openDatabase` does, but not on a damaged log: SQLite would take the damage for the
 * end, and the committed transactions behind it would be gone without a word. No other process may use the database. Throws
 * `DamagedLogError`, and `DiskError` when the log cannot be read or cut.
 *
 * The log is folded into the database at once. So frames of one unfinished transaction at most are in a log, which is
 * what the guard counts on the next time.
 */
export function openGuardedDatabase(path: string, options: GuardOptions): SqlDatabase {
  guardLog(`${path}-wal`, options);
  const database = openDatabase(path);
  foldLog(database);
  return database;
}

function guardLog(logPath: string, options: GuardOptions): void {
  if (!fs.existsSync(logPath)) return;
  const state = attempt("read", logPath, () => inspectFile(logPath));
  if (state.kind === "whole") return;
  const { offset } = state;
  if (options.damagedLog === "refuse") throw new DamagedLogError(logPath, offset);
  const keptPath = `${logPath}.kept-${options.nowMs}`;
  attempt("copy", logPath, () => keepCopy(logPath, keptPath));
  attempt("truncate", logPath, () => cutOff(logPath, offset));
  options.onCut({ logPath, keptPath, offset });
}

/** Not when somebody else reads: then the log stays as it is. A full disk is met where something is to be written. */
function foldLog(database: SqlDatabase): void {
  database.execute("PRAGMA busy_timeout = 0");
  try {
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // The log is whole and stays in use.
  }
  database.execute("PRAGMA busy_timeout = 5000");
}

function inspectFile(path: string): LogState {
  return withFile(path, "r", (file) => {
    const log: LogBytes = {
      sizeBytes: fs.fstatSync(file).size,
      read: (offset, sizeBytes) => {
        const bytes = new Uint8Array(sizeBytes);
        for (let at = 0; at < sizeBytes;) {
          const count = fs.readSync(file, bytes, at, sizeBytes - at, offset + at);
          if (count === 0) throw Object.assign(new Error("the file has shrunk"), { code: "EIO" });
          at += count;
        }
        return bytes;
      },
    };
    return inspectLog(log);
  });
}

function keepCopy(source: string, target: string): void {
  fs.copyFileSync(source, target, fs.constants.COPYFILE_EXCL);
  withFile(target, "r+", (file) => fs.fsyncSync(file));
  withFile(dirname(target), "r", (folder) => fs.fsyncSync(folder));
}

function cutOff(path: string, sizeBytes: number): void {
  withFile(path, "r+", (file) => {
    fs.ftruncateSync(file, sizeBytes);
    fs.fsyncSync(file);
  });
}

function withFile<Value>(path: string, flags: string, work: (file: number) => Value): Value {
  const file = fs.openSync(path, flags);
  try {
    return work(file);
  } finally {
    fs.closeSync(file);
  }
}

function attempt<Value>(action: string, path: string, run: () => Value): Value {
  try {
    return run();
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "UNKNOWN";
    throw new DiskError(action, path, code, error);
  }
}
