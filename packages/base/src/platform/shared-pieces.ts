import { must } from "../assert.ts";

/**
 * Bytes on their way to a thread that works on shared memory. A thread that is sent the same buffer again gets another object for it, and to its
 * collector each of them is as large as the buffer: with 4 MiB a message it does little else. So a buffer is sent once and keeps a place
 * on the other side, as long as others do not need it.
 */
export type SentPiece =
  | { readonly kind: "copied"; readonly bytes: Uint8Array }
  | {
      readonly kind: "shared";
      readonly place: number;
      /** What stands at the place from here on; absent when it is there already. */
      readonly memory: SharedArrayBuffer | undefined;
      readonly offsetBytes: number;
      readonly sizeBytes: number;
    };

/** Buffers kept on both sides. */
export const SENT_BUFFERS_MAX = 32;

/** The side that lends. What it sends has to arrive, in order, at one receiver. */
export class PieceSender {
  readonly #places = new Map<SharedArrayBuffer, number>();
  /** What stands where. */
  readonly #sent: SharedArrayBuffer[] = [];
  #nextPlace = 0;

  /** Shared bytes are lent as they lie, others copied when they are posted. */
  send(bytes: Uint8Array): SentPiece {
    const { buffer: memory, byteOffset: offsetBytes, length: sizeBytes } = bytes;
    if (!(memory instanceof SharedArrayBuffer)) return { kind: "copied", bytes };
    const known = this.#places.get(memory);
    if (known !== undefined) {
      return { kind: "shared", place: known, memory: undefined, offsetBytes, sizeBytes };
    }
    return { kind: "shared", place: this.#put(memory), memory, offsetBytes, sizeBytes };
  }

  /** Forgets what was sent; the receiver has to forget it as well, before it receives anything more. */
  forget(): void {
    this.#places.clear();
    this.#sent.length = 0;
    this.#nextPlace = 0;
  }

  #put(memory: SharedArrayBuffer): number {
    const place = this.#nextPlace;
    this.#nextPlace = (place + 1) % SENT_BUFFERS_MAX;
    const earlier = this.#sent[place];
    if (earlier !== undefined) this.#places.delete(earlier);
    this.#sent[place] = memory;
    this.#places.set(memory, place);
    return place;
  }
}

/** The side that is lent to. */
export class PieceReceiver {
  /** Whole buffers: while one view of a buffer lives, further ones weigh nothing to the collector. */
  readonly #places: Uint8Array[] = [];

  /** The bytes of a piece, where they lie. */
  receive(piece: SentPiece): Uint8Array {
    if (piece.kind === "copied") return piece.bytes;
    const { place, memory, offsetBytes, sizeBytes } = piece;
    if (memory !== undefined) this.#places[place] = new Uint8Array(memory);
    return must(this.#places[place]).subarray(offsetBytes, offsetBytes + sizeBytes);
  }

  forget(): void {
    this.#places.length = 0;
  }
}
