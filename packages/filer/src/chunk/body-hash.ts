import { type Hasher, type HasherApart, type Hashes, must } from "@kelp/base";

/**
 * The MD5 of a body that is being cut into chunks. A body that fills a chunk is hashed on another thread if one is free:
 * MD5 alone takes as long as all else that is done with its bytes. All others are hashed here.
 *
 * `part` and `cut` see the same bytes: parts as they come, and each chunk when it is cut. Until the first is cut it is not
 * known who hashes, so that this one is hashed whole.
 */
export class BodyHash implements Disposable {
  readonly #hashes: Pick<Hashes, "create" | "createApart">;
  #here: Hasher | undefined;
  #apart: HasherApart | undefined;

  constructor(hashes: Pick<Hashes, "create" | "createApart">) {
    this.#hashes = hashes;
  }

  /** The next bytes of the body, wherever they lie. */
  part(bytes: Uint8Array): void {
    this.#here?.update(bytes);
  }

  /**
   * The next chunk of the body. A promise resolves when its memory is no longer looked at, and never rejects: what failed
   * is told by `digest`.
   */
  cut(chunk: Uint8Array, size: "whole" | "last"): Promise<void> | undefined {
    if (this.#here !== undefined) return undefined;
    if (size === "whole") this.#apart ??= this.#hashes.createApart("md5");
    if (this.#apart !== undefined) return this.#apart.update(chunk).catch(ignoreFailure);
    this.#here = this.#hashes.create("md5");
    this.#here.update(chunk);
    return undefined;
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
