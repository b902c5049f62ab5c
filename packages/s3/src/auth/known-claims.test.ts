import { expect, test } from "bun:test";
import { readAuthorizationHeader } from "./authorization-header.ts";
import { KnownClaims } from "./known-claims.ts";
import { codeOf } from "./testing.ts";

const HEAD =
  "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/r/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=";

function known(): KnownClaims {
  const claims = new KnownClaims();
  const claim = readAuthorizationHeader(HEAD + "a".repeat(64), claims);
  expect(claim.newHeadText).toBe(HEAD);
  claims.keep(HEAD, claim.head);
  return claims;
}

test("a known header reads as it did when it was new", () => {
  const signatureHex = "0123456789abcdef".repeat(4);
  const { newHeadText: _text, ...fresh } = readAuthorizationHeader(
    HEAD + signatureHex,
    new KnownClaims(),
  );
  const { newHeadText, ...again } = readAuthorizationHeader(HEAD + signatureHex, known());
  expect(again).toEqual(fresh);
  expect(newHeadText).toBeUndefined();
});

test.each([
  ["upper-case digits", "A".repeat(64)],
  ["a digit too few", "a".repeat(63)],
  ["a digit too many", "a".repeat(65)],
  ["nothing", ""],
  ["something behind it", `${"a".repeat(60)},b=c`],
  ["a second credential in its place", `${"a".repeat(47)},Credential=other`],
  ["a line break at its end", `${"a".repeat(63)}\n`],
])("a known header is refused with %s for a signature", (_, signature) => {
  expect(codeOf(() => readAuthorizationHeader(HEAD + signature, known()))).toBe(
    "AuthorizationHeaderMalformed",
  );
});

test("a header whose signature does not come last is read each time", () => {
  const value = `AWS4-HMAC-SHA256 Signature=${"a".repeat(64)},Credential=AKIDEXAMPLE/20260102/r/s3/aws4_request,SignedHeaders=host`;
  const claim = readAuthorizationHeader(value, new KnownClaims());
  expect(claim.signatureHex).toBe("a".repeat(64));
  expect(claim.newHeadText).toBeUndefined();
});

test("the oldest head makes room for a new one, and long ones are not kept", () => {
  const claims = known();
  const { head } = readAuthorizationHeader(HEAD + "a".repeat(64), claims);
  for (let index = 0; index < 1023; index++) claims.keep(`${index}`, head);
  expect(claims.find(`${HEAD}x`, 1)).toBe(head);
  claims.keep("one more", head);
  expect(claims.find("one more!", 1)).toBe(head);
  expect(claims.find(`${HEAD}x`, 1)).toBeUndefined();
  const long = "x".repeat(1025);
  claims.keep(long, head);
  expect(claims.find(`${long}y`, 1)).toBeUndefined();
});
