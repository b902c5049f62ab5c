import { createHash } from "node:crypto";
import { expect, test } from "bun:test";
import { array, assert, integer, property } from "fast-check";
import { hex } from "../bytes.ts";
import { Md5Blocks } from "./md5-blocks.ts";
import { moveMd5Lanes } from "./md5-kernels.ts";
import { MD5_LANES_MAX } from "./md5-memory.ts";

const BYTES = Uint8Array.from({ length: 20_000 }, (_, index) => (index * 2_654_435_761) >>> 11);

function md5(bytes: Uint8Array): string {
  return createHash("md5").update(bytes).digest("hex");
}

test("every length around several blocks has the MD5 that others find", () => {
  for (let length = 0; length <= 300; length++) {
    const body = BYTES.subarray(length, 2 * length);
    const blocks = new Md5Blocks();
    moveMd5Lanes([{ state: blocks.state, bytes: blocks.take(body) }]);
    expect(hex(blocks.digest())).toBe(md5(body));
  }
});

test("bodies of any lengths in any pieces, hashed side by side, have the MD5 that others find", () => {
  const pieces = array(integer({ min: 0, max: 1500 }), { maxLength: 12 });
  const bodies = array(pieces, { minLength: 1, maxLength: MD5_LANES_MAX });
  assert(
    property(bodies, (sizes) => {
      const streams = sizes.map((lengths) => ({ lengths, at: 0, blocks: new Md5Blocks() }));
      for (let turn = 0; turn < 12; turn++) {
        moveMd5Lanes(
          streams.map((stream) => {
            const end = stream.at + (stream.lengths[turn] ?? 0);
            const bytes = stream.blocks.take(BYTES.subarray(stream.at, end));
            stream.at = end;
            return { state: stream.blocks.state, bytes };
          }),
        );
      }
      for (const { at, blocks } of streams) {
        expect(hex(blocks.digest())).toBe(md5(BYTES.subarray(0, at)));
      }
    }),
    { numRuns: 300 },
  );
});
