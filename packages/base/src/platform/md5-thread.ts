import { parentPort } from "node:worker_threads";
import { must } from "../assert.ts";
import { MD5_STATE_WORDS, moveMd5Lanes } from "../checksum/index.ts";
import { PieceReceiver, type SentPiece } from "./shared-pieces.ts";

/** What the thread is told: to hash, or to let go of the memory that it was lent. */
export type Md5Message = Md5Work | "forget";

/** Bodies to move on side by side; the answer is their new states. */
export interface Md5Work {
  /** `MD5_STATE_WORDS` for each body. */
  readonly states: Int32Array;
  /** The whole blocks of each. */
  readonly pieces: readonly SentPiece[];
}

const port = must(parentPort);
const receiver = new PieceReceiver();

port.on("message", (message: Md5Message) => {
  if (message === "forget") {
    receiver.forget();
    // Nothing else happens here that would bring the collector.
    Bun.gc(true);
    return;
  }
  const { states, pieces } = message;
  moveMd5Lanes(
    pieces.map((piece, lane) => ({
      bytes: receiver.receive(piece),
      state: states.subarray(lane * MD5_STATE_WORDS, (lane + 1) * MD5_STATE_WORDS),
    })),
  );
  port.postMessage(states);
});
