import { expect, test } from "bun:test";
import { must } from "@kelp/base";
import { systemHashes } from "@kelp/base/platform";
import { parseAmzDate } from "../auth/amz-date.ts";
import captured from "../auth/botocore-requests.json" with { type: "json" };
import { type AuthOptions, authenticate } from "../auth/index.ts";
import { clockAt, codeOf, directoryOf, requestOf } from "../auth/testing.ts";
import type { S3Request } from "../request.ts";
import { decodeWhole } from "./index.ts";

// Requests as botocore 1.43 puts them on the wire, signed by it with these example credentials.
const KEYS = directoryOf("kelp-example", "example/secret+with=signs");

interface Captured {
  readonly name: string;
  readonly request: S3Request;
  readonly body: Uint8Array;
  readonly options: AuthOptions;
}

const REQUESTS: readonly Captured[] = captured.map((entry) => {
  const headers = Object.entries<string>(entry.headers).map(
    ([name, value]) => [name, value] as const,
  );
  const request = requestOf({
    method: entry.method,
    path: entry.rawPath,
    query: entry.rawQuery,
    headers,
  });
  const dateText =
    request.headers["x-amz-date"] ?? request.query.find(([name]) => name === "X-Amz-Date")?.[1];
  const nowMs = typeof dateText === "string" ? must(parseAmzDate(dateText)) : 0;
  return {
    name: entry.name,
    request,
    body: Buffer.from(entry.body, "base64"),
    options: {
      keys: KEYS,
      clock: clockAt(nowMs),
      hashes: systemHashes,
      region: { kind: "any" },
    },
  };
});

test.each(REQUESTS.map((entry) => [entry.name, entry] as const))(
  "botocore's request is proven and its body verified: %s",
  (name, { request, body, options }) => {
    const caller = authenticate(request, options);
    expect(caller.principal.kind).toBe(name.includes("anonymous") ? "anonymous" : "identity");
    expect(caller.isPresigned).toBe(name.startsWith("presigned"));
    if (caller.isPresigned) return;
    const checksumHeaders = name === "complete upload" ? "ignore" : "verify";
    const whole = decodeWhole(request, body, caller, { ...options, checksumHeaders });
    expect(whole.verified.length).toBe(
      (request.method === "PUT" && !/create|copy/.test(name)) || name === "delete objects" ? 1 : 0,
    );
  },
);

const SIGNED = REQUESTS.filter(({ name }) => !name.includes("anonymous"));

test.each(SIGNED.map((entry) => [entry.name, entry] as const))(
  "botocore's request is refused with another method, key, query or secret: %s",
  (_, { request, options }) => {
    const refused = (changed: Partial<S3Request>): string =>
      codeOf(() => authenticate({ ...request, ...changed }, options));
    expect(refused({ method: "OPTIONS" })).toBe("SignatureDoesNotMatch");
    expect(refused({ rawPath: `${request.rawPath}x` })).toBe("SignatureDoesNotMatch");
    expect(refused({ rawPath: request.rawPath.replace("/bucket", "//bucket") + "/" })).toBe(
      "SignatureDoesNotMatch",
    );
    const rawQuery = `${request.rawQuery}${request.rawQuery === "" ? "" : "&"}acl`;
    expect(refused({ rawQuery, query: [...request.query, ["acl", ""]] })).toBe(
      "SignatureDoesNotMatch",
    );
    const keys = directoryOf("kelp-example", "another");
    expect(codeOf(() => authenticate(request, { ...options, keys }))).toBe("SignatureDoesNotMatch");
    const strangers = directoryOf("someone-else", "example/secret+with=signs");
    expect(codeOf(() => authenticate(request, { ...options, keys: strangers }))).toBe(
      "InvalidAccessKeyId",
    );
  },
);

test.each(SIGNED.map((entry) => [entry.name, entry] as const))(
  "an x-amz- header added to botocore's request is refused: %s",
  (_, { request, options }) => {
    for (const name of ["x-amz-copy-source", "x-amz-acl", "x-amz-meta-a", "x-amz-tagging"]) {
      if (request.headers[name] !== undefined) continue;
      const changed = {
        ...request,
        headers: { ...request.headers, [name]: "public-read" },
        rawHeaders: [...request.rawHeaders, name, "public-read"],
      };
      expect(codeOf(() => authenticate(changed, options))).toBe("AccessDenied");
    }
  },
);
