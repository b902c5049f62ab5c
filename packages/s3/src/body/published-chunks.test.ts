import { expect, test } from "bun:test";
import { collectBytes, joinBytes, utf8 } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { type AuthOptions, authenticate } from "../auth/index.ts";
import { clockAt, codeOf, directoryOf, requestOf } from "../auth/testing.ts";
import { decodeBody, decodeWhole } from "./index.ts";

// The worked examples of the S3 API reference, "Transferring Payload in Multiple Chunks", with and without trailer.
const OPTIONS: AuthOptions = {
  keys: directoryOf("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
  clock: clockAt(Date.UTC(2013, 4, 24)),
  hashes: systemHashes,
  region: { kind: "any" },
};
const CONTENT = utf8("a".repeat(66_560));

interface Example {
  readonly mode: string;
  readonly signedHeaders: string;
  readonly seed: string;
  readonly chunks: readonly [string, string, string];
  readonly trailers: readonly string[];
}

const WITHOUT_TRAILER: Example = {
  mode: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  signedHeaders:
    "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class",
  seed: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9",
  chunks: [
    "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648",
    "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497",
    "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9",
  ],
  trailers: [],
};
const WITH_TRAILER: Example = {
  mode: "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  signedHeaders:
    "content-encoding;host;x-amz-content-sha256;x-amz-date;x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
  seed: "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e",
  chunks: [
    "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2",
    "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7",
    "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992",
  ],
  trailers: [
    "x-amz-checksum-crc32c:sOO8/Q==",
    "x-amz-trailer-signature:d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435",
  ],
};

function requestFor(example: Example): ReturnType<typeof requestOf> {
  const isTrailer = example.trailers.length > 0;
  return requestOf({
    method: "PUT",
    path: "/examplebucket/chunkObject.txt",
    headers: [
      ["Host", "s3.amazonaws.com"],
      ["x-amz-date", "20130524T000000Z"],
      ["x-amz-storage-class", "REDUCED_REDUNDANCY"],
      [
        "Authorization",
        `AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,SignedHeaders=${example.signedHeaders},Signature=${example.seed}`,
      ],
      ["x-amz-content-sha256", example.mode],
      ["Content-Encoding", "aws-chunked"],
      ["x-amz-decoded-content-length", "66560"],
      ...(isTrailer
        ? ([["x-amz-trailer", "x-amz-checksum-crc32c"]] as const)
        : ([["Content-Length", "66824"]] as const)),
    ],
  });
}

function wireOf(example: Example, content = CONTENT): Uint8Array {
  const [first, second, last] = example.chunks;
  return joinBytes([
    utf8(`10000;chunk-signature=${first}\r\n`),
    content.subarray(0, 65_536),
    utf8(`\r\n400;chunk-signature=${second}\r\n`),
    content.subarray(65_536),
    utf8(`\r\n0;chunk-signature=${last}\r\n`),
    utf8(example.trailers.map((line) => `${line}\r\n`).join("")),
    utf8("\r\n"),
  ]);
}

const EXAMPLES = [
  ["without trailer", WITHOUT_TRAILER, []],
  ["with trailer", WITH_TRAILER, [{ algorithm: "crc32c", base64: "sOO8/Q==" }]],
] as const;

test.each(EXAMPLES)("the published chunked example %s is decoded", async (_, example, verified) => {
  const request = requestFor(example);
  const whole = decodeWhole(request, wireOf(example), authenticate(request, OPTIONS), OPTIONS);
  expect(Buffer.compare(whole.bytes, CONTENT)).toBe(0);
  expect(whole.verified).toEqual([...verified]);

  const body = decodeBody(
    request,
    pieces(wireOf(example), 1000),
    authenticate(request, OPTIONS),
    OPTIONS,
  );
  expect(body.sizeBytes).toBe(66_560);
  expect(Buffer.compare((await collectBytes(body.stream, 1e6)) ?? new Uint8Array(), CONTENT)).toBe(
    0,
  );
  expect(body.verified()).toEqual([...verified]);
});

test.each(EXAMPLES)("a flipped content byte breaks the chain of the example %s", (_, example) => {
  const request = requestFor(example);
  for (const at of [0, 65_535, 65_536, 66_559]) {
    const changed = CONTENT.slice();
    changed[at] = 0x62;
    const wire = wireOf(example, changed);
    expect(codeOf(() => decodeWhole(request, wire, authenticate(request, OPTIONS), OPTIONS))).toBe(
      "SignatureDoesNotMatch",
    );
  }
});

async function* pieces(bytes: Uint8Array, sizeBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes);
}
