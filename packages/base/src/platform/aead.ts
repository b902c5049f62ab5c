import { createCipheriv, createDecipheriv } from "node:crypto";
import { type Aead, SEAL_NONCE_BYTES, SEAL_OVERHEAD_BYTES, SEAL_TAG_BYTES } from "../aead.ts";
import { assert } from "../assert.ts";

const ALGORITHM = "aes-256-gcm";
/**
 * Encrypted at once: the cipher allocates what it returns, and memory of this size stays in the cache of the processor
 * until it is copied on. Whole chunks of 2 MiB take a third more time.
 */
const STEP_BYTES = 64 * 1024;

/** The runtime's own AES-GCM. */
export const systemAead: Aead = {
  seal({ key, nonce, data, context }) {
    assert(nonce.length === SEAL_NONCE_BYTES, "a nonce has its size");
    const cipher = createCipheriv(ALGORITHM, key, nonce);
    cipher.setAAD(context);
    const sealed = Buffer.allocUnsafeSlow(data.length + SEAL_OVERHEAD_BYTES);
    sealed.set(nonce);
    transform(cipher, data, sealed.subarray(SEAL_NONCE_BYTES));
    cipher.final();
    sealed.set(cipher.getAuthTag(), SEAL_NONCE_BYTES + data.length);
    return sealed;
  },
  open({ key, sealed, context, memory }) {
    if (sealed.length < SEAL_OVERHEAD_BYTES) return undefined;
    const end = sealed.length - SEAL_TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, key, sealed.subarray(0, SEAL_NONCE_BYTES));
    decipher.setAAD(context);
    decipher.setAuthTag(sealed.subarray(end));
    const ciphertext = sealed.subarray(SEAL_NONCE_BYTES, end);
    const target = memory === "taken" ? ciphertext : Buffer.allocUnsafeSlow(ciphertext.length);
    transform(decipher, ciphertext, target);
    try {
      decipher.final();
    } catch {
      // The one thing that it says of a tag that does not fit. What was deciphered so far must reach nobody.
      target.fill(0);
      return undefined;
    }
    return target;
  },
};

/** Source and target may be the same memory: a step is read before it is written. */
function transform(
  cipher: { update(data: Uint8Array): Uint8Array },
  source: Uint8Array,
  target: Uint8Array,
): void {
  for (let start = 0; start < source.length; start += STEP_BYTES) {
    const step = cipher.update(source.subarray(start, start + STEP_BYTES));
    target.set(step, start);
    giveBack(step);
  }
}

/**
 * The cipher's own memory of a whole step, at once: left to the collector, that of some concurrent reads was hundreds of
 * megabytes. Memory of less may be the runtime's, which others share.
 */
function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength === STEP_BYTES) buffer.transfer(0);
}
