import { expect, test } from "bun:test";
import { bodyFraming } from "./body-framing.ts";
import { Http1Error } from "./http1-error.ts";
import { parseRequestHead } from "./request-head.ts";

function framingOf(version: string, lines: readonly string[]): unknown {
  const text = [`POST / HTTP/${version}`, "Host: h", ...lines, "", ""].join("\r\n");
  const bytes = Buffer.from(text, "latin1");
  try {
    return bodyFraming(parseRequestHead(bytes, bytes.length));
  } catch (error) {
    if (error instanceof Http1Error) return error.status;
    throw error;
  }
}

const TABLE: readonly (readonly [lines: readonly string[], expected: unknown])[] = [
  [[], { kind: "none" }],
  [["Content-Length: 0"], { kind: "length", sizeBytes: 0 }],
  [["Content-Length: 007"], { kind: "length", sizeBytes: 7 }],
  [["Content-Length: 999999999999999"], { kind: "length", sizeBytes: 999_999_999_999_999 }],
  [["Content-Length: 9999999999999999"], 400],
  [["Content-Length: -4"], 400],
  [["Content-Length: +4"], 400],
  [["Content-Length: 4, 4"], 400],
  [["Content-Length: 0x4"], 400],
  [["Content-Length: 4 4"], 400],
  [["Content-Length: 1e3"], 400],
  [["Content-Length:"], 400],
  [["Transfer-Encoding: chunked"], { kind: "chunked" }],
  [["Transfer-Encoding: CHUNKED"], { kind: "chunked" }],
  [["Transfer-Encoding: \tchunked "], { kind: "chunked" }],
  [["Transfer-Encoding: chunked", "Content-Length: 5"], 400],
  [["Content-Length: 5", "Transfer-Encoding: chunked"], 400],
  [["Transfer-Encoding: chunked, gzip"], 400],
  [["Transfer-Encoding: chunked, chunked"], 400],
  [["Transfer-Encoding: gzip, chunked"], 501],
  [["Transfer-Encoding: identity, chunked"], 501],
  [["Transfer-Encoding: identity"], 501],
  [["Transfer-Encoding: xchunked"], 501],
  [["Transfer-Encoding: chunked;q=1"], 501],
  [["Transfer-Encoding: \xa0chunked"], 501],
  [["Transfer-Encoding:"], 501],
];

test.each(TABLE)("%p is framed as %p", (lines, expected) => {
  expect(framingOf("1.1", lines)).toEqual(expected);
});

test("HTTP/1.0 has lengths and no chunks", () => {
  expect(framingOf("1.0", ["Content-Length: 3"])).toEqual({ kind: "length", sizeBytes: 3 });
  expect(framingOf("1.0", ["Transfer-Encoding: chunked"])).toBe(400);
});
