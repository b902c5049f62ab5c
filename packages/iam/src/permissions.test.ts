import { expect, test } from "bun:test";
import { type Principal, type Statement, bucketArn, objectArn, serviceArn } from "@kelp/wire";
import { codeOf, open } from "./testing.ts";

async function identityWith(
  actions: readonly string[],
  statements: readonly Statement[] = [],
): Promise<(action: string, resource: string) => boolean> {
  const iam = open();
  await iam.putIdentity({ name: "tenant", actions, statements });
  const principal: Principal = { kind: "identity", name: "tenant" };
  return (action, resource) => iam.authorize({ principal, action, resource }).kind === "allow";
}

test("a new identity without actions may do nothing", async () => {
  const may = await identityWith([]);
  for (const action of ["s3:GetObject", "s3:ListAllMyBuckets", "s3:PutObject", "iam:PutUser"]) {
    expect(may(action, objectArn("bucket", "key"))).toBe(false);
    expect(may(action, bucketArn("*"))).toBe(false);
  }
});

const EVERY_ACTION: readonly string[] = [
  "s3:GetObject",
  "s3:PutObject",
  "s3:DeleteObject",
  "s3:ListBucket",
  "s3:ListAllMyBuckets",
  "s3:CreateBucket",
  "s3:DeleteBucket",
  "s3:PutObjectTagging",
  "s3:GetObjectAcl",
  "s3:PutObjectAcl",
  "s3:PutObjectRetention",
  "s3:PutBucketPolicy",
  "s3:BypassGovernanceRetention",
  "pipelines:CreateRun",
  "kelp:ManageIdentities",
];

test.each<[string, readonly string[]]>([
  ["Read", ["s3:GetObject"]],
  ["Write", ["s3:PutObject", "s3:DeleteObject"]],
  ["List", ["s3:ListBucket", "s3:ListAllMyBuckets"]],
  ["Tagging", ["s3:PutObjectTagging"]],
  ["ReadAcp", ["s3:GetObjectAcl"]],
  ["WriteAcp", ["s3:PutObjectAcl"]],
  ["DeleteBucket", ["s3:DeleteBucket"]],
  ["PutObjectRetention", ["s3:PutObjectRetention"]],
  ["PutBucketPolicy", ["s3:PutBucketPolicy"]],
  ["BypassGovernanceRetention", ["s3:BypassGovernanceRetention"]],
  ["Admin", EVERY_ACTION],
])("%s everywhere grants exactly its actions", async (action, granted) => {
  const may = await identityWith([action]);
  expect(EVERY_ACTION.filter((asked) => may(asked, objectArn("bucket", "key")))).toEqual([
    ...granted,
  ]);
});

test("Admin of a bucket is everything there, and nothing elsewhere or in other services", async () => {
  const may = await identityWith(["Admin:mine"]);
  expect(may("s3:CreateBucket", bucketArn("mine"))).toBe(true);
  expect(may("s3:PutObject", objectArn("mine", "a/b"))).toBe(true);
  expect(may("s3:PutObject", objectArn("mine2", "a/b"))).toBe(false);
  expect(may("s3:CreateBucket", bucketArn("mine2"))).toBe(false);
  expect(may("s3:ListAllMyBuckets", bucketArn("*"))).toBe(false);
  expect(may("pipelines:CreateRun", serviceArn("pipelines", "run/1"))).toBe(false);
});

test("a bucket scope does not reach buckets that only begin so", async () => {
  const may = await identityWith(["Read:ns", "List:ns"]);
  expect(may("s3:ListBucket", bucketArn("ns"))).toBe(true);
  expect(may("s3:GetObject", objectArn("ns", "k"))).toBe(true);
  for (const bucket of ["ns2", "ns-2", "ns.", "NS", "n", "xns", "ns*", "n?"]) {
    expect(may("s3:ListBucket", bucketArn(bucket))).toBe(false);
    expect(may("s3:GetObject", objectArn(bucket, "k"))).toBe(false);
  }
});

test("a prefix scope reaches exactly the keys under it", async () => {
  const may = await identityWith(["Read:bucket/private/ns/*", "Write:bucket/private/ns/*"]);
  const allowed = [
    "private/ns/x",
    "private/ns/",
    "private/ns/a/b",
    "private/ns//x",
    "private/ns/../ns2/x",
  ];
  const refused = [
    "private/ns",
    "private/ns2/x",
    "private/ns-2/x",
    "private/ns./x",
    "private/ns*/x",
    "private/n?/x",
    "private/ns%2F..%2Fns2/x",
    "private//ns/x",
    "private/NS/x",
    "private/nѕ/x",
    "/private/ns/x",
    "xprivate/ns/x",
  ];
  expect(allowed.filter((key) => may("s3:GetObject", objectArn("bucket", key)))).toEqual(allowed);
  expect(refused.filter((key) => may("s3:PutObject", objectArn("bucket", key)))).toEqual([]);
  expect(may("s3:GetObject", objectArn("bucket2", "private/ns/x"))).toBe(false);
  expect(may("s3:ListBucket", bucketArn("bucket"))).toBe(false);
});

