import { expect, test } from "bun:test";
import type { S3Request } from "../request.ts";
import { presignedHeaders } from "./presigned-headers.ts";

function requestOf(query: S3Request["query"], headers: S3Request["headers"] = {}): S3Request {
  return {
    method: "PUT",
    rawPath: "/b/k",
    rawQuery: "",
    query,
    headers,
    rawHeaders: [],
    hasRepeats: false,
    remoteAddress: "127.0.0.1",
    isSecure: false,
  };
}

test("what a signer moved into the query counts as a header, the signature's own parameters do not", () => {
  const headers = presignedHeaders(
    requestOf(
      [
        ["X-Amz-Signature", "00"],
        ["X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"],
        ["x-amz-meta-colour", "grün"],
        ["X-Amz-Acl", "public-read"],
        ["prefix", "x"],
      ],
      { host: "h" },
    ),
  );
  expect(headers).toEqual({
    host: "h",
    "x-amz-meta-colour": Buffer.from("grün").toString("latin1"),
    "x-amz-acl": "public-read",
  });
});

test("without such parameters the headers are the request's own", () => {
  const request = requestOf([["X-Amz-Expires", "60"]], { host: "h" });
  expect(presignedHeaders(request)).toBe(request.headers);
});

test("a query that disagrees with a header is refused, and so is a copy source in the query", () => {
  expect(() =>
    presignedHeaders(requestOf([["x-amz-acl", "private"]], { "x-amz-acl": "public-read" })),
  ).toThrow("differs");
  expect(() => presignedHeaders(requestOf([["x-amz-copy-source", "/other/secret"]]))).toThrow(
    "signed header only",
  );
});
