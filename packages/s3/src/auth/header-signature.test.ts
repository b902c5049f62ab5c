import { expect, test } from "bun:test";
import {
  type Header,
  ID,
  OPTIONS,
  SECRET,
  type Sketch,
  caught,
  inHeader,
  outcome,
  sign,
} from "../testing/sketches.ts";
import { authenticate } from "./index.ts";
import { requestOf } from "./testing.ts";

test("repeated headers are signed joined by a comma, spaces collapsed", () => {
  const twice: readonly Header[] = [
    ["X-Amz-Meta-A", "one"],
    ["x-amz-meta-a", "two"],
  ];
  expect(outcome(inHeader({ headers: twice }))).toBe("accepted");
  const parts = inHeader({ headers: [["x-amz-meta-a", "one two"]] });
  const spaced = parts.headers?.map(([name, value]): Header => [
    name,
    name === "x-amz-meta-a" ? "  one   two " : value,
  ]);
  expect(outcome({ ...parts, headers: spaced ?? [] })).toBe("accepted");
});

test.each<[string, string, Sketch]>([
  ["an unsigned x-amz- header", "AccessDenied", { unsigned: [["x-amz-acl", "public-read"]] }],
  ["an unsigned hash", "AccessDenied", { signedHeaders: "host;x-amz-date" }],
  ["host not signed", "AuthorizationHeaderMalformed", { signedHeaders: "x-amz-date" }],
  ["an empty name", "AuthorizationHeaderMalformed", { signedHeaders: ";host;x-amz-date" }],
  ["a trailing separator", "AuthorizationHeaderMalformed", { signedHeaders: "host;x-amz-date;" }],
  ["unsorted names", "AuthorizationHeaderMalformed", { signedHeaders: "x-amz-date;host" }],
  ["a repeated name", "AuthorizationHeaderMalformed", { signedHeaders: "host;host" }],
  ["upper-case names", "AuthorizationHeaderMalformed", { signedHeaders: "Host;host" }],
  [
    "a signed header that is absent",
    "SignatureDoesNotMatch",
    { signedHeaders: "host;range;x-amz-content-sha256;x-amz-date" },
  ],
  [
    "another day in the scope",
    "AuthorizationHeaderMalformed",
    { credential: `${ID}/20260103/r/s3/aws4_request` },
  ],
  [
    "another service",
    "AuthorizationHeaderMalformed",
    { credential: `${ID}/20260102/r/iam/aws4_request` },
  ],
  [
    "another terminator",
    "AuthorizationHeaderMalformed",
    { credential: `${ID}/20260102/r/s3/aws5_request` },
  ],
  [
    "an empty region",
    "AuthorizationHeaderMalformed",
    { credential: `${ID}/20260102//s3/aws4_request` },
  ],
  [
    "an empty key id",
    "AuthorizationHeaderMalformed",
    { credential: `/20260102/r/s3/aws4_request` },
  ],
  ["a short credential", "AuthorizationHeaderMalformed", { credential: "HAHAHA" }],
  ["an unknown key", "InvalidAccessKeyId", { credential: "NOBODY/20260102/r/s3/aws4_request" }],
  ["a wrong signature", "SignatureDoesNotMatch", { signature: "0".repeat(64) }],
  ["an upper-case signature", "AuthorizationHeaderMalformed", { signature: "A".repeat(64) }],
  ["a short signature", "AuthorizationHeaderMalformed", { signature: "0".repeat(63) }],
  ["an empty signature", "AuthorizationHeaderMalformed", { signature: "" }],
  ["15 minutes and a second late", "RequestTimeTooSkewed", { date: "20260102T024904Z" }],
  ["15 minutes and a second early", "RequestTimeTooSkewed", { date: "20260102T031906Z" }],
  ["no date", "AccessDenied", { date: "" }],
  ["a date that is none", "AccessDenied", { date: "20261302T030405Z" }],
  ["a security token", "InvalidToken", { headers: [["x-amz-security-token", "t"]] }],
  ["credentials in the query as well", "InvalidArgument", { query: "X-Amz-Credential=a" }],
  ["the same in another letter case", "InvalidArgument", { query: "x-amz-signature=a" }],
  ["credentials of version 2 in the query", "InvalidRequest", { query: "AWSAccessKeyId=a" }],
  [
    "a second Authorization",
    "InvalidRequest",
    { unsigned: [["authorization", "AWS4-HMAC-SHA256 x"]] },
  ],
  ["a second Host", "InvalidRequest", { unsigned: [["host", "elsewhere"]] }],
])("a header signature is refused with %s", (_, code, sketch) => {
  expect(outcome(inHeader(sketch))).toBe(code);
});

test("the skew of the clock is allowed up to 15 minutes either way", () => {
  expect(outcome(inHeader({ date: "20260102T024905Z" }))).toBe("accepted");
  expect(outcome(inHeader({ date: "20260102T031905Z" }))).toBe("accepted");
});

test.each([
  ["", "AccessDenied"],
  ["AWS HAHAHA", "InvalidRequest"],
  ["AWS AKIDEXAMPLE:c2lnbmF0dXJl", "InvalidRequest"],
  ["AWSX AKIDEXAMPLE:c2lnbmF0dXJl", "InvalidArgument"],
  ["Bearer token", "InvalidArgument"],
  ["Basic dTpw", "InvalidArgument"],
  ["AWS4-ECDSA-P256-SHA256 Credential=a", "InvalidRequest"],
  ["AWS4-HMAC-SHA256", "AuthorizationHeaderMalformed"],
  ["AWS4-HMAC-SHA256 Credential=a,Credential=a", "AuthorizationHeaderMalformed"],
  [`AWS4-HMAC-SHA256 ${"a".repeat(9000)}`, "AuthorizationHeaderMalformed"],
])("Authorization: %p is refused with %s", (authorization, code) => {
  expect(
    outcome({
      headers: [
        ["Host", "h"],
        ["Authorization", authorization],
      ],
    }),
  ).toBe(code);
});

test("no refusal repeats a secret or the expected signature", () => {
  const right = sign({}, "", [["host", "store:8333"]], "host");
  const refusal = caught(() =>
    authenticate(requestOf(inHeader({ signature: "0".repeat(64) })), OPTIONS),
  );
  const shown = `${refusal.message} ${JSON.stringify(refusal.details)}`;
  expect(shown).not.toContain(SECRET);
  expect(shown).not.toContain(right);
});
