import { expect, test } from "bun:test";
import { systemHashes } from "@kelp/base/platform";
import { type AuthOptions, authenticate } from "./index.ts";
import { type RequestParts, clockAt, codeOf, directoryOf, requestOf } from "./testing.ts";

// The worked examples of the S3 API reference, "Authenticating Requests (AWS Signature Version 4)".
const OPTIONS: AuthOptions = {
  keys: directoryOf("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
  clock: clockAt(Date.UTC(2013, 4, 24)),
  hashes: systemHashes,
  region: { kind: "any" },
};
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const CREDENTIAL = "AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request";

function signed(
  parts: RequestParts,
  contentSha256: string,
  signedHeaders: string,
  signature: string,
): RequestParts {
  return {
    ...parts,
    headers: [
      ["Host", "examplebucket.s3.amazonaws.com"],
      ["x-amz-date", "20130524T000000Z"],
      ["x-amz-content-sha256", contentSha256],
      ...(parts.headers ?? []),
      [
        "Authorization",
        `AWS4-HMAC-SHA256 Credential=${CREDENTIAL},SignedHeaders=${signedHeaders},Signature=${signature}`,
      ],
    ],
  };
}

const PUT_SHA256 = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
const EXAMPLES: readonly (readonly [string, RequestParts])[] = [
  [
    "GET object",
    signed(
      { path: "/test.txt", headers: [["Range", "bytes=0-9"]] },
      EMPTY,
      "host;range;x-amz-content-sha256;x-amz-date",
      "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
    ),
  ],
  [
    "PUT object",
    signed(
      {
        method: "PUT",
        path: "/test$file.text",
        headers: [
          ["Date", "Fri, 24 May 2013 00:00:00 GMT"],
          ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
        ],
      },
      PUT_SHA256,
      "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
      "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
    ),
  ],
  [
    "GET bucket lifecycle",
    signed(
      { query: "lifecycle" },
      EMPTY,
      "host;x-amz-content-sha256;x-amz-date",
      "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
    ),
  ],
  [
    "list objects",
    signed(
      { query: "max-keys=2&prefix=J" },
      EMPTY,
      "host;x-amz-content-sha256;x-amz-date",
      "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
    ),
  ],
];

test.each(EXAMPLES)("the published example %s is accepted", (_name, parts) => {
  const caller = authenticate(requestOf(parts), OPTIONS);
  expect(caller.principal).toEqual({ kind: "identity", name: "somebody" });
  expect(caller.isPresigned).toBe(false);
  expect(caller.payload.kind).toBe("hash");
});

test.each(EXAMPLES)("the published example %s is refused for another path", (_name, parts) => {
  expect(codeOf(() => authenticate(requestOf({ ...parts, path: "/other" }), OPTIONS))).toBe(
    "SignatureDoesNotMatch",
  );
});

const PRESIGNED: RequestParts = {
  path: "/test.txt",
  query:
    "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  headers: [["Host", "examplebucket.s3.amazonaws.com"]],
};

test("the published presigned example is accepted until the last second of its life", () => {
  const at = (ms: number): AuthOptions => ({ ...OPTIONS, clock: clockAt(ms) });
  const signedMs = Date.UTC(2013, 4, 24);
  const caller = authenticate(requestOf(PRESIGNED), at(signedMs + 86_400_000));
  expect(caller.isPresigned).toBe(true);
  expect(caller.payload).toEqual({ kind: "unsigned" });
  expect(codeOf(() => authenticate(requestOf(PRESIGNED), at(signedMs + 86_400_001)))).toBe(
    "AccessDenied",
  );
  expect(codeOf(() => authenticate(requestOf(PRESIGNED), at(signedMs - 900_001)))).toBe(
    "AccessDenied",
  );
});
