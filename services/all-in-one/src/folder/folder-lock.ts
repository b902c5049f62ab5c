import { Database } from "bun:sqlite";
import { StartError } from "../errors.ts";
import { errorText } from "./error-text.ts";
import { readServerState } from "./server-state.ts";

/**
 * One process per data folder. The lock is an open exclusive transaction of an SQLite file, so the system's own file
 * lock stands behind it: it ends with the process, however that ends, and no stale lock can be left behind.
 *
 * Nothing is ever written to it, nor to a journal beside it: a full disk can be locked as well.
 *
 * NOTE: nothing else in this process may open that file: closing any handle to it would drop the system's lock.
 */
export class FolderLock implements Disposable {
  #database: Database | undefined;

  private constructor(database: Database) {
    this.#database = database;
  }

  /** Throws `StartError` `folder-in-use` at once when another process holds it. */
  static take(lockFile: string, folder: string, stateFile: string): FolderLock {
    const database = openLockFile(lockFile, folder);
    try {
      database.exec("PRAGMA journal_mode=MEMORY; PRAGMA busy_timeout=0; BEGIN EXCLUSIVE");
      return new FolderLock(database);
    } catch (error) {
      database.close();
      if (!/locked|busy/i.test(errorText(error))) {
        const message = `Cannot lock ${folder}: ${errorText(error)}`;
        throw new StartError("folder-unusable", message, { cause: error });
      }
      const holder = readServerState(stateFile);
      const who =
        holder === undefined ? "another Kelp process" : `another server (process ${holder.pid})`;
      const message = `Cannot use ${folder}: ${who} is using it; stop that one or name another folder with --dir`;
      throw new StartError("folder-in-use", message, { cause: error });
    }
  }

  [Symbol.dispose](): void {
    this.#database?.close();
    this.#database = undefined;
  }
}

function openLockFile(path: string, folder: string): Database {
  try {
    return new Database(path, { create: true, readwrite: true });
  } catch (error) {
    const message = `Cannot use ${folder} as data folder: ${errorText(error)}`;
    throw new StartError("folder-unusable", message, { cause: error });
  }
}
