import { expect, test } from "bun:test";
import type { AccessKeyId, KeyDirectory } from "@kelp/wire";
import {
  EMPTY,
  type Header,
  ID,
  OPTIONS,
  SECRET,
  caught,
  inHeader,
  inQuery,
  outcome,
} from "../testing/sketches.ts";
import { type AuthOptions, authenticate } from "./index.ts";
import { codeOf, directoryOf, requestOf } from "./testing.ts";

test("sketches are accepted when nothing is wrong with them", () => {
  expect(outcome(inHeader({}))).toBe("accepted");
  expect(outcome(inHeader({ query: "b=2&a=%7e&a-b=+&a" }))).toBe("accepted");
  expect(outcome(inQuery({}))).toBe("accepted");
});

const STRICT: AuthOptions = { ...OPTIONS, region: { kind: "strict", name: "eu-west-3" } };

test("a strict region names the right one in its refusal", () => {
  expect(
    outcome(inHeader({ credential: `${ID}/20260102/eu-west-3/s3/aws4_request` }), STRICT),
  ).toBe("accepted");
  for (const [parts, code] of [
    [inHeader({}), "AuthorizationHeaderMalformed"],
    [inQuery({}), "AuthorizationQueryParametersError"],
  ] as const) {
    const refusal = caught(() => authenticate(requestOf(parts), STRICT));
    expect(refusal.code).toBe(code);
    expect(refusal.details).toEqual({ Region: "eu-west-3" });
  }
});

test.each([
  "UNSIGNED-PAYLOAD",
  EMPTY,
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
])("an invented signature is refused whatever the payload mode: %s", (mode) => {
  const header = inHeader({ signature: "1".repeat(64) });
  const headers = header.headers?.map(([name, value]): Header => [
    name,
    name === "x-amz-content-sha256" ? mode : value,
  ]);
  expect(outcome({ ...header, headers: headers ?? [] })).toBe("SignatureDoesNotMatch");
  const query = inQuery({ signature: "1".repeat(64), unsigned: [["x-amz-content-sha256", mode]] });
  expect(outcome(query)).toBe("SignatureDoesNotMatch");
});

test("only a request without credentials of any kind is anonymous", () => {
  const caller = authenticate(requestOf({ headers: [["Host", "h"]] }), OPTIONS);
  expect(caller).toEqual({
    principal: { kind: "anonymous", name: "anonymous" },
    keyId: undefined,
    isPresigned: false,
    payload: { kind: "unsigned" },
  });
  expect(
    outcome({
      headers: [
        ["Host", "h"],
        ["x-amz-security-token", "t"],
      ],
    }),
  ).toBe("InvalidToken");
  const chunks: Header = ["x-amz-content-sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"];
  expect(outcome({ headers: [["Host", "h"], chunks] })).toBe("AccessDenied");
});

test.each<[string, string, () => KeyDirectory]>([
  ["was given a new secret", "SignatureDoesNotMatch", () => directoryOf(ID, "rotated")],
  ["was removed", "InvalidAccessKeyId", () => directoryOf("ANOTHER", SECRET)],
])("a key that %s proves nothing any more, however often it did", (_, code, change) => {
  let now = directoryOf(ID, SECRET);
  const options = { ...OPTIONS, keys: { findKey: (id: AccessKeyId) => now.findKey(id) } };
  const parts = requestOf(inHeader({}));
  for (let count = 0; count < 3; count++) {
    expect(authenticate(parts, options).principal.name).toBe("somebody");
  }
  now = change();
  expect(codeOf(() => authenticate(parts, options))).toBe(code);
  now = directoryOf(ID, SECRET, "somebody-else");
  expect(authenticate(parts, options).principal.name).toBe("somebody-else");
});

test("known claims are those of their own text: other credentials of the same length are read anew", () => {
  const other = "AKIDEXAMPLF";
  const both: KeyDirectory = {
    findKey: (id) =>
      directoryOf(ID, SECRET).findKey(id) ?? directoryOf(other, SECRET, "other").findKey(id),
  };
  const options = { ...OPTIONS, keys: both };
  const credential = `${other}/20260102/us-east-1/s3/aws4_request`;
  for (let count = 0; count < 3; count++) {
    expect(authenticate(requestOf(inHeader({})), options).principal.name).toBe("somebody");
    expect(authenticate(requestOf(inHeader({ credential })), options).principal.name).toBe("other");
  }
});
