/**
 * Master keys that never leave their keeper: a file, the environment, or a key management service. What they wrap are
 * other keys: those of the store's own key ring, and the data keys of server-side encryption.
 *
 * Implementations must:
 * - authenticate the context together with the wrapped key: with another context it does not unwrap;
 * - keep the id of a key for as long as something is wrapped by it;
 * - never log a key, and never put one into an error.
 */
export interface KeyManagement {
  /** The key that wraps when none is named. Ids are no secrets. */
  readonly currentKeyId: string;
  hasKey(keyId: string): Promise<boolean>;
  /** `key` is the caller's. Throws `KeyManagementError`. */
  wrap(request: WrapKey): Promise<WrappedKey>;
  /** The caller owns the result. Throws `KeyManagementError`. */
  unwrap(wrapped: WrappedKey, context: KeyContext): Promise<Uint8Array>;
  /** A fresh random key of 32 bytes, in clear and wrapped. Throws `KeyManagementError`. */
  generateDataKey(request: GenerateDataKey): Promise<DataKey>;
}

/** What a wrapped key is for, as names and values; not secret. */
export type KeyContext = Readonly<Record<string, string>>;

export interface WrapKey {
  readonly key: Uint8Array;
  readonly context: KeyContext;
  /** Default `currentKeyId`. */
  readonly keyId?: string;
}

export interface GenerateDataKey {
  readonly context: KeyContext;
  /** Default `currentKeyId`. */
  readonly keyId?: string;
}

export interface WrappedKey {
  /** The master key that unwraps it. */
  readonly keyId: string;
  /** Of the keeper's own form. */
  readonly bytes: Uint8Array;
}

export interface DataKey {
  readonly key: Uint8Array;
  readonly wrapped: WrappedKey;
}

/**
 * - `no-such-key`    the keeper has no master key of that id
 * - `not-authentic`  the wrapped key, or its context, is not what was wrapped
 * - `unavailable`    the keeper could not be asked; try again
 */
export type KeyManagementErrorCode = "no-such-key" | "not-authentic" | "unavailable";

export class KeyManagementError extends Error {
  override readonly name = "KeyManagementError";
  readonly code: KeyManagementErrorCode;

  constructor(
    code: KeyManagementErrorCode,
    message: string,
    options?: { readonly cause?: unknown },
  ) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
  }
}

/** Keeps texts secret at rest: what a room writes into a database of its own, such as the secrets of access keys. */
export interface TextSealer {
  /** `purpose` says what the text is, and of whom: a sealed text opens for no other purpose. */
  sealText(text: string, purpose: string): string;
  /** `undefined` when the sealed text is damaged, or was sealed for another purpose or by other keys. */
  openText(sealed: string, purpose: string): string | undefined;
}
