import { expect, test } from "bun:test";
import { collectBytes, joinBytes, utf8 } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import * as fc from "fast-check";
import { ChunkSigner, type PayloadMode, type S3Caller } from "../auth/index.ts";
import { requestOf } from "../auth/testing.ts";
import { S3Error } from "../errors.ts";
import { decodeBody, decodeWhole } from "./index.ts";
import { signedFrames, unsignedFrames } from "./testing.ts";

const OPTIONS = { hashes: systemHashes };
const SEED = {
  signingKey: utf8("a signing key of 32 bytes, or so"),
  timestamp: "20260102T030405Z",
  scope: "20260102/us-east-1/s3/aws4_request",
  signatureHex: "5".repeat(64),
};

type Form = "signed" | "signed-trailer" | "unsigned-trailer";

function callerFor(form: Form): S3Caller {
  const signer = new ChunkSigner(SEED, systemHashes);
  const payload: PayloadMode =
    form === "unsigned-trailer"
      ? { kind: "chunks-unsigned", hasTrailer: true }
      : { kind: "chunks-signed", signer, hasTrailer: form === "signed-trailer" };
  return {
    principal: { kind: "root", name: "root" },
    keyId: undefined,
    isPresigned: false,
    payload,
  };
}

function requestFor(form: Form, sizeBytes: number): ReturnType<typeof requestOf> {
  return requestOf({
    method: "PUT",
    headers: [
      ["x-amz-decoded-content-length", String(sizeBytes)],
      ...(form === "signed" ? [] : ([["X-Amz-Trailer", "x-amz-checksum-crc32c"]] as const)),
    ],
  });
}

function wireFor(form: Form, frames: readonly Uint8Array[]): Uint8Array {
  const checksum = systemHashes.digest("crc32c", joinBytes(frames));
  const trailer = `x-amz-checksum-crc32c:${Buffer.from(checksum).toString("base64")}`;
  if (form === "unsigned-trailer") return unsignedFrames(frames, [trailer]);
  return signedFrames(frames, form === "signed" ? undefined : [trailer], SEED, systemHashes);
}

const forms = fc.constantFrom<Form[]>("signed", "signed-trailer", "unsigned-trailer");
const contents = fc.array(fc.uint8Array({ minLength: 1, maxLength: 80 }), { maxLength: 4 });

test("a framed body decodes to its content wherever it is split", async () => {
  await fc.assert(
    fc.asyncProperty(
      forms,
      contents,
      fc.array(fc.nat({ max: 600 }), { maxLength: 12 }),
      async (form, frames, cuts) => {
        const wire = wireFor(form, frames);
        const content = joinBytes(frames);
        const request = requestFor(form, content.length);
        const body = decodeBody(request, split(wire, cuts), callerFor(form), OPTIONS);
        const decoded = await collectBytes(body.stream, 1e6);
        expect(Buffer.from(decoded ?? [])).toEqual(Buffer.from(content));
        expect(body.verified().length).toBe(form === "signed" ? 0 : 1);
        const whole = decodeWhole(request, wire, callerFor(form), OPTIONS);
        expect(Buffer.from(whole.bytes)).toEqual(Buffer.from(content));
      },
    ),
  );
});

test("a framed body that is cut short anywhere is refused", () => {
  fc.assert(
    fc.property(forms, contents, fc.nat(), (form, frames, at) => {
      const wire = wireFor(form, frames);
      const cut = wire.subarray(0, at % wire.length);
      expect(refusalOf(form, frames, cut)).toBeInstanceOf(S3Error);
    }),
  );
});

test("a framed body with anything after its end is refused", () => {
  fc.assert(
    fc.property(forms, contents, fc.uint8Array({ minLength: 1 }), (form, frames, tail) => {
      const wire = joinBytes([wireFor(form, frames), tail]);
      expect(refusalOf(form, frames, wire)).toBeInstanceOf(S3Error);
    }),
  );
});

test("a framed body with any byte changed is refused or gives the same content", () => {
  fc.assert(
    fc.property(
      forms,
      contents,
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (form, frames, at, flip) => {
        const wire = wireFor(form, frames).slice();
        const place = at % wire.length;
        wire[place] = (wire[place] ?? 0) ^ flip;
        expect(["refused", "same"]).toContain(
          refusalOf(form, frames, wire) === undefined ? "same" : "refused",
        );
      },
    ),
    { numRuns: 2000 },
  );
});

