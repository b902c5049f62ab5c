export type IamErrorCode =
  /** The name has other characters than allowed, or is too long. */
  | "invalid-name"
  /** The name belongs to a principal that is not an identity. */
  | "reserved-name"
  /** The text is no action of this store, or its scope cannot be read. */
  | "unknown-action"
  /** The statement has an unknown effect, or patterns that cannot be read. */
  | "invalid-statement"
  /** The access key id or its secret has other characters than allowed, or a wrong length. */
  | "invalid-key"
  /** The access key id is in use. */
  | "key-exists"
  /** A sealed secret does not open: it is damaged, or sealed by other keys. */
  | "secret-damaged"
  /** The row of the access key does not match its checksum. */
  | "key-damaged"
  | "no-such-identity"
  /** A limit of `limits.ts` is reached. */
  | "limit-exceeded";

/** A change to identities that cannot be made. Messages hold no secrets. */
export class IamError extends Error {
  override readonly name = "IamError";
  readonly code: IamErrorCode;

  constructor(code: IamErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
