import { expect, test } from "bun:test";
import { utf8, utf8Text } from "../bytes.ts";
import { FormReader, formBoundary, parseForm } from "./form.ts";
import { HttpError } from "./http-error.ts";

const BODY = [
  "--B",
  'Content-Disposition: form-data; name="note"',
  "",
  "hello",
  "--B",
  'Content-Disposition: form-data; name="file"; filename="C:\\\\dir/\u00e9 \\"q\\".txt"',
  "Content-Type: text/plain",
  "X-Other: 1",
  "",
  "line\r\n--not the end\r\n",
  "--B--",
  "",
].join("\r\n");

async function* inPiecesOf(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  // One buffer for all pieces, overwritten for each: what is lent must not be kept.
  const lent = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const piece = bytes.subarray(at, at + size);
    lent.fill(0x3f);
    lent.set(piece);
    yield lent.subarray(0, piece.length);
  }
}

async function readAll(body: string, size: number): Promise<[string | undefined, string][]> {
  const reader = new FormReader(inPiecesOf(utf8(body), size), "B");
  const all: [string | undefined, string][] = [];
  for (let field = await reader.next(); field !== undefined; field = await reader.next()) {
    let text = Buffer.alloc(0);
    for await (const piece of reader.content()) text = Buffer.concat([text, piece]);
    all.push([field.fileName, utf8Text(text)]);
  }
  return all;
}

const EXPECTED: [string | undefined, string][] = [
  [undefined, "hello"],
  ['\u00e9 "q".txt', "line\r\n--not the end\r\n"],
];

function statusOf(error: unknown): unknown {
  return error instanceof HttpError ? error.status : error;
}

test("a form is read the same in memory and in pieces of any size", async () => {
  const parts = parseForm(utf8(BODY), "B");
  expect(parts.map(({ fileName, content }) => [fileName, utf8Text(content)])).toEqual(EXPECTED);
  expect(parts[1]?.mediaType).toBe("text/plain");
  expect(parts[1]?.headers.get("x-other")).toBe("1");
  for (let size = 1; size <= BODY.length + 1; size++) {
    expect(await readAll(BODY, size)).toEqual(EXPECTED);
  }
});

test("a field that nobody reads is skipped", async () => {
  const reader = new FormReader(inPiecesOf(utf8(BODY), 7), "B");
  await reader.next();
  expect((await reader.next())?.fileName).toBe('\u00e9 "q".txt');
  expect(await reader.next()).toBeUndefined();
});

test("a preamble and an epilogue mean nothing", async () => {
  const body = `before\r\n${BODY}after`;
  expect(await readAll(body, 5)).toEqual(EXPECTED);
  expect(parseForm(utf8(body), "B").length).toBe(2);
});

test("a part may be without header lines and without content", async () => {
  const body = "--B\r\n\r\n\r\n--B--";
  expect(parseForm(utf8(body), "B").map(({ content }) => content.length)).toEqual([0]);
  expect(await readAll(body, 3)).toEqual([[undefined, ""]]);
});

test("a form that ends anywhere before its end is refused", async () => {
  const whole = BODY.trimEnd();
  for (let length = 0; length < utf8(whole).length; length++) {
    const cut = utf8(whole).subarray(0, length);
    const inMemory = (): unknown => parseForm(cut, "B");
    expect(inMemory).toThrow(HttpError);
    const streamed = await readAll(utf8Text(cut), 11).catch(statusOf);
    expect(streamed).toBe(400);
  }
});

test("too many parts and too long header lines are refused", async () => {
  const part = "\r\n--B\r\n\r\nx";
  const many = `${part.repeat(65)}\r\n--B--`;
  expect(() => parseForm(utf8(many), "B")).toThrow("too many parts");
  expect(await readAll(many, 100).catch(statusOf)).toBe(400);
  const long = `--B\r\nX: ${"y".repeat(20_000)}\r\n\r\nx\r\n--B--`;
  expect(() => parseForm(utf8(long), "B")).toThrow("not whole");
  for (const size of [1000, long.length]) {
    expect(await readAll(long, size).catch(statusOf)).toBe(400);
  }
});

test("boundaries are told from the content type, or refused", () => {
  expect(formBoundary(undefined)).toBeUndefined();
  expect(formBoundary("text/plain; boundary=x")).toBeUndefined();
  expect(formBoundary("multipart/form-data; boundary=abc")).toBe("abc");
  expect(formBoundary('Multipart/Form-Data; charset=utf-8; boundary="a b"')).toBe("a b");
  for (const bad of ["", "; boundary=", `; boundary=${"x".repeat(71)}`]) {
    expect(() => formBoundary(`multipart/form-data${bad}`)).toThrow("boundary");
  }
});
