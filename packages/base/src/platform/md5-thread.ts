import { parentPort } from "node:worker_threads";
import { must } from "../assert.ts";
import { MD5_STATE_WORDS, moveMd5Lanes } from "../checksum/index.ts";

/** Bodies to move on side by side; the answer is their new states. */
export interface Md5Batch {
  /** `MD5_STATE_WORDS` for each body. */
  readonly states: Int32Array;
  /** The whole blocks of each. */
  readonly pieces: readonly Uint8Array[];
}

const port = must(parentPort);

port.on("message", ({ states, pieces }: Md5Batch) => {
  moveMd5Lanes(
    pieces.map((bytes, lane) => ({
      bytes,
      state: states.subarray(lane * MD5_STATE_WORDS, (lane + 1) * MD5_STATE_WORDS),
    })),
  );
  port.postMessage(states);
});
