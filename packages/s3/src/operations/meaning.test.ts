import { describe, expect, test } from "bun:test";
import { type TestDoor, openTestDoor } from "../testing/door.ts";

const codeIn = (text: string): string | undefined => /<Code>(.*?)<\/Code>/.exec(text)?.[1];
const all = (text: string, name: string): (string | undefined)[] =>
  [...text.matchAll(new RegExp(`<${name}>(.*?)</${name}>`, "g"))].map((match) => match[1]);

async function doorWith(keys: readonly string[]): Promise<TestDoor> {
  const door = await openTestDoor();
  await door.send("PUT", "/bkt");
  for (const key of keys) await door.send("PUT", `/bkt/${encodeURIComponent(key)}`, { body: key });
  return door;
}

test("every answer names its request, its server and its time", async () => {
  await using door = await openTestDoor();
  const ids = new Set<unknown>();
  for (const path of ["/", "/bkt", "/bkt/k"]) {
    const { headers } = await door.send("GET", path);
    expect(headers.server).toBe("Kelp");
    expect(headers.date).toMatch(/GMT$/);
    expect(headers["x-amz-id-2"]).toBeString();
    ids.add(headers["x-amz-request-id"]);
  }
  expect(ids.size).toBe(3);
});

test("what is not built answers 501 as XML, also where a listing would be near", async () => {
  await using door = await doorWith(["k"]);
  for (const path of [
    "/bkt?policy",
    "/bkt?acl",
    "/bkt?versions",
    "/bkt?somethingNew",
    "/bkt/k?attributes",
    "/bkt/k?acl",
  ]) {
    const answer = await door.send("GET", path);
    expect([path, answer.status, codeIn(answer.text)]).toEqual([path, 501, "NotImplemented"]);
  }
});

test("HEAD has the headers of GET and no body, also when refused", async () => {
  await using door = await doorWith(["k"]);
  const got = await door.send("GET", "/bkt/k");
  const head = await door.send("HEAD", "/bkt/k");
  for (const name of ["content-length", "etag", "content-type", "last-modified", "accept-ranges"]) {
    expect(head.headers[name]).toBe(got.headers[name] as never);
  }
  expect(head.bytes.length).toBe(0);
  const absent = await door.send("HEAD", "/bkt/absent");
  expect([absent.status, absent.bytes.length]).toEqual([404, 0]);
});

