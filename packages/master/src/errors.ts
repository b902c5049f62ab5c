/**
 * Why no needle can be placed:
 * - `no-writable-volume`  none of the collection takes needles, and none could be made
 * - `out-of-space`        the same, because the disk is full or nearly so
 * - `invalid-request`     a count that is not allowed
 * - `closed`              the master is closed
 */
export type MasterErrorCode = "no-writable-volume" | "out-of-space" | "invalid-request" | "closed";

export class MasterError extends Error {
  override readonly name = "MasterError";
  readonly code: MasterErrorCode;

  constructor(code: MasterErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}
