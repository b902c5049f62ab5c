import {
  allowsRange,
  decideRange,
  decideRead,
  httpDate,
  isoDate,
  parseHttpDate,
} from "@kelp/base/http";
import { describe, expect, test } from "bun:test";
import { addAttributeHeaders, attributesFromHeaders } from "./attributes.ts";
import { parseWriteCondition } from "./conditions.ts";
import { parseCopyRange } from "./copy-range.ts";
import { parseQuery, percentDecode, percentEncode, splitTarget } from "./target.ts";
import { codeOf } from "../auth/testing.ts";
import { refuseUnsupportedHeaders } from "./unsupported.ts";

describe("targets", () => {
  test("are cut at the first question mark, and nothing else is touched", () => {
    expect(splitTarget("/a/../b%2Fc?x=/?y")).toEqual({ rawPath: "/a/../b%2Fc", rawQuery: "x=/?y" });
    expect(splitTarget("http://h:1/b/k?q")).toEqual({ rawPath: "/b/k", rawQuery: "q" });
    expect(splitTarget("http://h")).toEqual({ rawPath: "/", rawQuery: "" });
    expect(codeOf(() => splitTarget("*"))).toBe("InvalidURI");
    expect(codeOf(() => splitTarget("/a#b"))).toBe("InvalidURI");
  });
  test("keep their query in order, with plus signs", () => {
    expect(parseQuery("b=1+2&a&c=%20%2B&&d==")).toEqual([
      ["b", "1+2"],
      ["a", ""],
      ["c", " +"],
      ["d", "="],
    ]);
    expect(codeOf(() => parseQuery("a=%"))).toBe("InvalidURI");
  });
  test("encode to what decodes to the same", () => {
    for (const text of ["a/b", "a b+c%", "é𝒳", "!'()*~", "\u0001\n"]) {
      expect(percentDecode(percentEncode(text))).toBe(text);
      expect(percentEncode(text)).toMatch(/^[A-Za-z0-9\-_.~*/%]*$/);
    }
  });
});

describe("dates", () => {
  test("are those of Date, to the second", () => {
    for (const timeMs of [0, 951_782_399_999, 951_782_400_000, 1_798_761_599_123, 86_399_000]) {
      const date = new Date(timeMs);
      expect(httpDate(timeMs)).toBe(date.toUTCString());
      expect(isoDate(timeMs)).toBe(date.toISOString().replace(/\.\d+Z/, ".000Z"));
    }
  });
  test("that are none are not guessed", () => {
    expect(parseHttpDate("Fri, 02 Jan 2026 03:04:05 GMT")).toBe(Date.UTC(2026, 0, 2, 3, 4, 5));
    expect(parseHttpDate("1")).toBeUndefined();
    expect(parseHttpDate('"etag"')).toBeUndefined();
  });
});

describe("ranges", () => {
  const cases: readonly (readonly [string | undefined, number, unknown])[] = [
    [undefined, 10, { kind: "whole" }],
    ["bytes=0-0", 10, { kind: "range", start: 0, end: 1 }],
    ["bytes=2-", 10, { kind: "range", start: 2, end: 10 }],
    ["bytes=2-99999999999999999999", 10, { kind: "range", start: 2, end: 10 }],
    ["bytes=-3", 10, { kind: "range", start: 7, end: 10 }],
    ["bytes=-30", 10, { kind: "range", start: 0, end: 10 }],
    ["bytes=10-", 10, { kind: "unsatisfiable" }],
    ["bytes=99999999999999999999-", 10, { kind: "unsatisfiable" }],
    ["bytes=99999999999999999999-99999999999999999999", 10, { kind: "unsatisfiable" }],
    ["bytes=-0", 10, { kind: "unsatisfiable" }],
    ["bytes=0-", 0, { kind: "unsatisfiable" }],
    ["bytes=-5", 0, { kind: "unsatisfiable" }],
    ["bytes=5-2", 10, { kind: "whole" }],
    ["bytes=0-1,3-4", 10, { kind: "whole" }],
    ["bytes=-", 10, { kind: "whole" }],
    ["lines=0-1", 10, { kind: "whole" }],
  ];
  for (const [header, sizeBytes, expected] of cases) {
    test(`${header} of ${sizeBytes}`, () =>
      expect(decideRange(header, sizeBytes)).toEqual(expected as never));
  }
  test("of a copy must lie inside its source", () => {
    expect(parseCopyRange("bytes=0-9", 10)).toEqual({ start: 0, end: 10 });
    for (const bad of ["bytes=0-10", "bytes=5-", "bytes=-5", "0-5", "bytes=6-5"]) {
      expect(parseCopyRange(bad, 10)).toBeUndefined();
    }
  });
});