test("the location of a completed upload is an address that this door answers at", async () => {
  await using door = await doorWith([]);
  const begun = await door.send("POST", "/bkt/k?uploads");
  const [uploadId] = all(begun.text, "UploadId");
  const part = await door.send("PUT", `/bkt/k?partNumber=1&uploadId=${uploadId}`, { body: "x" });
  const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${part.headers.etag}</ETag></Part></CompleteMultipartUpload>`;
  const done = await door.send("POST", `/bkt/k?uploadId=${uploadId}`, { body });
  const [location = ""] = all(done.text, "Location");
  expect(new URL(location).protocol).toBe("http:");
  expect(new URL(location).pathname).toBe("/bkt/k");
});

test("a copy's answer says of what kind its checksum is", async () => {
  await using door = await doorWith(["k"]);
  const copied = await door.send("PUT", "/bkt/copy", {
    headers: { "x-amz-copy-source": "/bkt/k", "x-amz-checksum-algorithm": "SHA256" },
  });
  expect(all(copied.text, "ChecksumType")).toEqual(["FULL_OBJECT"]);
});

describe("listing", () => {
  const keys = ["a", "a/b", "a/c", "b&<c", "d/e/f", "z"];

  test("rolls up at the delimiter, in order, page by page, without repeats", async () => {
    await using door = await doorWith(keys);
    const seen: (string | undefined)[] = [];
    let token: string | undefined;
    do {
      const more = token === undefined ? "" : `&continuation-token=${token}`;
      const page = await door.send("GET", `/bkt?list-type=2&delimiter=/&max-keys=1${more}`);
      expect(all(page.text, "KeyCount")).toEqual(["1"]);
      seen.push(
        ...all(page.text, "Key"),
        ...all(page.text.replace(/<Prefix>(?=<)/, ""), "CommonPrefixes"),
      );
      token = all(page.text, "NextContinuationToken")[0];
      expect(all(page.text, "IsTruncated")).toEqual([token === undefined ? "false" : "true"]);
    } while (token !== undefined);
    expect(seen).toEqual(["a", "<Prefix>a/</Prefix>", "b&amp;&lt;c", "<Prefix>d/</Prefix>", "z"]);
  });

  test("shows a next marker in version 1 only beside a delimiter", async () => {
    await using door = await doorWith(keys);
    const plain = await door.send("GET", "/bkt?max-keys=1");
    expect(all(plain.text, "IsTruncated")).toEqual(["true"]);
    expect(all(plain.text, "NextMarker")).toEqual([]);
    const rolled = await door.send("GET", "/bkt?max-keys=2&delimiter=/");
    expect(all(rolled.text, "NextMarker")).toEqual(["a/"]);
    const next = await door.send("GET", "/bkt?max-keys=2&delimiter=/&marker=a/");
    expect(all(next.text, "Key")).toEqual(["b&amp;&lt;c"]);
  });

  test("encodes keys when asked to", async () => {
    await using door = await doorWith(["x y+\u0001"]);
    const page = await door.send("GET", "/bkt?list-type=2&encoding-type=url&prefix=x%20");
    expect(all(page.text, "Key")).toEqual(["x%20y%2B%01"]);
    expect(all(page.text, "EncodingType")).toEqual(["url"]);
    expect(page.text).toContain("<Prefix>x%20</Prefix>");
  });

  test("of no keys is empty and complete", async () => {
    await using door = await doorWith(keys);
    const page = await door.send("GET", "/bkt?list-type=2&max-keys=0");
    expect([all(page.text, "KeyCount"), all(page.text, "IsTruncated")]).toEqual([["0"], ["false"]]);
  });

  test("refuses limits and encodings that are none", async () => {
    await using door = await doorWith([]);
    for (const query of [
      "max-keys=-1",
      "max-keys=x",
      "max-keys=99999999999",
      "encoding-type=xml",
      "list-type=2&continuation-token=made-up",
      "list-type=2&continuation-token=",
    ]) {
      const answer = await door.send("GET", `/bkt?${query}`);
      expect([query, codeIn(answer.text)]).toEqual([query, "InvalidArgument"]);
    }
  });
});

describe("writes with conditions", () => {
  test("If-None-Match lets exactly one of many creators through", async () => {
    await using door = await doorWith([]);
    const headers = { "if-none-match": "*" };
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) =>
        door.send("PUT", "/bkt/lock", { headers, body: String(index) }),
      ),
    );
    expect(answers.filter((answer) => answer.status === 200).length).toBe(1);
    expect(answers.filter((answer) => answer.status === 412).length).toBe(15);
  });

  test("If-Match is 412 on another object and 404 on none", async () => {
    await using door = await doorWith(["k"]);
    const headers = { "if-match": '"0"' };
    expect((await door.send("PUT", "/bkt/k", { headers, body: "x" })).status).toBe(412);
    expect((await door.send("PUT", "/bkt/none", { headers, body: "x" })).status).toBe(404);
    expect((await door.send("GET", "/bkt/k")).text).toBe("k");
  });
});

describe("a body that is not what was promised leaves no object", () => {
  const cases: Readonly<Record<string, readonly [Record<string, string>, string]>> = {
    "a wrong MD5": [{ "content-md5": "AAAAAAAAAAAAAAAAAAAAAA==" }, "BadDigest"],
    "an unreadable MD5": [{ "content-md5": "x" }, "InvalidDigest"],
    "a wrong CRC": [{ "x-amz-checksum-crc32": "AAAAAA==" }, "BadDigest"],
  };
  for (const [name, [headers, code]] of Object.entries(cases)) {
    for (const sizeBytes of [10, 1_000_000]) {
      test(`${name}, ${sizeBytes} bytes`, async () => {
        await using door = await doorWith([]);
        const answer = await door.send("PUT", "/bkt/k", {
          headers,
          body: Buffer.alloc(sizeBytes, 1),
        });
        expect(codeIn(answer.text)).toBe(code);
        expect((await door.send("HEAD", "/bkt/k")).status).toBe(404);
      });
    }
  }
});

test("a checksum is shown when asked for, and never with a part of the object", async () => {
  await using door = await doorWith([]);
  const crc = Buffer.alloc(4);
  crc.writeUInt32BE(Bun.hash.crc32("hello"));
  const value = crc.toString("base64");
  const put = await door.send("PUT", "/bkt/k", {
    headers: { "x-amz-checksum-crc32": value },
    body: "hello",
  });
  expect(put.headers["x-amz-checksum-crc32"]).toBe(value);
  const mode = { "x-amz-checksum-mode": "ENABLED" };
  expect((await door.send("GET", "/bkt/k")).headers["x-amz-checksum-crc32"]).toBeUndefined();
  expect(
    (await door.send("GET", "/bkt/k", { headers: mode })).headers["x-amz-checksum-crc32"],
  ).toBe(value);
  const part = await door.send("GET", "/bkt/k", { headers: { ...mode, range: "bytes=0-1" } });
  expect(part.headers["x-amz-checksum-crc32"]).toBeUndefined();
});

test("a range beyond the end tells the size", async () => {
  await using door = await doorWith(["0123456789"]);
  const answer = await door.send("GET", "/bkt/0123456789", { headers: { range: "bytes=10-" } });
  expect([answer.status, answer.headers["content-range"]]).toEqual([416, "bytes */10"]);
});

test("over quota is refused as such", async () => {
  await using door = await doorWith([]);
  await door.filer.setQuota("bkt" as never, { bytes: 5 });
  expect(codeIn((await door.send("PUT", "/bkt/k", { body: "123456" })).text)).toBe("QuotaExceeded");
  expect((await door.send("PUT", "/bkt/k", { body: "12345" })).status).toBe(200);
});

test("a bucket can be made again only by its owner, and unmade only when empty", async () => {
  await using door = await doorWith(["k"]);
  expect((await door.send("PUT", "/bkt")).status).toBe(200);
  expect((await door.send("PUT", "/bkt", { body: "<CreateBucketConfiguration/>" })).status).toBe(
    200,
  );
  const elsewhere =
    "<CreateBucketConfiguration><LocationConstraint>mars-1</LocationConstraint></CreateBucketConfiguration>";
  expect(codeIn((await door.send("PUT", "/bkt", { body: elsewhere })).text)).toBe(
    "BucketAlreadyOwnedByYou",
  );
  await door.filer.createTree({ name: "theirs" as never, kind: "bucket", owner: "them" });
  expect(codeIn((await door.send("PUT", "/theirs")).text)).toBe("BucketAlreadyExists");
  expect(codeIn((await door.send("DELETE", "/bkt")).text)).toBe("BucketNotEmpty");
  await door.send("DELETE", "/bkt/k");
  expect((await door.send("DELETE", "/bkt")).status).toBe(204);
});

test("a strict region takes only its own name", async () => {
  await using door = await openTestDoor({ server: { region: { kind: "strict", name: "here-1" } } });
  const body = (name: string): string =>
    `<CreateBucketConfiguration><LocationConstraint>${name}</LocationConstraint></CreateBucketConfiguration>`;
  expect(codeIn((await door.send("PUT", "/bkt", { body: body("there-1") })).text)).toBe(
    "IllegalLocationConstraintException",
  );
  expect((await door.send("PUT", "/bkt", { body: body("here-1") })).status).toBe(200);
  expect((await door.send("HEAD", "/bkt")).headers["x-amz-bucket-region"]).toBe("here-1");
  expect((await door.send("GET", "/bkt?location")).text).toContain(">here-1</LocationConstraint>");
});

test("user metadata keeps its UTF-8", async () => {
  await using door = await doorWith([]);
  const bytes = Buffer.from("grün 𝒳").toString("latin1");
  await door.send("PUT", "/bkt/k", { headers: { "x-amz-meta-colour": bytes }, body: "x" });
  expect((await door.send("HEAD", "/bkt/k")).headers["x-amz-meta-colour"]).toBe(bytes);
});

test("over a quota of objects is refused as one of bytes is; replacing and deleting go on", async () => {
  await using door = await doorWith(["k"]);
  await door.filer.setQuota("bkt" as never, { entries: 1 });
  const refused = await door.send("PUT", "/bkt/other", { body: "" });
  expect([refused.status, codeIn(refused.text)]).toEqual([403, "QuotaExceeded"]);
  expect((await door.send("PUT", "/bkt/k", { body: "again" })).status).toBe(200);
  expect((await door.send("DELETE", "/bkt/k")).status).toBe(204);
  expect((await door.send("PUT", "/bkt/other", { body: "" })).status).toBe(200);
});
