import { describe, expect, test } from "bun:test";
import type { AccessRequest, Decision } from "@kelp/wire";
import { openTestDoor } from "../testing/door.ts";
import { signedHeaders } from "../testing/sign.ts";

/** Allows what `rules` name, as `action resource`; the rest is denied. */
function only(...rules: string[]): (request: AccessRequest) => Decision {
  return ({ action, resource }) =>
    rules.includes(`${action} ${resource}`) || action === "s3:CreateBucket"
      ? { kind: "allow" }
      : { kind: "deny", reason: "implicit" };
}

const ARN = "arn:aws:s3:::";
const codeIn = (text: string): string | undefined => /<Code>(.*?)<\/Code>/.exec(text)?.[1];

describe("a caller who may not read learns nothing", () => {
  test("conditions on a forbidden object all get the same answer as a forbidden absent one", async () => {
    await using door = await openTestDoor({ authorize: only(`s3:PutObject ${ARN}bkt/secret`) });
    await door.send("PUT", "/bkt");
    const etag = (await door.send("PUT", "/bkt/secret", { body: "x" })).headers.etag ?? "";
    expect(etag).not.toBe("");
    const answers = new Set<string>();
    for (const path of ["/bkt/secret", "/bkt/absent"]) {
      for (const headers of [
        {},
        { "if-match": etag },
        { "if-none-match": etag },
        { range: "bytes=0-0" },
        { "if-match": "x" },
      ]) {
        const answer = await door.send("GET", path, { headers });
        answers.add(`${answer.status} ${codeIn(answer.text)}`);
      }
    }
    expect([...answers]).toEqual(["403 AccessDenied"]);
  });

  test("an absent key is 404 for who may list and 403 for who may not", async () => {
    await using door = await openTestDoor({ authorize: only(`s3:GetObject ${ARN}bkt/k`) });
    await door.send("PUT", "/bkt");
    expect((await door.send("GET", "/bkt/k")).status).toBe(403);
    expect((await door.send("HEAD", "/bkt/k")).status).toBe(403);
    await using open = await openTestDoor({
      authorize: only(`s3:GetObject ${ARN}bkt/k`, `s3:ListBucket ${ARN}bkt`),
    });
    await open.send("PUT", "/bkt");
    expect((await open.send("HEAD", "/bkt/k")).status).toBe(404);
  });

  test("a bucket that does not exist is forbidden before it is absent", async () => {
    await using door = await openTestDoor({ authorize: only() });
    expect((await door.send("GET", "/nobucket/k")).status).toBe(403);
    expect((await door.send("GET", "/nobucket")).status).toBe(403);
  });
});

test("a writer who may not read cannot probe ETags with conditions", async () => {
  await using door = await openTestDoor({
    authorize: only(`s3:PutObject ${ARN}bkt/k`, `s3:DeleteObject ${ARN}bkt/k`),
  });
  await door.send("PUT", "/bkt");
  const etag = (await door.send("PUT", "/bkt/k", { body: "x" })).headers.etag ?? "";
  for (const guess of [etag, '"0"']) {
    const headers = { "if-match": guess };
    expect((await door.send("PUT", "/bkt/k", { headers, body: "y" })).status).toBe(403);
    expect((await door.send("DELETE", "/bkt/k", { headers })).status).toBe(403);
  }
  expect((await door.send("DELETE", "/bkt/k")).status).toBe(204);
});

describe("copies", () => {
  test("need the source to be readable and the target to be writable", async () => {
    const put = `s3:PutObject ${ARN}bkt/to`;
    const get = `s3:GetObject ${ARN}bkt/from`;
    for (const [rules, status] of [
      [[put], 403],
      [[get], 403],
      [[put, get], 200],
    ] as const) {
      await using door = await openTestDoor({
        authorize: only(...rules, `s3:PutObject ${ARN}bkt/from`),
      });
      await door.send("PUT", "/bkt");
      await door.send("PUT", "/bkt/from", { body: "x" });
      const headers = { "x-amz-copy-source": "/bkt/from" };
      expect((await door.send("PUT", "/bkt/to", { headers })).status).toBe(status);
    }
  });

  test("of a part read their source as well", async () => {
    const rules = only(`s3:PutObject ${ARN}bkt/to`, `s3:PutObject ${ARN}bkt/from`);
    await using door = await openTestDoor({ authorize: rules });
    await door.send("PUT", "/bkt");
    await door.send("PUT", "/bkt/from", { body: "x" });
    const begun = await door.send("POST", "/bkt/to?uploads");
    const id = /<UploadId>(.*?)</.exec(begun.text)?.[1];
    const answer = await door.send("PUT", `/bkt/to?partNumber=1&uploadId=${id}`, {
      headers: { "x-amz-copy-source": "/bkt/from" },
    });
    expect(answer.status).toBe(403);
  });
});