test("a key scope without wildcards is exactly that key", async () => {
  const may = await identityWith(["Read:bucket/a/b"]);
  expect(may("s3:GetObject", objectArn("bucket", "a/b"))).toBe(true);
  expect(may("s3:GetObject", objectArn("bucket", "a/b/c"))).toBe(false);
  expect(may("s3:GetObject", objectArn("bucket", "a/bc"))).toBe(false);
});

test("stars in an object key are characters, not wildcards", async () => {
  const may = await identityWith(["Read:bucket/ab"]);
  expect(may("s3:GetObject", objectArn("bucket", "a*"))).toBe(false);
  expect(may("s3:GetObject", objectArn("bucket", "*"))).toBe(false);
  expect(may("s3:GetObject", "*")).toBe(false);
});

test("a question that is no single action is denied even to Admin", async () => {
  const may = await identityWith(["Admin"]);
  for (const action of ["*", "s3:*", "s3:Get?bject", "GetObject", "", "s3:", "S3:GetObject "]) {
    expect(may(action, objectArn("b", "k"))).toBe(false);
  }
  expect(may("s3:GetObject", "bucket/key")).toBe(false);
});

test("an explicit Deny wins over every Allow, in any order", async () => {
  const deny: Statement = {
    effect: "Deny",
    actions: ["s3:Delete*"],
    resources: [objectArn("bucket", "keep/*")],
  };
  const allow: Statement = { effect: "Allow", actions: ["s3:*"], resources: ["*"] };
  for (const statements of [
    [deny, allow],
    [allow, deny],
  ]) {
    const iam = open();
    await iam.putIdentity({ name: "tenant", actions: ["Admin"], statements });
    const principal: Principal = { kind: "identity", name: "tenant" };
    const ask = (action: string, key: string): unknown =>
      iam.authorize({ principal, action, resource: objectArn("bucket", key) });
    expect(ask("s3:DeleteObject", "keep/a")).toEqual({ kind: "deny", reason: "explicit" });
    expect(ask("s3:deleteobject", "keep/a")).toEqual({ kind: "deny", reason: "explicit" });
    expect(ask("s3:DeleteObject", "other")).toEqual({ kind: "allow" });
    expect(ask("s3:GetObject", "keep/a")).toEqual({ kind: "allow" });
  }
});

test.each([
  "read",
  "ADMIN",
  "Everything",
  "",
  ":bucket",
  "Read:",
  "Read:/key",
  "Read:bucket/",
  "Read:buck et",
  "Read:bucket/${aws:username}/*",
  "Read:bucket/a\nb",
  "constructor",
  "__proto__",
  "s3:GetObject",
])("the action %p is refused", async (action) => {
  expect(await codeOf(open().putIdentity({ name: "a", actions: ["Read", action] }))).toBe(
    "unknown-action",
  );
});

test.each<[string, unknown]>([
  ["an unknown effect", { effect: "allow", actions: ["s3:*"], resources: ["*"] }],
  ["no actions", { effect: "Allow", actions: [], resources: ["*"] }],
  ["no resources", { effect: "Deny", actions: ["*"], resources: [] }],
  ["an action without service", { effect: "Allow", actions: ["GetObject"], resources: ["*"] }],
  ["a resource that is no ARN", { effect: "Allow", actions: ["*"], resources: ["bucket/*"] }],
  ["a variable", { effect: "Deny", actions: ["*"], resources: ["arn:aws:s3:::b/${aws:username}"] }],
  ["a huge pattern", { effect: "Allow", actions: ["*"], resources: [`arn:${"a".repeat(2000)}`] }],
])("a statement with %s is refused", async (_, statement) => {
  const iam = open();
  const statements = [statement as Statement];
  expect(await codeOf(iam.putIdentity({ name: "a", actions: [], statements }))).toBe(
    "invalid-statement",
  );
  expect(await iam.getIdentity("a")).toBeUndefined();
});

test("a question about all below a prefix needs one Allow for all of it, and no Deny of any part", async () => {
  const iam = open();
  const principal: Principal = { kind: "identity", name: "tenant" };
  const may = (resource: string): boolean =>
    iam.authorize({ principal, action: "s3:DeleteObject", resource, reach: "below" }).kind ===
    "allow";
  await iam.putIdentity({ name: "tenant", actions: ["Write:b/a/*", "Write:c/k"] });
  expect(may(objectArn("b", "a/"))).toBe(true);
  expect(may(objectArn("b", "a/x/"))).toBe(true);
  expect(may(objectArn("b", "a"))).toBe(false);
  expect(may(objectArn("b", ""))).toBe(false);
  expect(may(objectArn("c", "k"))).toBe(false);
  const keep: Statement = {
    effect: "Deny",
    actions: ["s3:DeleteObject"],
    resources: [objectArn("b", "a/keep/*")],
  };
  await iam.putIdentity({ name: "tenant", actions: ["Write:b"], statements: [keep] });
  expect(may(objectArn("b", "a/x/"))).toBe(true);
  expect(may(objectArn("b", "a/"))).toBe(false);
  expect(may(objectArn("b", "a/keep/x"))).toBe(false);
  expect(may(objectArn("b", ""))).toBe(false);
});
