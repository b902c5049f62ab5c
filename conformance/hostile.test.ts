import { afterAll, beforeAll, expect, test } from "bun:test";
import { statSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { KelpServer } from "./harness/kelp-server.ts";
import {
  type KeyPair,
  presignTarget,
  sendRaw,
  sendSigned,
  sha256Hex,
  signHeaders,
} from "./harness/signed-request.ts";

/** The whole server under attack: every request here is one that went wrong somewhere in the trade. */

let server: KelpServer;
let root: KeyPair;
const ANN: KeyPair = { id: "ann-key", secret: "ann-secret-of-the-test" };
const BOB: KeyPair = { id: "bob-key", secret: "bob-secret-of-the-test" };

beforeAll(async () => {
  server = await KelpServer.start({ flags: ["--log.level", "debug"] });
  root = { id: server.credentials.access_key, secret: server.credentials.secret_key };
  for (const path of ["/alpha", "/beta"]) await s3("PUT", path);
  for (const key of ["private/ns/a", "private/ns2/a", "private/ns/../ns2/b"]) {
    await s3("PUT", `/alpha/${key}`, { body: "secret" });
  }
  await makeIdentity("ann", ANN, ["Read:alpha/private/ns/*", "Write:alpha/private/ns/*"]);
  await makeIdentity("bob", BOB, ["Read:alpha"]);
});

afterAll(() => server[Symbol.asyncDispose]());

function s3(method: string, path: string, more: object = {}, key = root) {
  return sendSigned(server.s3Url, { method, path, ...more }, key);
}

function console(
  method: string,
  target: string,
  more: { readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
) {
  const headers = { host: new URL(server.consoleUrl).host, ...more.headers };
  return sendRaw(server.consoleUrl, { method, target, ...more, headers });
}

function asRoot() {
  return {
    authorization: `Bearer ${server.credentials.console_token}`,
    "content-type": "application/json",
  };
}

async function makeIdentity(name: string, key: KeyPair, actions: readonly string[]) {
  const base = `/api/v1/identities/${name}`;
  const body = JSON.stringify({ actions });
  expect((await console("PUT", base, { headers: asRoot(), body })).status).toBe(200);
  const pair = JSON.stringify({ access_key: key.id, secret_key: key.secret });
  const made = await console("POST", `${base}/keys`, { headers: asRoot(), body: pair });
  expect(made.status).toBe(201);
}

const PAYLOADS = [
  "UNSIGNED-PAYLOAD",
  "STREAMING-UNSIGNED-PAYLOAD-TRAILER",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
  "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
  sha256Hex("x"),
];
const WRITERS = [
  ["PUT", "/alpha/forged", undefined],
  ["PUT", "/alpha/forged", "partNumber=1&uploadId=x"],
  ["POST", "/alpha/forged", "uploads="],
  ["POST", "/alpha/forged", "uploadId=x"],
  ["POST", "/alpha", "delete="],
  ["PUT", "/gamma", undefined],
  ["DELETE", "/alpha/private/ns/a", undefined],
] as const;

test.each(PAYLOADS)("no writer takes a fabricated signature over %s", async (payload) => {
  const host = new URL(server.s3Url).host;
  const body = payload.startsWith("STREAMING") ? "1\r\nx\r\n0\r\n\r\n" : "x";
  const length = { "x-amz-decoded-content-length": "1" };
  for (const [method, path, query] of WRITERS) {
    const request = {
      method,
      path,
      payload,
      headers: length,
      ...(query !== undefined && { query }),
    };
    const forged = signHeaders(request, { ...root, secret: "another-secret" }, host);
    const target = query === undefined ? path : `${path}?${query}`;
    const credential = `X-Amz-Credential=${root.id}%2F20260101%2Fus-east-1%2Fs3%2Faws4_request`;
    const inQuery = `${target}${query === undefined ? "?" : "&"}${credential}`;
    const anonymous = { host, "x-amz-content-sha256": payload, ...length };
    for (const [headers, sent] of [
      [forged, target],
      [forged, inQuery],
      [anonymous, target],
      [anonymous, inQuery],
    ] as const) {
      const answer = await sendRaw(server.s3Url, { method, target: sent, headers, body });
      expect([400, 403]).toContain(answer.status);
    }
  }
  expect((await s3("GET", "/alpha/forged")).code).toBe("NoSuchKey");
  expect((await s3("GET", "/alpha/private/ns/a")).text).toBe("secret");
});

test.each([
  ["x-amz-copy-source", "alpha/private/ns/a"],
  ["x-amz-acl", "public-read"],
  ["x-amz-meta-a", "1"],
  ["x-amz-tagging", "a=b"],
])("who holds a presigned link cannot add %s to it", async (name, value) => {
  const host = new URL(server.s3Url).host;
  const target = presignTarget({ method: "PUT", path: "/alpha/presigned" }, root, host);
  const put = (headers: Record<string, string>) =>
    sendRaw(server.s3Url, { method: "PUT", target, headers: { host, ...headers }, body: "x" });
  expect((await put({ [name]: value })).code).toBe("AccessDenied");
  expect((await put({})).status).toBe(200);
});

test("an identity with a prefix reaches nothing beside it, however the path is written", async () => {
  for (const path of [
    "/alpha/private/ns2/a",
    "/alpha/private/ns",
    "/alpha/private/ns%2F..%2Fns2/a",
    "/alpha/private/ns/../ns2/a",
    "/alpha/private//ns/a",
    "/alpha/private/NS/a",
    "/alpha//private/ns/a",
    "/beta/private/ns/a",
  ]) {
    const first = await s3("GET", path, {}, ANN);
    expect(first).toMatchObject({ status: 403, code: "AccessDenied" });
    const conditional = await s3("GET", path, { headers: { "if-none-match": "*" } }, ANN);
    expect(conditional).toMatchObject({ status: 403, code: "AccessDenied" });
  }
  // `..` is a name like any other: this object is really below the prefix.
  expect((await s3("GET", "/alpha/private/ns/../ns2/b", {}, ANN)).text).toBe("secret");
});

test("a copy reads only what its caller may read", async () => {
  for (const source of [
    "alpha/private/ns2/a",
    "/alpha/private/ns2/a",
    "alpha%2Fprivate%2Fns2%2Fa",
  ]) {
    const headers = { "x-amz-copy-source": source };
    expect((await s3("PUT", "/alpha/private/ns/copy", { headers }, ANN)).code).toBe("AccessDenied");
    const query = "partNumber=1&uploadId=x";
    const part = await s3("PUT", "/alpha/private/ns/copy", { headers, query }, ANN);
    expect(part.code).toBe("AccessDenied");
  }
});

test("the id of somebody else's upload opens nothing", async () => {
  const begun = await s3("POST", "/alpha/other/upload", { query: "uploads=" });
  const id = /<UploadId>(.*?)</.exec(begun.text)?.[1] ?? "";
  const body =
    "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>";
  for (const [method, query] of [
    ["PUT", `partNumber=1&uploadId=${id}`],
    ["GET", `uploadId=${id}`],
    ["DELETE", `uploadId=${id}`],
    ["POST", `uploadId=${id}`],
  ] as const) {
    expect((await s3(method, "/alpha/private/ns/x", { query, body }, ANN)).code).toBe(
      "NoSuchUpload",
    );
    expect((await s3(method, "/alpha/other/upload", { query, body }, ANN)).code).toBe(
      "AccessDenied",
    );
  }
  expect((await s3("GET", "/alpha/other/upload", { query: `uploadId=${id}` })).status).toBe(200);
});

test("of 64 clients that create one key, exactly one does", async () => {
  const headers = { "if-none-match": "*" };
  const puts = Array.from({ length: 64 }, () => s3("PUT", "/alpha/once", { body: "x", headers }));
  const statuses = (await Promise.all(puts)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 412)).toHaveLength(63);
});

test.each<[string, Record<string, string>, number]>([
  ["its own name", {}, 200],
  ["a rebound name", { host: "evil.example" }, 403],
  ["a name that begins like its own", { host: "127.0.0.1.evil.example" }, 403],
  ["a Host that is none", { host: "127.0.0.1@evil.example" }, 400],
  ["an empty Host", { host: "" }, 400],
  ["a foreign Origin", { origin: "http://evil.example" }, 403],
  ["the Origin null", { origin: "null" }, 403],
  ["a fetch from another site", { "sec-fetch-site": "cross-site" }, 403],
  ["a wrong token", { authorization: "Bearer wrong" }, 401],
  ["an unknown session", { cookie: "kelp_session=unknown" }, 401],
])("the people's door answers the local user under %s", async (_what, headers, status) => {
  for (const target of ["/api/v1/overview", "/apis/v2beta1/runs"]) {
    expect((await console("GET", target, { headers })).status).toBe(status);
  }
  expect(server.output).not.toContain("A request of the console door failed");
});

test.each(["Host: evil.example", "Origin: http://evil.example", "Authorization: Bearer wrong"])(
  "a second %s is not overlooked",
  async (line) => {
    const own = new URL(server.consoleUrl).host;
    const name = line.slice(0, line.indexOf(":")).toLowerCase();
    const first = { host: own, origin: `http://${own}`, authorization: asRoot().authorization };
    const headers = { ...first, [name.toUpperCase()]: line.slice(name.length + 2) };
    expect((await console("GET", "/api/v1/overview", { headers })).status).toBe(400);
  },
);

test("another site changes nothing, whatever type it gives its body", async () => {
  for (const [method, target] of [
    ["POST", "/api/v1/buckets"],
    ["POST", "/api/v1/session"],
    ["PUT", "/api/v1/buckets/alpha/object?key=foreign"],
    ["POST", "/apis/v2beta1/runs"],
    ["POST", "/apis/v2beta1/pipelines/upload"],
    ["DELETE", "/apis/v2beta1/runs/x"],
  ] as const) {
    const headers = { origin: "http://evil.example", "content-type": "text/plain" };
    expect((await console(method, target, { headers, body: "{}" })).status).toBe(403);
  }
});

test("an identity that may read one bucket is shown nothing beyond it", async () => {
  const body = JSON.stringify({ access_key: BOB.id, secret_key: BOB.secret });
  const { host } = new URL(server.consoleUrl);
  const signed = await fetch(`${server.consoleUrl}/api/v1/session`, {
    method: "POST",
    body,
    headers: { host, "content-type": "application/json" },
  });
  const cookie = (signed.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  const as = (method: string, target: string) =>
    console(method, target, { headers: { cookie, "content-type": "application/json" } });
  expect((await as("GET", "/api/v1/buckets/alpha/object?key=private/ns/a")).text).toBe("secret");
  expect((await as("GET", "/api/v1/buckets")).text).toBe('{"buckets":[]}');
  for (const [method, target] of [
    ...[
      "overview",
      "cluster",
      "volumes",
      "identities",
      "buckets/beta",
      "buckets/alpha/objects",
    ].map((path) => ["GET", `/api/v1/${path}`] as const),
    ...["runs", "runs/x", "pipelines", "experiments"].map(
      (path) => ["GET", `/apis/v2beta1/${path}`] as const,
    ),
    ...["artifacts", "artifacts/1/content", "runs/x/graph", "runs/x/tasks/y/log"].map(
      (path) => ["GET", `/apis/kelp/v1/${path}`] as const,
    ),
    ["GET", "/api/v1/buckets/beta/object?key=x"],
    ["PUT", "/api/v1/buckets/alpha/object?key=x"],
    ["DELETE", "/api/v1/identities/bob"],
    ["POST", "/apis/v2beta1/runs"],
    ["POST", "/apis/v2beta1/pipelines/upload"],
  ] as const) {
    expect({ target, status: (await as(method, target)).status }).toEqual({ target, status: 403 });
  }
});

// Last, so that it looks back on all that was asked before.
test("after all that no secret stands in the log, and nobody else may read the folder", () => {
  expect(server.output).toContain("s3 request");
  const { secret_key, console_token } = server.credentials;
  for (const secret of [
    secret_key,
    console_token,
    ANN.secret,
    BOB.secret,
    "Signature=",
    "kelp_session=",
  ]) {
    expect(server.output).not.toContain(secret);
  }
  for (const name of ["", ...readdirSync(server.dir)]) {
    expect(statSync(join(server.dir, name)).mode & 0o077).toBe(0);
  }
});
