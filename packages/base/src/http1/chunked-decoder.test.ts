import { expect, test } from "bun:test";
import { ChunkedDecoder } from "./chunked-decoder.ts";
import { Http1Error } from "./http1-error.ts";
import { CHUNK_LINE_BYTES_MAX, TRAILER_BYTES_MAX } from "./limits.ts";

/** Content, and what lies behind the body; `refused`, or `more` when it does not end. */
function decode(pieces: readonly string[]): readonly [content: string, behind: string] | string {
  const decoder = new ChunkedDecoder();
  let content = "";
  let behind = "";
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece, "latin1");
      const { start, sizeBytes, end } = decoder.decode(bytes, 0);
      content += bytes.toString("latin1", start, start + sizeBytes);
      behind += bytes.toString("latin1", end);
    }
  } catch (error) {
    if (error instanceof Http1Error) return "refused";
    throw error;
  }
  return decoder.isDone ? [content, behind] : "more";
}

const BODY =
  '5\r\nhello\r\n6;name="v";x\r\n world\r\nA\r\n0123456789\r\n000\r\nX-Sum: 1\r\nY:\r\n\r\n';
const CONTENT = "hello world0123456789";

test("chunks are put together, extensions and trailers go by, and what follows is left", () => {
  expect(decode([`${BODY}GET /`])).toEqual([CONTENT, "GET /"]);
});

test("the cuts between pieces change nothing", () => {
  for (let cut = 0; cut <= BODY.length; cut++) {
    expect(decode([BODY.slice(0, cut), BODY.slice(cut)])).toEqual([CONTENT, ""]);
  }
  expect(decode(Array.from(BODY))).toEqual([CONTENT, ""]);
});

test("every beginning of a body is incomplete, and none is refused", () => {
  for (let cut = 0; cut < BODY.length; cut++) expect(decode([BODY.slice(0, cut)])).toBe("more");
});

test.each([
  "zz\r\nhello\r\n0\r\n\r\n",
  "\r\n",
  "-5\r\nhello\r\n",
  "+5\r\nhello\r\n",
  "0x5\r\nhello\r\n",
  " 5\r\nhello\r\n",
  "5\nhello\r\n0\r\n\r\n",
  "5\r\nhelloX\r\n",
  "5\r\nhello\n0\r\n\r\n",
  "5\r\nhello0\r\n\r\n",
  "5\rhello\r\n",
  ";x\r\nhello\r\n",
  "5 \r\nhello\r\n0\r\n\r\n",
  "5 ;x\r\nhello\r\n",
  "5;\r\nhello\r\n",
  "5;x=\r\nhello\r\n",
  "5;x y\r\nhello\r\n",
  '5;x="y\r\nhello\r\n',
  "5;x=\xff\r\nhello\r\n",
  "5;a\nb\r\nhello\r\n",
  "5;a\0\r\nhello\r\n",
  "5;a\rb\r\nhello\r\n",
  "0\r\n X: folded\r\n\r\n",
  "0\r\nX : y\r\n\r\n",
  "0\r\nX\r\n\r\n",
  "0\r\nX: y\n\r\n",
  "0\r\nX: \0\r\n\r\n",
  "0\r\n\rX",
  "0\r\nContent-length: 5\r\n\r\n",
  "0\r\nT: v\r\nTransfer-Encoding: chunked\r\n\r\n",
  "ffffffffffffffff\r\n",
  "100000000001\r\n",
  `1;${"x".repeat(CHUNK_LINE_BYTES_MAX)}\r\na\r\n0\r\n\r\n`,
  `${"0".repeat(CHUNK_LINE_BYTES_MAX + 1)}1\r\na\r\n0\r\n\r\n`,
  `0\r\nX: ${"x".repeat(TRAILER_BYTES_MAX)}\r\n\r\n`,
])("%j is refused", (text) => {
  expect(decode([text])).toBe("refused");
  expect(decode(Array.from(text))).toBe("refused");
});

test("sizes with zeros before them, in either case, and with extensions are read", () => {
  expect(
    decode(['00000000000000000005;x;y=1;z="a\\"; b"\r\nhello\r\na\r\n0123456789\r\n0\r\n\r\n']),
  ).toEqual(["hello0123456789", ""]);
});