test("deleting many keys asks for each, and tells each its own outcome", async () => {
  await using door = await openTestDoor({
    authorize: only(
      `s3:DeleteObject ${ARN}bkt/mine`,
      `s3:PutObject ${ARN}bkt/mine`,
      `s3:PutObject ${ARN}bkt/theirs`,
    ),
  });
  await door.send("PUT", "/bkt");
  await door.send("PUT", "/bkt/mine", { body: "x" });
  await door.send("PUT", "/bkt/theirs", { body: "x" });
  const body =
    "<Delete><Object><Key>mine</Key></Object><Object><Key>theirs</Key></Object></Delete>";
  const md5 = new Bun.CryptoHasher("md5").update(body).digest("base64");
  const proven = signedHeaders({ method: "POST", path: "/bkt", query: "delete=" }, "kelp");
  const headers = { ...proven, "content-md5": md5 };
  const answer = await door.send("POST", "/bkt?delete", { body, headers });
  expect(answer.text).toContain("<Deleted><Key>mine</Key></Deleted>");
  expect(answer.text).toContain("<Error><Key>theirs</Key><Code>AccessDenied</Code>");
  expect((await door.filer.getEntry("bkt" as never, "theirs" as never)).kind).toBe("ok");
  const unchecked = await door.send("POST", "/bkt?delete", { body, headers: proven });
  expect(codeIn(unchecked.text)).toBe("InvalidRequest");
});

test("a checksum of a kind unknown here is integrity enough to delete many keys, its algorithm's name is not", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const body = "<Delete><Object><Key>k</Key></Object></Delete>";
  const outcomes: [number, string | undefined][] = [];
  for (const name of ["x-amz-checksum-xxhash3", "x-amz-checksum-algorithm"]) {
    const about = { method: "POST", path: "/bkt", query: "delete=" } as const;
    const headers = signedHeaders({ ...about, also: [name, "AAAAAAAAAAA="] }, "kelp");
    const answer = await door.send("POST", "/bkt?delete", { body, headers });
    outcomes.push([answer.status, codeIn(answer.text)]);
  }
  expect(outcomes).toEqual([
    [200, undefined],
    [400, "InvalidRequest"],
  ]);
});

test("a stranger who deletes many keys learns nothing, not even whether there is a bucket", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  for (const path of ["/bkt?delete", "/none?delete"]) {
    for (const body of ["<Delete><Object><Key>k</Key></Object></Delete>", "no document"]) {
      expect(codeIn((await door.send("POST", path, { body })).text)).toBe("AccessDenied");
    }
  }
});

test("an upload id opens no other key", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  const begun = await door.send("POST", "/bkt/mine?uploads");
  const id = /<UploadId>(.*?)</.exec(begun.text)?.[1];
  const part = await door.send("PUT", `/bkt/mine?partNumber=1&uploadId=${id}`, { body: "x" });
  const document = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
  for (const [method, path, body] of [
    ["PUT", `/bkt/other?partNumber=1&uploadId=${id}`, "x"],
    ["POST", `/bkt/other?uploadId=${id}`, document],
    ["GET", `/bkt/other?uploadId=${id}`, undefined],
    ["DELETE", `/bkt/other?uploadId=${id}`, undefined],
  ] as const) {
    const answer = await door.send(method, path, body === undefined ? {} : { body });
    expect(codeIn(answer.text)).toBe("NoSuchUpload");
  }
  expect((await door.send("POST", `/bkt/mine?uploadId=${id}`, { body: document })).status).toBe(
    200,
  );
  expect((await door.send("POST", `/bkt/mine?uploadId=${id}`, { body: document })).status).toBe(
    200,
  );
  expect(
    codeIn((await door.send("POST", `/bkt/other?uploadId=${id}`, { body: document })).text),
  ).toBe("NoSuchUpload");
});

test("trees that are no buckets are not there", async () => {
  await using door = await openTestDoor();
  await door.filer.createTree({ name: "pvc-1" as never, kind: "csi-volume", owner: "x" });
  expect((await door.send("GET", "/pvc-1")).status).toBe(404);
  expect((await door.send("PUT", "/pvc-1/k", { body: "x" })).status).toBe(404);
  expect((await door.send("DELETE", "/pvc-1")).status).toBe(404);
  expect(codeIn((await door.send("PUT", "/pvc-1")).text)).toBe("BucketAlreadyExists");
});

test("response headers of an anonymous link cannot be chosen by its writer", async () => {
  await using door = await openTestDoor();
  await door.send("PUT", "/bkt");
  await door.send("PUT", "/bkt/k", { body: "x" });
  const answer = await door.send("GET", "/bkt/k?response-content-type=text/html");
  expect(codeIn(answer.text)).toBe("InvalidRequest");
});
