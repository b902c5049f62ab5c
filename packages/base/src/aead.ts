/**
 * Authenticated encryption as a port: AES-256-GCM. Sealed bytes are `nonce ‖ ciphertext ‖ tag`, so they are
 * `SEAL_OVERHEAD_BYTES` longer than what they hold. `platform` makes it.
 *
 * Callers must never seal twice with the same key and nonce.
 */
export interface Aead {
  /** A fresh buffer. `context` is authenticated with the data, not stored: opening needs the same. */
  seal(request: SealBytes): Uint8Array;
  /** `undefined` when the bytes are not what was sealed with this key and context. Fresh, or in the place of `sealed`. */
  open(request: OpenBytes): Uint8Array | undefined;
}

export interface SealBytes {
  /** `SEAL_KEY_BYTES`. */
  readonly key: Uint8Array;
  /** `SEAL_NONCE_BYTES`. */
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
  readonly context: Uint8Array;
}

export interface OpenBytes {
  readonly key: Uint8Array;
  readonly sealed: Uint8Array;
  readonly context: Uint8Array;
  /** `taken`: `sealed` is overwritten, whatever comes of it, and the result is a view of it. Default `kept`. */
  readonly memory?: "kept" | "taken";
}

export const SEAL_KEY_BYTES = 32;
export const SEAL_NONCE_BYTES = 12;
export const SEAL_TAG_BYTES = 16;
export const SEAL_OVERHEAD_BYTES = SEAL_NONCE_BYTES + SEAL_TAG_BYTES;
