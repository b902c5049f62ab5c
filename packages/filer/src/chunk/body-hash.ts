import { type Hasher, type HasherApart, type Hashes, must } from "@kelp/base";

/**
 * The MD5 of a body that is being cut into chunks: made on another thread, chunk by chunk, or here where there is none.
 *
 * `part` and `cut` see the same bytes: parts as they come, and each chunk when it is cut.
 */
export class BodyHash implements Disposable {
  readonly #apart: HasherApart | undefined;
  readonly #here: Hasher | undefined;

  constructor(hashes: Pick<Hashes, "create" | "createMd5Apart">) {
    this.#apart = hashes.createMd5Apart();
    if (this.#apart === undefined) this.#here = hashes.create("md5");
  }

  /** The next bytes of the body, wherever they lie. */
  part(bytes: Uint8Array): void {
    this.#here?.update(bytes);
  }

  /**
   * The next chunk of the body. A promise resolves when its memory is no longer looked at, and never rejects: what failed
   * is told by `digest`.
   */
  cut(chunk: Uint8Array): Promise<void> | undefined {
    return this.#apart?.update(chunk).catch(ignoreFailure);
  }

  /** Nothing but their hash keeps the chunks that were cut: it waits for no other body any more. */
  hurry(): void {
    this.#apart?.hurry();
  }

  /** After the last chunk. Rejects when the other thread failed. */
  async digest(): Promise<Uint8Array> {
    return this.#apart === undefined ? must(this.#here).digest() : this.#apart.digest();
  }

  [Symbol.dispose](): void {
    this.#apart?.[Symbol.dispose]();
  }
}

/** A hasher that failed says so again when it is asked for the digest. */
function ignoreFailure(): void {
  // Deliberately empty.
}