test("frames of a signed body cannot be swapped, dropped or repeated", () => {
  const [first, second] = [utf8("first!"), utf8("second")];
  const wire = Buffer.from(wireFor("signed", [first, second])).toString("latin1");
  const starts = [...wire.matchAll(/[0-9a-f]+;chunk-signature=/g)].map((match) => match.index);
  const [a = 0, b = 0, end = 0] = starts;
  const one = wire.slice(a, b);
  const two = wire.slice(b, end);
  const last = wire.slice(end);
  const outcome = (text: string, frames: readonly Uint8Array[]): unknown =>
    refusalOf("signed", frames, Buffer.from(text, "latin1"));
  expect(outcome(one + two + last, [first, second])).toBeUndefined();
  for (const [text, frames] of [
    [two + one + last, [second, first]],
    [one + last, [first]],
    [two + last, [second]],
    [one + one + two + last, [first, first, second]],
    [last, []],
  ] as const) {
    expect(outcome(text, frames)).toMatchObject({ code: "SignatureDoesNotMatch" });
  }
});

test("an unsigned or empty chunk signature is refused in a signed body", () => {
  for (const header of ["5\r\n", "5;chunk-signature=\r\n", "5;chunk-sig=00\r\n", "5;x=y\r\n"]) {
    const wire = utf8(`${header}hello\r\n0;chunk-signature=\r\n\r\n`);
    expect(refusalOf("signed", [utf8("hello")], wire)).toBeInstanceOf(S3Error);
  }
});

test.each([
  ["a header without an end", "5".repeat(5000)],
  ["a size beyond numbers", "fffffffffffffffff\r\n"],
  ["a negative size", "-5\r\nhello\r\n0\r\n\r\n"],
  ["a prefixed size", "0x5\r\nhello\r\n0\r\n\r\n"],
  ["an empty size", "\r\nhello\r\n0\r\n\r\n"],
  ["a size with spaces", "5 \r\nhello\r\n0\r\n\r\n"],
  ["bare line feeds", "5\nhello\n0\n\n"],
  ["a chunk longer than its size", "4\r\nhello\r\n0\r\n\r\n"],
  ["no last chunk", "5\r\nhello\r\n"],
  ["no trailer", "5\r\nhello\r\n0\r\n\r\n"],
  ["another trailer", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n"],
  ["a trailer twice", `5\r\nhello\r\n0\r\n${"x-amz-checksum-crc32c:mnG7TA==\r\n".repeat(2)}\r\n`],
  ["a wrong checksum", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:AAAAAA==\r\n\r\n"],
  ["a checksum that is none", "5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:nonsense\r\n\r\n"],
  ["a trailer without a name", "5\r\nhello\r\n0\r\n:mnG7TA==\r\n\r\n"],
  ["less than announced", "4\r\nhell\r\n0\r\nx-amz-checksum-crc32c:mnG7TA==\r\n\r\n"],
  ["more than announced", "6\r\nhello!\r\n0\r\nx-amz-checksum-crc32c:mnG7TA==\r\n\r\n"],
])("a framed body is refused with %s", (_, text) => {
  expect(refusalOf("unsigned-trailer", [utf8("hello")], utf8(text))).toBeInstanceOf(S3Error);
});

test("the body of those refusals is accepted when nothing is wrong with it", () => {
  const wire = utf8("5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:mnG7TA==\r\n\r\n");
  expect(refusalOf("unsigned-trailer", [utf8("hello")], wire)).toBeUndefined();
});

/** The refusal, or `undefined` when the body decodes to exactly `frames`; other content fails the test. */
function refusalOf(
  form: Form,
  frames: readonly Uint8Array[],
  wire: Uint8Array,
): S3Error | undefined {
  const content = joinBytes(frames);
  try {
    const whole = decodeWhole(requestFor(form, content.length), wire, callerFor(form), OPTIONS);
    expect(Buffer.from(whole.bytes)).toEqual(Buffer.from(content));
    return undefined;
  } catch (error) {
    if (error instanceof S3Error) return error;
    throw error;
  }
}

async function* split(bytes: Uint8Array, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const places = [0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort(
    (left, right) => left - right,
  );
  for (let index = 0; index + 1 < places.length; index++) {
    yield bytes.subarray(places[index], places[index + 1]);
  }
}