describe("conditions of reads", () => {
  const current = { etag: "abc", modifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) };
  const same = "Fri, 02 Jan 2026 03:04:05 GMT";
  const earlier = "Fri, 02 Jan 2026 03:04:04 GMT";
  const cases: readonly (readonly [Record<string, string>, string])[] = [
    [{}, "proceed"],
    [{ "if-match": '"abc"' }, "proceed"],
    [{ "if-match": "abc" }, "proceed"],
    [{ "if-match": "*" }, "proceed"],
    [{ "if-match": '"x", "abc"' }, "proceed"],
    [{ "if-match": '"abcd"' }, "failed"],
    [{ "if-match": '"abc' }, "failed"],
    [{ "if-none-match": '"abc"' }, "not-modified"],
    [{ "if-none-match": 'W/"abc"' }, "not-modified"],
    [{ "if-none-match": '"x"' }, "proceed"],
    [{ "if-modified-since": same }, "not-modified"],
    [{ "if-modified-since": earlier }, "proceed"],
    [{ "if-modified-since": "nonsense" }, "proceed"],
    [{ "if-unmodified-since": same }, "proceed"],
    [{ "if-unmodified-since": earlier }, "failed"],
    [{ "if-match": '"abc"', "if-unmodified-since": earlier }, "proceed"],
    [{ "if-none-match": '"x"', "if-modified-since": same }, "proceed"],
    [{ "if-match": '"x"', "if-none-match": '"abc"' }, "failed"],
  ];
  for (const [headers, expected] of cases) {
    test(JSON.stringify(headers), () =>
      expect(decideRead(headers, current).kind).toBe(expected as never),
    );
  }
  test("If-Range lets only the very same object be answered in part", () => {
    expect(allowsRange({ "if-range": '"abc"' }, current)).toBe(true);
    expect(allowsRange({ "if-range": 'W/"abc"' }, current)).toBe(false);
    expect(allowsRange({ "if-range": same }, current)).toBe(true);
    expect(allowsRange({ "if-range": earlier }, current)).toBe(false);
  });
});

test("conditions of writes that S3 does not know are refused, not ignored", () => {
  expect(parseWriteCondition({ "if-none-match": "*" })).toEqual({ kind: "absent" });
  expect(parseWriteCondition({ "if-match": '"a"' })).toEqual({ kind: "etag", etags: ["a"] });
  expect(parseWriteCondition({ "if-match": "*" })).toEqual({ kind: "present" });
  expect(codeOf(() => parseWriteCondition({ "if-none-match": '"a"' }))).toBe("NotImplemented");
  expect(codeOf(() => parseWriteCondition({ "if-match": "a", "if-none-match": "*" }))).toBe(
    "NotImplemented",
  );
});

describe("attributes", () => {
  test("survive the way in and out, in UTF-8", () => {
    const attributes = attributesFromHeaders({
      "content-type": "text/plain",
      "content-encoding": "gzip, aws-chunked",
      "x-amz-meta-colour": Buffer.from("grün").toString("latin1"),
      "x-amz-checksum-crc32": "client-said",
      "kelp-part-sizes": "client-said",
    });
    expect(attributes).toEqual({
      "content-type": "text/plain",
      "content-encoding": "gzip",
      "x-amz-meta-colour": "grün",
    });
    const headers: Record<string, string> = {};
    addAttributeHeaders(headers, attributes);
    expect(headers).toEqual({
      "Content-Type": "text/plain",
      "Content-Encoding": "gzip",
      "x-amz-meta-colour": Buffer.from("grün").toString("latin1"),
    });
  });
  test("do not keep the framing when it was the only coding", () => {
    expect(attributesFromHeaders({ "content-encoding": "aws-chunked" })).toEqual({});
  });
  test("are bounded in size", () => {
    expect(codeOf(() => attributesFromHeaders({ "x-amz-meta-k": "v".repeat(2047) }))).toBe(
      "accepted",
    );
    expect(codeOf(() => attributesFromHeaders({ "x-amz-meta-k": "v".repeat(2048) }))).toBe(
      "MetadataTooLarge",
    );
  });
});

test("what is not built is refused by its header", () => {
  for (const name of [
    "x-amz-server-side-encryption",
    "x-amz-server-side-encryption-customer-key",
    "x-amz-tagging",
    "x-amz-object-lock-mode",
    "x-amz-website-redirect-location",
    "x-amz-grant-read",
    "x-amz-write-offset-bytes",
  ]) {
    expect([name, codeOf(() => refuseUnsupportedHeaders({ [name]: "x" }))]).toEqual([
      name,
      "NotImplemented",
    ]);
  }
  expect(codeOf(() => refuseUnsupportedHeaders({ "x-amz-acl": "public-read" }))).toBe(
    "NotImplemented",
  );
  expect(codeOf(() => refuseUnsupportedHeaders({ "x-amz-acl": "private" }))).toBe("accepted");
  expect(codeOf(() => refuseUnsupportedHeaders({ "x-amz-acl": "" }))).toBe("accepted");
  expect(codeOf(() => refuseUnsupportedHeaders({ "x-amz-storage-class": "GLACIER" }))).toBe(
    "InvalidStorageClass",
  );
  expect(codeOf(() => refuseUnsupportedHeaders({ "x-amz-storage-class": "STANDARD" }))).toBe(
    "accepted",
  );
});
