/** What a caller of lineage can get wrong. */
export type LineageErrorCode = "invalid-page";

export class LineageError extends Error {
  override readonly name = "LineageError";
  readonly code: LineageErrorCode;

  constructor(code: LineageErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
