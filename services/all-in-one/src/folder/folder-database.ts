import type { Log, SqlDatabase } from "@kelp/base";
import { DamagedLogError, openGuardedDatabase, systemClock } from "@kelp/base/platform";
import { StartError } from "../errors.ts";
import type { DataFolder } from "./data-folder.ts";

/** What happens when rot is found in the log of a database, and transactions behind it would be lost. */
export type DamagedLogChoice = "refuse" | "accept-loss";

/**
 * Opens a database of a folder that this process holds. Throws `StartError` `log-damaged` when the database's log is damaged,
 * unless the loss is accepted: then the log tells where it is kept as it was.
 */
export function openFolderDatabase(
  folder: DataFolder,
  name: "filer" | "iam" | "pipelines",
  options: { readonly damagedLog: DamagedLogChoice; readonly log: Log },
): SqlDatabase {
  try {
    return openGuardedDatabase(folder.file(name), {
      damagedLog: options.damagedLog,
      nowMs: systemClock.nowMs(),
      onCut: ({ logPath, keptPath, offset }) => {
        options.log.warn(
          "a database's log is cut off where it is damaged; transactions behind that are lost",
          { path: logPath, offset_bytes: offset, kept_path: keptPath },
        );
      },
    });
  } catch (error) {
    if (!(error instanceof DamagedLogError)) throw error;
    throw new StartError(
      "log-damaged",
      `${error.message}; restore the folder from a backup, or start with --database.damaged-log accept-loss, which keeps a copy of the log and goes on without them`,
      { cause: error },
    );
  }
}
