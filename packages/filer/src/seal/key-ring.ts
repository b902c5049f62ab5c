import {
  type Aead,
  type Hashes,
  type Random,
  SEAL_KEY_BYTES,
  SEAL_NONCE_BYTES,
  SEAL_OVERHEAD_BYTES,
  assert,
  base64,
  hex,
  joinBytes,
  must,
  parseBase64,
  utf8,
  utf8Text,
} from "@kelp/base";
import type { TextSealer } from "@kelp/wire";
import { SEALED_VALUE_OVERHEAD_BYTES } from "./stored-bytes.ts";
import { VALUE_KEYS_CACHED_MAX, VALUE_KEY_SEALS_MAX } from "../limits.ts";

/**
 * A sealed value:
 *
 *   offset  size  field
 *        0     1  version, 1
 *        1     4  number of the ring key, big endian
 *        5    16  salt: the value key is HMAC-SHA-256(ring key, domain ‖ salt)
 *       21     n  nonce ‖ ciphertext ‖ tag, sealed with the value key
 *
 * Each process seals with value keys of its own, under fresh salts. Random nonces are only safe for some 2³² values of one
 * key, which a busy store writes in days; and a folder that was copied or restored would repeat counted ones.
 */
const VERSION = 1;
const SALT_BYTES = 16;
const HEADER_BYTES = SEALED_VALUE_OVERHEAD_BYTES - SEAL_OVERHEAD_BYTES;

const VALUE_KEY_DOMAIN = utf8("kelp value key 1");

export interface KeyRingDeps {
  readonly aead: Aead;
  readonly hashes: Pick<Hashes, "hmacSha256">;
  readonly random: Pick<Random, "bytes">;
}

interface ValueKey {
  readonly header: Uint8Array;
  readonly key: Uint8Array;
  sealsLeft: number;
}

/**
 * The keys that seal what the store keeps, unwrapped, in memory. The newest seals, all open. Synchronous: whatever is written
 * in one transaction is sealed in it.
 */
export class KeyRing implements TextSealer {
  readonly #deps: KeyRingDeps;
  readonly #keys: ReadonlyMap<number, Uint8Array>;
  readonly #newest: number;
  readonly #opening = new Map<string, Uint8Array>();
  readonly #sealsMax: number;
  #sealing: ValueKey | undefined;

  /** `keys` by number, at least one. `sealsMax` is for tests: values sealed before the value key changes. */
  constructor(
    deps: KeyRingDeps,
    keys: ReadonlyMap<number, Uint8Array>,
    sealsMax = VALUE_KEY_SEALS_MAX,
  ) {
    assert(keys.size > 0, "a ring has a key");
    for (const key of keys.values())
      assert(key.length === SEAL_KEY_BYTES, "a ring key has its size");
    this.#deps = deps;
    this.#keys = keys;
    this.#newest = Math.max(...keys.keys());
    this.#sealsMax = sealsMax;
  }

  /** What another process of this server needs to open and seal the same values. Secret. */
  get keys(): ReadonlyMap<number, Uint8Array> {
    return this.#keys;
  }

  get aead(): Aead {
    return this.#deps.aead;
  }

  freshBytes(count: number): Uint8Array {
    return this.#deps.random.bytes(count);
  }

  /** `context` says what the value is and where it stands: it opens as nothing else. A fresh buffer. */
  seal(data: Uint8Array, context: Uint8Array): Uint8Array {
    const valueKey = this.#valueKey();
    valueKey.sealsLeft -= 1;
    const nonce = this.#deps.random.bytes(SEAL_NONCE_BYTES);
    const sealed = this.#deps.aead.seal({ key: valueKey.key, nonce, data, context });
    return joinBytes([valueKey.header, sealed]);
  }

  /** `undefined` when it is damaged, belongs elsewhere, or was sealed by a ring that this is not. `sealed` stays as it is. */
  open(sealed: Uint8Array, context: Uint8Array): Uint8Array | undefined {
    if (sealed.length < SEALED_VALUE_OVERHEAD_BYTES || sealed[0] !== VERSION) return undefined;
    const key = this.#openingKey(sealed.subarray(1, HEADER_BYTES));
    if (key === undefined) return undefined;
    return this.#deps.aead.open({ key, sealed: sealed.subarray(HEADER_BYTES), context });
  }

  sealText(text: string, purpose: string): string {
    return base64(this.seal(utf8(text), utf8(purpose)));
  }

  openText(sealed: string, purpose: string): string | undefined {
    const bytes = parseBase64(sealed);
    const opened = bytes === undefined ? undefined : this.open(bytes, utf8(purpose));
    return opened === undefined ? undefined : utf8Text(opened);
  }

  #valueKey(): ValueKey {
    if (this.#sealing === undefined || this.#sealing.sealsLeft === 0) {
      const header = new Uint8Array(HEADER_BYTES);
      header[0] = VERSION;
      new DataView(header.buffer).setUint32(1, this.#newest);
      header.set(this.#deps.random.bytes(SALT_BYTES), 5);
      const key = this.#derive(must(this.#keys.get(this.#newest)), header.subarray(5));
      this.#sealing = { header, key, sealsLeft: this.#sealsMax };
    }
    return this.#sealing;
  }

  /** `place` is the number of the ring key and the salt. */
  #openingKey(place: Uint8Array): Uint8Array | undefined {
    const name = hex(place);
    const known = this.#opening.get(name);
    if (known !== undefined) return known;
    const number = new DataView(place.buffer, place.byteOffset, 4).getUint32(0);
    const ringKey = this.#keys.get(number);
    if (ringKey === undefined) return undefined;
    // A salt a start of the server: few are in use, and finding one again costs microseconds.
    if (this.#opening.size >= VALUE_KEYS_CACHED_MAX) this.#opening.clear();
    const key = this.#derive(ringKey, place.subarray(4));
    this.#opening.set(name, key);
    return key;
  }

  #derive(ringKey: Uint8Array, salt: Uint8Array): Uint8Array {
    return this.#deps.hashes.hmacSha256(ringKey, joinBytes([VALUE_KEY_DOMAIN, salt]));
  }
}
