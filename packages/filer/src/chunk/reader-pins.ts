import type { Chunk, Entry, Fid } from "@kelp/wire";

/** Content that is being read now. Its chunks are not freed before the last reader is done, however long that takes. */
export class ReaderPins {
  readonly #counts = new Map<string, number>();

  /** Content is known by its first chunk: chunks are never shared. */
  pin(entry: Entry): Disposable {
    const first = entry.content.kind === "chunks" ? entry.content.chunks[0] : undefined;
    if (first === undefined) return { [Symbol.dispose]: () => undefined };
    const name = nameOf(first.fid);
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + 1);
    return { [Symbol.dispose]: () => this.#unpin(name) };
  }

  holds(chunks: readonly Chunk[]): boolean {
    const first = chunks[0];
    return first !== undefined && this.holdsFirst(first.fid);
  }

  /** Whether content is held that begins with this chunk. */
  holdsFirst(fid: Fid): boolean {
    return this.#counts.has(nameOf(fid));
  }

  #unpin(name: string): void {
    const count = (this.#counts.get(name) ?? 1) - 1;
    if (count > 0) this.#counts.set(name, count);
    else this.#counts.delete(name);
  }
}

function nameOf(fid: Fid): string {
  return `${fid.volumeId},${fid.needleId}`;
}
