import { BackupError, type BackupErrorCode, errorCodes } from "@kelp/filer";

/** What a disk, a volume and a database say when there is no space. */
const FULL_CODES: ReadonlySet<string> = new Set([
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
  "SQLITE_FULL",
  "out-of-space",
]);

/** Does some work; where it ends for want of space on a disk that is not the target, that is a `BackupError` which says so. */
export async function tellingFullDisk<Value>(
  full: { readonly code: BackupErrorCode; readonly message: string },
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    const isTold = error instanceof BackupError;
    if (isTold || !errorCodes(error).some((code) => FULL_CODES.has(code))) throw error;
    throw new BackupError(full.code, full.message, { cause: error });
  }
}

/** For copies of databases beside or in the target. */
export function fullWorkFolder(workParent: string): {
  readonly code: BackupErrorCode;
  readonly message: string;
} {
  return {
    code: "work-full",
    message: `no space is left for copies of the databases in ${workParent}: make room, or name another folder with --work`,
  };
}
