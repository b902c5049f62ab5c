import { BackupError, type BackupErrorCode } from "@kelp/filer";
import { isFullDisk } from "../folder/full-disk.ts";

/** Does some work; where it ends for want of space on a disk that is not the target, that is a `BackupError` which says so. */
export async function tellingFullDisk<Value>(
  full: { readonly code: BackupErrorCode; readonly message: string },
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BackupError || !isFullDisk(error)) throw error;
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
