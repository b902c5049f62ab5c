import { expect, test } from "bun:test";
import { base64, collectBytes, utf8 } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import type { PayloadMode, S3Caller } from "../auth/index.ts";
import { codeOf, requestOf } from "../auth/testing.ts";
import { S3Error } from "../errors.ts";
import { decodeBody, decodeWhole } from "./index.ts";

const OPTIONS = { hashes: systemHashes };
const CONTENT = utf8("hello kelp");

function callerWith(payload: PayloadMode): S3Caller {
  return {
    principal: { kind: "root", name: "root" },
    keyId: undefined,
    isPresigned: false,
    payload,
  };
}

const UNSIGNED = callerWith({ kind: "unsigned" });

function putOf(headers: Readonly<Record<string, string>>): ReturnType<typeof requestOf> {
  return requestOf({
    method: "PUT",
    headers: Object.entries({ "Content-Length": String(CONTENT.length), ...headers }),
  });
}

async function streamed(
  headers: Readonly<Record<string, string>>,
  content: Uint8Array,
  caller: S3Caller,
): Promise<string> {
  try {
    const body = decodeBody(putOf(headers), bytewise(content), caller, OPTIONS);
    const decoded = await collectBytes(body.stream, 1e6);
    expect(Buffer.from(decoded ?? [])).toEqual(Buffer.from(content));
    return "accepted";
  } catch (error) {
    if (error instanceof S3Error) return error.code;
    throw error;
  }
}

async function both(
  headers: Readonly<Record<string, string>>,
  content = CONTENT,
  caller = UNSIGNED,
): Promise<string> {
  const whole = codeOf(() => decodeWhole(putOf(headers), content, caller, OPTIONS));
  expect(await streamed(headers, content, caller)).toBe(whole);
  return whole;
}

const ALGORITHMS = ["crc32", "crc32c", "crc64nvme", "sha1", "sha256"] as const;

test.each(ALGORITHMS)(
  "x-amz-checksum-%s is verified, echoed, and refused when wrong",
  async (algorithm) => {
    const right = base64(systemHashes.digest(algorithm, CONTENT));
    const wrong = base64(systemHashes.digest(algorithm, utf8("hello help")));
    const name = `x-amz-checksum-${algorithm}`;
    expect(await both({ [name]: right })).toBe("accepted");
    expect(decodeWhole(putOf({ [name]: right }), CONTENT, UNSIGNED, OPTIONS).verified).toEqual([
      { algorithm, base64: right },
    ]);
    expect(await both({ [name]: wrong })).toBe("BadDigest");
    expect(await both({ [name]: "bad" })).toBe("InvalidRequest");
    expect(await both({ [name]: "" })).toBe("InvalidRequest");
    expect(await both({ [name]: base64(utf8("not of that length")) })).toBe("InvalidRequest");
  },
);

test("checksums that are not known, or announced without a value, are passed over", async () => {
  expect(await both({ "x-amz-checksum-xxhash3": "AAAA" })).toBe("accepted");
  expect(await both({ "x-amz-sdk-checksum-algorithm": "CRC32" })).toBe("accepted");
  expect(await both({ "x-amz-checksum-type": "FULL_OBJECT" })).toBe("accepted");
});

test("checksum headers that speak of something else are left alone when asked", () => {
  const request = putOf({ "x-amz-checksum-crc32": "AAAAAA==" });
  const options = { ...OPTIONS, checksumHeaders: "ignore" } as const;
  expect(codeOf(() => decodeWhole(request, CONTENT, UNSIGNED, OPTIONS))).toBe("BadDigest");
  expect(decodeWhole(request, CONTENT, UNSIGNED, options).verified).toEqual([]);
});

test("Content-MD5 is verified", async () => {
  const right = base64(systemHashes.digest("md5", CONTENT));
  expect(await both({ "Content-MD5": right })).toBe("accepted");
  expect(await both({ "Content-MD5": base64(systemHashes.digest("md5", utf8("x"))) })).toBe(
    "BadDigest",
  );
  expect(await both({ "Content-MD5": "" })).toBe("InvalidDigest");
  expect(await both({ "Content-MD5": "c2hvcnQ=" })).toBe("InvalidDigest");
  expect(await both({ "Content-MD5": "!!!" })).toBe("InvalidDigest");
});

test("the declared hash of the payload is verified, also of an empty one", async () => {
  const hashed = (bytes: Uint8Array): S3Caller =>
    callerWith({ kind: "hash", sha256: systemHashes.digest("sha256", bytes) });
  expect(await both({}, CONTENT, hashed(CONTENT))).toBe("accepted");
  expect(await both({}, CONTENT, hashed(utf8("x")))).toBe("XAmzContentSHA256Mismatch");
  const empty = new Uint8Array();
  expect(await both({ "Content-Length": "0" }, empty, hashed(empty))).toBe("accepted");
  expect(await both({ "Content-Length": "0" }, empty, hashed(CONTENT))).toBe(
    "XAmzContentSHA256Mismatch",
  );
});

test("a body shorter or longer than its length is refused", async () => {
  expect(await both({ "Content-Length": "11" })).toBe("IncompleteBody");
  expect(await both({ "Content-Length": "9" })).toBe("IncompleteBody");
  expect(await both({ "Content-Length": "-1" })).toBe("InvalidArgument");
  expect(await both({ "Content-Length": "1e1" })).toBe("InvalidArgument");
});

test("a trailer that cannot come is refused", async () => {
  expect(await both({ "x-amz-trailer": "x-amz-checksum-crc32" })).toBe("MalformedTrailerError");
});

test("a PUT needs a length, unless its transfer is chunked", () => {
  const decode = (headers: readonly (readonly [string, string])[]): string =>
    codeOf(() => decodeWhole(requestOf({ method: "PUT", headers }), CONTENT, UNSIGNED, OPTIONS));
  expect(decode([])).toBe("MissingContentLength");
  expect(decode([["Transfer-Encoding", "chunked"]])).toBe("accepted");
  const chunks = callerWith({ kind: "chunks-unsigned", hasTrailer: true });
  const request = requestOf({ method: "PUT", headers: [["Transfer-Encoding", "chunked"]] });
  expect(codeOf(() => decodeWhole(request, CONTENT, chunks, OPTIONS))).toBe("MissingContentLength");
});

async function* bytewise(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) yield bytes.subarray(at, at + 1);
}
