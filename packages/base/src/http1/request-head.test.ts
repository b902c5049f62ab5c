import { describe, expect, test } from "bun:test";
import { TARGET_BYTES_MAX } from "./limits.ts";
import { Http1Error } from "./http1-error.ts";
import { type RequestHead, parseRequestHead } from "./request-head.ts";

function parse(text: string): RequestHead {
  const bytes = Buffer.from(text, "latin1");
  return parseRequestHead(bytes, bytes.length);
}

function statusOf(text: string): number | "accepted" {
  try {
    parse(text);
    return "accepted";
  } catch (error) {
    if (error instanceof Http1Error) return error.status;
    throw error;
  }
}

function get(target: string, ...lines: string[]): string {
  return [`GET ${target} HTTP/1.1`, "Host: h", ...lines, "", ""].join("\r\n");
}

describe("targets are kept as they came", () => {
  const targets = [
    "/a%2Fb%2f//c;d+e%00%E9%zz%5C",
    "/a/../b/./c/%2e%2e/",
    "/a\\b",
    "/x#frag?y=1#z",
    "http://elsewhere/path",
    "*",
    `/"<>^\`{|}'`,
    `/${"k".repeat(15 * 1024)}`,
  ];
  for (const target of targets) {
    test(target.slice(0, 40), () => expect(parse(get(target)).target).toBe(target));
  }
});

test("names are lower case, values lose the blanks around them, and no byte is decoded", () => {
  const head = parse(get("/", "X-Meta: \t a b\t", "ETag:\xe9\xff", "Empty:", "Tab: a\tb"));
  expect({ ...head.headers }).toEqual({
    host: "h",
    "x-meta": "a b",
    etag: "\xe9\xff",
    empty: "",
    tab: "a\tb",
  });
  expect(head.lines).toEqual(
    ["host", "h", "x-meta", "a b", "etag", "\xe9\xff", "empty", "", "tab", "a\tb"], // pairs
  );
  expect(head.hasRepeats).toBe(false);
});

test("repeated lines are joined, and each is still there", () => {
  const head = parse(get("/", "X: 1", "x: 2", "Cookie: a=1", "cookie: b=2"));
  expect(head.headers["x"]).toBe("1, 2");
  expect(head.headers.cookie).toBe("a=1; b=2");
  expect(head.lines.slice(2)).toEqual(["x", "1", "x", "2", "cookie", "a=1", "cookie", "b=2"]);
  expect(head.hasRepeats).toBe(true);
});

test("no name means anything to the object that holds the headers", () => {
  const head = parse(get("/", "__proto__: a", "constructor: b", "toString: c"));
  expect(Object.keys(head.headers)).toEqual(["host", "__proto__", "constructor", "tostring"]);
  expect(head.headers["hasOwnProperty"]).toBeUndefined();
});

const REFUSED: readonly (readonly [what: string, status: number, text: string])[] = [
  ["a bare LF", 400, "GET / HTTP/1.1\nHost: h\r\n\r\n"],
  ["a bare LF behind a header", 400, "GET / HTTP/1.1\r\nHost: h\nX: y\r\n\r\n"],
  ["a bare CR in a value", 400, get("/", "X: a\rb")],
  ["a bare CR in the target", 400, "GET /a\rb HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a bare CR at the beginning of a line", 400, "GET / HTTP/1.1\r\nHost: h\r\n\rX: y\r\n\r\n"],
  ["a bare CR before the empty line", 400, get("/", "X: y", "\r")],
  ["a folded line", 400, get("/", "X: a", " b")],
  ["a first line that is folded", 400, "GET / HTTP/1.1\r\n Host: h\r\n\r\n"],
  ["a space before the colon", 400, get("/", "X : v")],
  ["a tab before the colon", 400, get("/", "X\t: v")],
  ["no colon", 400, get("/", "X")],
  ["no name", 400, get("/", ": v")],
  ["a NUL in a value", 400, get("/", "X: a\0b")],
  ["a control character in a value", 400, get("/", "X: a\x01b")],
  ["a DEL in a value", 400, get("/", "X: a\x7fb")],
  ["a NUL in a name", 400, get("/", "X\0: v")],
  ["a Latin-1 letter in a name", 400, get("/", "X\xe9: v")],
  ["a quote in a name", 400, get("/", 'X": v')],
  ["a space in the target", 400, "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a tab in the target", 400, "GET /a\tb HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a raw byte of UTF-8 in the target", 400, "GET /\xc3\xa9 HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a target that is no path", 400, get("a?b=c")],
  ["an authority as target", 400, "CONNECT h:80 HTTP/1.1\r\nHost: h:80\r\n\r\n"],
  ["another scheme", 400, get("ftp://h/a")],
  ["a star with more behind it", 400, get("*a")],
  ["two spaces in the request line", 400, "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a space behind the version", 400, "GET / HTTP/1.1 \r\nHost: h\r\n\r\n"],
  ["no version", 400, "GET /\r\nHost: h\r\n\r\n"],
  ["no method", 400, " / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a method that is no token", 400, "G(T / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a long method", 501, `${"M".repeat(33)} / HTTP/1.1\r\nHost: h\r\n\r\n`],
  ["HTTP/0.9", 505, "GET / HTTP/0.9\r\nHost: h\r\n\r\n"],
  ["HTTP/2.0", 505, "GET / HTTP/2.0\r\nHost: h\r\n\r\n"],
  ["http in lower case", 400, "GET / http/1.1\r\nHost: h\r\n\r\n"],
  ["a version with two digits", 400, "GET / HTTP/1.10\r\nHost: h\r\n\r\n"],
  ["another protocol", 400, "GET / ICY/1.1\r\nHost: h\r\n\r\n"],
  ["no host", 400, "GET / HTTP/1.1\r\n\r\n"],
  ["two hosts", 400, get("/", "Host: h")],
  ["a host with a space", 400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"],
  ["a host with a path", 400, "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n"],
  ["a host with a user", 400, "GET / HTTP/1.1\r\nHost: u@h\r\n\r\n"],
  ["two lengths", 400, get("/", "Content-Length: 1", "Content-Length: 1")],
  ["two differing lengths", 400, get("/", "Content-Length: 1", "Content-Length: 2")],
  ["two codings", 400, get("/", "Transfer-Encoding: chunked", "Transfer-Encoding: chunked")],
  ["two credentials", 400, get("/", "Authorization: a", "Authorization: b")],
  ["too many lines", 431, get("/", ...Array.from({ length: 256 }, (_, at) => `X-${at}: y`))],
  ["a long target", 414, get(`/${"x".repeat(TARGET_BYTES_MAX)}`)],
];

test.each(REFUSED)("%s is refused with %d", (_, status, text) => {
  expect(statusOf(text)).toBe(status);
});

test.each([
  ["an unknown method", "PROPFIND / HTTP/1.1\r\nHost: h\r\n\r\n"],
  ["a later HTTP/1", "GET / HTTP/1.2\r\nHost: h\r\n\r\n"],
  ["HTTP/1.0 without a host", "GET / HTTP/1.0\r\n\r\n"],
  ["an empty host", "GET / HTTP/1.1\r\nHost:\r\n\r\n"],
  ["a host of IPv6", "GET / HTTP/1.1\r\nHost: [::1]:8333\r\n\r\n"],
  ["255 more lines", get("/", ...Array.from({ length: 255 }, (_, at) => `X-${at}: y`))],
  ["a target at the bound", get(`/${"x".repeat(TARGET_BYTES_MAX - 1)}`)],
])("%s is accepted", (_, text) => {
  expect(statusOf(text)).toBe("accepted");
});
