import { expect, test } from "bun:test";
import { EMPTY, OPTIONS, type Sketch, inQuery, outcome } from "../testing/sketches.ts";
import { authenticate } from "./index.ts";
import { requestOf } from "./testing.ts";

test.each<[string, string, Sketch, Readonly<Record<string, string>>]>([
  ["an unsigned x-amz- header", "AccessDenied", { unsigned: [["x-amz-copy-source", "b/k"]] }, {}],
  ["an unsigned acl", "AccessDenied", { unsigned: [["X-Amz-Acl", "public-read"]] }, {}],
  ["zero seconds to live", "AuthorizationQueryParametersError", {}, { "X-Amz-Expires": "0" }],
  ["negative seconds", "AuthorizationQueryParametersError", {}, { "X-Amz-Expires": "-1" }],
  ["words for seconds", "AuthorizationQueryParametersError", {}, { "X-Amz-Expires": "soon" }],
  ["fractions of seconds", "AuthorizationQueryParametersError", {}, { "X-Amz-Expires": "1.5" }],
  ["more than 7 days", "AuthorizationQueryParametersError", {}, { "X-Amz-Expires": "604801" }],
  ["a long number", "AuthorizationQueryParametersError", {}, { "X-Amz-Expires": "1".repeat(40) }],
  ["another algorithm", "AuthorizationQueryParametersError", {}, { "X-Amz-Algorithm": "none" }],
  ["a security token", "InvalidToken", {}, { "X-Amz-Security-Token": "t" }],
  ["a parameter added", "SignatureDoesNotMatch", { query: "&acl" }, {}],
  ["the signature twice", "AuthorizationQueryParametersError", { query: "&X-Amz-Signature=0" }, {}],
  ["an empty signed header", "AuthorizationQueryParametersError", { signedHeaders: "host;" }, {}],
  ["its hour over", "AccessDenied", { date: "20260102T030304Z" }, {}],
  ["a start in the future", "AccessDenied", { date: "20260102T031906Z" }, {}],
  ["a date that is none", "AuthorizationQueryParametersError", { date: "20260102" }, {}],
])("a presigned request is refused with %s", (_, code, sketch, parameters) => {
  expect(outcome(inQuery(sketch, parameters))).toBe(code);
});

test.each([
  "X-Amz-Algorithm",
  "X-Amz-Credential",
  "X-Amz-Date",
  "X-Amz-Expires",
  "X-Amz-SignedHeaders",
  "X-Amz-Signature",
])("a query without %s is neither presigned nor anonymous", (name) => {
  const parts = inQuery({});
  const query = (parts.query ?? "").split("&").filter((piece) => !piece.startsWith(`${name}=`));
  expect(outcome({ ...parts, query: query.join("&") })).toBe("AuthorizationQueryParametersError");
  expect(outcome({ query: `${name.toLowerCase()}=x`, headers: [["Host", "h"]] })).toBe(
    "AuthorizationQueryParametersError",
  );
});

test("a presigned request may carry a payload hash that was not signed, and it is verified", () => {
  const parts = inQuery({ unsigned: [["x-amz-content-sha256", EMPTY]] });
  expect(authenticate(requestOf(parts), OPTIONS).payload.kind).toBe("hash");
  const chunked = inQuery({
    unsigned: [["x-amz-content-sha256", "STREAMING-UNSIGNED-PAYLOAD-TRAILER"]],
  });
  expect(authenticate(requestOf(chunked), OPTIONS).payload.kind).toBe("chunks-unsigned");
  const signedChunks = inQuery({
    unsigned: [["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"]],
  });
  expect(authenticate(requestOf(signedChunks), OPTIONS).payload.kind).toBe("chunks-signed");
});

test("a payload hash in the signed query cannot be overruled by a header", () => {
  const inBoth = inQuery(
    { contentSha256: EMPTY, unsigned: [["x-amz-content-sha256", "UNSIGNED-PAYLOAD"]] },
    { "X-Amz-Content-Sha256": EMPTY },
  );
  expect(outcome(inBoth)).toBe("InvalidRequest");
});
