import { errorCodes } from "@kelp/filer";

/** What a disk, a volume and a database say when there is no space. */
const FULL_CODES: ReadonlySet<string> = new Set([
  "ENOSPC",
  "EDQUOT",
  "EFBIG",
  "SQLITE_FULL",
  "out-of-space",
]);

/** Whether an error, or what caused it, is that a disk has no space left. */
export function isFullDisk(error: unknown): boolean {
  return errorCodes(error).some((code) => FULL_CODES.has(code));
}
