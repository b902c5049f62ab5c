import { expect, test } from "bun:test";
import { lineWriter } from "./line-writer.ts";

/** Takes so many bytes and then throws, as a full disk or a closed pipe does. */
class Target {
  text = "";
  roomBytes = Infinity;
  stepBytes = Infinity;

  readonly write = (bytes: Uint8Array): number => {
    const count = Math.min(bytes.length, this.stepBytes, this.roomBytes);
    if (count === 0) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
    this.text += Buffer.from(bytes.subarray(0, count)).toString();
    this.roomBytes -= count;
    return count;
  };
}

function writerOn(target: Target): (line: string) => void {
  return lineWriter(target.write, (count) => `lost ${count}\n`);
}

test("lines go out whole, also in several steps", () => {
  const target = new Target();
  target.stepBytes = 2;
  const put = writerOn(target);
  put("first\n");
  put("zwölf\n");
  expect(target.text).toBe("first\nzwölf\n");
});

test("what cannot be written is lost without a word to its writer, and counted", () => {
  const target = new Target();
  const put = writerOn(target);
  put("first\n");
  target.roomBytes = 0;
  for (let count = 0; count < 3; count++) put("nobody reads this\n");
  target.roomBytes = Infinity;
  put("last\n");
  expect(target.text).toBe("first\nlost 3\nlast\n");
});

test("a line that is cut off is ended before the next", () => {
  const target = new Target();
  const put = writerOn(target);
  target.roomBytes = 3;
  put("first\n");
  put("second\n");
  target.roomBytes = Infinity;
  put("third\n");
  put("fourth\n");
  expect(target.text).toBe("fir\nlost 2\nthird\nfourth\n");
});
