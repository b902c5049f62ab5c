import {
  type Aead,
  type Hashes,
  type Random,
  SEAL_KEY_BYTES,
  SEAL_NONCE_BYTES,
  assert,
  hex,
  joinBytes,
  utf8,
} from "@kelp/base";
import {
  type DataKey,
  type GenerateDataKey,
  type KeyContext,
  type KeyManagement,
  KeyManagementError,
  type WrapKey,
  type WrappedKey,
} from "@kelp/wire";

export interface LocalMasterKeysOptions {
  /** `SEAL_KEY_BYTES` each. The first wraps, all unwrap. At least one. */
  readonly keys: readonly Uint8Array[];
  readonly aead: Aead;
  readonly hashes: Pick<Hashes, "digest">;
  readonly random: Pick<Random, "bytes">;
}

/**
 * Master keys held by this process itself, as a file or the environment gave them. Wrapped keys are one byte, the version 1,
 * then `nonce ‖ ciphertext ‖ tag`. A master key wraps so few keys that random nonces are safe for ever.
 */
export class LocalMasterKeys implements KeyManagement {
  readonly currentKeyId: string;
  readonly #options: LocalMasterKeysOptions;
  readonly #keys = new Map<string, Uint8Array>();

  constructor(options: LocalMasterKeysOptions) {
    this.#options = options;
    for (const key of options.keys) this.#keys.set(masterKeyId(key, options.hashes), key);
    const [first] = this.#keys.keys();
    assert(first !== undefined, "a keeper has a key");
    this.currentKeyId = first;
  }

  async hasKey(keyId: string): Promise<boolean> {
    return this.#keys.has(keyId);
  }

  async wrap({ key, context, keyId = this.currentKeyId }: WrapKey): Promise<WrappedKey> {
    const { aead, random } = this.#options;
    const sealed = aead.seal({
      key: this.#key(keyId),
      nonce: random.bytes(SEAL_NONCE_BYTES),
      data: key,
      context: contextBytes(context),
    });
    return { keyId, bytes: joinBytes([VERSION, sealed]) };
  }

  async unwrap(wrapped: WrappedKey, context: KeyContext): Promise<Uint8Array> {
    const key = this.#key(wrapped.keyId);
    const isKnown = wrapped.bytes[0] === VERSION[0];
    const sealed = wrapped.bytes.subarray(1);
    const opened = isKnown
      ? this.#options.aead.open({ key, sealed, context: contextBytes(context) })
      : undefined;
    if (opened === undefined) {
      throw new KeyManagementError(
        "not-authentic",
        `Cannot unwrap a key: it, or what it is for, is not what the master key ${wrapped.keyId} wrapped`,
      );
    }
    return opened;
  }

  async generateDataKey({ context, keyId }: GenerateDataKey): Promise<DataKey> {
    const key = this.#options.random.bytes(SEAL_KEY_BYTES);
    const wrapped = await this.wrap({ key, context, ...(keyId === undefined ? {} : { keyId }) });
    return { key, wrapped };
  }

  #key(keyId: string): Uint8Array {
    const key = this.#keys.get(keyId);
    if (key !== undefined) return key;
    throw new KeyManagementError("no-such-key", `There is no master key ${keyId}`);
  }
}

const VERSION = new Uint8Array([1]);
const ID_DOMAIN = utf8("kelp master key id\0");
const ID_BYTES = 8;

/** 16 hex digits that tell keys apart and say nothing of them. */
export function masterKeyId(key: Uint8Array, hashes: Pick<Hashes, "digest">): string {
  assert(key.length === SEAL_KEY_BYTES, "a master key has its size");
  return hex(hashes.digest("sha256", joinBytes([ID_DOMAIN, key])).subarray(0, ID_BYTES));
}

/** The same bytes for the same names and values, whatever their order. */
function contextBytes(context: KeyContext): Uint8Array {
  return utf8(JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))));
}
