import { Database } from "bun:sqlite";
import * as fs from "node:fs";
import { attempt } from "./attempt.ts";

const COPY_BYTES = 1024 * 1024;

/**
 * Copies an SQLite database in WAL mode that other processes may be writing: one state of it, with everything committed
 * before the call, page for page where it stood. The copy is a file and its log; opening it folds them together. Not durable.
 *
 * A reader's transaction is held meanwhile. A checkpoint writes nothing into the file that is newer than the reader, and the log
 * is not begun anew while a reader needs it; so file and log together are whole, whatever the copying met. (Where the
 * reader needs nothing of the log, the log may begin anew, and the file alone is whole: frames of two logs do not pass
 * SQLite's own check for one.)
 *
 * NOTE: nobody else in this process may have the database open: closing a file drops the system's locks of the process on it.
 * Throws `DiskError`, and what SQLite throws.
 */
export async function copyDatabase(source: string, target: string): Promise<void> {
  // Opened before the reader and closed after it, for the same reason.
  const file = await open(source, "r");
  try {
    const reader = new Database(source, { readwrite: true, create: false });
    try {
      reader.exec("PRAGMA busy_timeout=5000; PRAGMA query_only=ON; BEGIN");
      reader.prepare("SELECT count(*) FROM sqlite_master").get();
      await copy(file, target);
      const log = `${source}-wal`;
      if (fs.existsSync(log)) {
        const logFile = await open(log, "r");
        try {
          await copy(logFile, `${target}-wal`);
        } finally {
          await logFile.close();
        }
      }
      reader.exec("ROLLBACK");
    } finally {
      reader.close();
    }
  } finally {
    await file.close();
  }
}

async function copy(source: fs.promises.FileHandle, target: string): Promise<void> {
  const file = await open(target, "w");
  try {
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (let position = 0; ;) {
      const { bytesRead } = await attempt("read", target, () =>
        source.read(buffer, 0, buffer.length, position),
      );
      if (bytesRead === 0) return;
      await attempt("write", target, () => file.writeFile(buffer.subarray(0, bytesRead)));
      position += bytesRead;
    }
  } finally {
    await file.close();
  }
}

function open(path: string, flags: string): Promise<fs.promises.FileHandle> {
  return attempt("open", path, () => fs.promises.open(path, flags, 0o600));
}
