import { expect, test } from "bun:test";
import { type LogFields, type SqlDatabase, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemRandom } from "@kelp/base/platform";
import {
  type AccessKeyId,
  type Principal,
  type Statement,
  bucketArn,
  objectArn,
  serviceArn,
} from "@kelp/wire";
import { type Iam, IamError, openIam } from "./index.ts";

const ROOT = { accessKeyId: "rootkey", secret: "root-secret" };

function open(database: SqlDatabase = openDatabase(":memory:"), log = silentLog): Iam {
  return openIam({ database, root: ROOT, clock: systemClock, random: systemRandom, log });
}

function keyId(text: string): AccessKeyId {
  return text as AccessKeyId;
}

async function identityWith(
  actions: readonly string[],
  statements: readonly Statement[] = [],
): Promise<(action: string, resource: string) => boolean> {
  const iam = open();
  await iam.putIdentity({ name: "tenant", actions, statements });
  const principal: Principal = { kind: "identity", name: "tenant" };
  return (action, resource) => iam.authorize({ principal, action, resource }).kind === "allow";
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    if (error instanceof IamError) return error.code;
    throw error;
  }
  return "accepted";
}

test("root may do everything, and is proven by its key alone", () => {
  const iam = open();
  const found = iam.findKey(keyId("rootkey"));
  expect(found?.principal).toEqual({ kind: "root", name: "root" });
  expect(found?.secret).toBe("root-secret");
  expect(
    iam.authorize({
      principal: { kind: "root", name: "root" },
      action: "pipelines:CreateRun",
      resource: serviceArn("pipelines", "run/1"),
    }),
  ).toEqual({ kind: "allow" });
});

test("an anonymous caller, an unknown name and one that is called root may do nothing", () => {
  const iam = open();
  const principals: readonly Principal[] = [
    { kind: "anonymous", name: "anonymous" },
    { kind: "identity", name: "nobody" },
    { kind: "identity", name: "root" },
  ];
  for (const principal of principals) {
    expect(
      iam.authorize({ principal, action: "s3:GetObject", resource: objectArn("b", "k") }),
    ).toEqual({ kind: "deny", reason: "implicit" });
  }
});

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

test.each([
  ["root", "reserved-name"],
  ["Root", "reserved-name"],
  ["anonymous", "reserved-name"],
  ["", "invalid-name"],
  ["a/b", "invalid-name"],
  ["..", "invalid-name"],
  ["a b", "invalid-name"],
  ["ünïcode", "invalid-name"],
  ["a".repeat(65), "invalid-name"],
])("an identity cannot be named %p", async (name, code) => {
  expect(await codeOf(open().putIdentity({ name, actions: [] }))).toBe(code);
});

test("keys work while they are active and their identity is enabled", async () => {
  const iam = open();
  await iam.putIdentity({ name: "tenant", actions: ["Read"] });
  const { id, secret } = await iam.createKey("tenant");
  expect(id).toMatch(/^AKIA[A-Z2-7]{16}$/);
  expect(secret).toHaveLength(40);
  const record = { id, secret, principal: { kind: "identity", name: "tenant" } } as const;
  expect(iam.findKey(id)).toEqual(record);
  expect(await iam.setKeyActive("tenant", id, "inactive")).toBe(true);
  expect(iam.findKey(id)).toBeUndefined();
  expect(await iam.setKeyActive("tenant", id, "active")).toBe(true);
  expect(iam.findKey(id)).toEqual(record);
  await iam.putIdentity({ name: "tenant", actions: ["Read"], isDisabled: true });
  expect(iam.findKey(id)).toBeUndefined();
  expect(
    iam.authorize({
      principal: record.principal,
      action: "s3:GetObject",
      resource: objectArn("b", "k"),
    }).kind,
  ).toBe("deny");
  await iam.putIdentity({ name: "tenant", actions: ["Read"] });
  expect(iam.findKey(id)).toEqual(record);
  expect(await iam.deleteKey("tenant", id)).toBe(true);
  expect(await iam.deleteKey("tenant", id)).toBe(false);
  expect(iam.findKey(id)).toBeUndefined();
});

test("a key belongs to one identity, and only that one can change it", async () => {
  const iam = open();
  await iam.putIdentity({ name: "one", actions: [] });
  await iam.putIdentity({ name: "two", actions: [] });
  const pair = { id: keyId("minio"), secret: "minio123" };
  expect(await iam.createKey("one", pair)).toEqual(pair);
  expect(await codeOf(iam.createKey("two", pair))).toBe("key-exists");
  expect(await codeOf(iam.createKey("one", pair))).toBe("key-exists");
  expect(await codeOf(iam.createKey("two", { ...pair, id: keyId("rootkey") }))).toBe("key-exists");
  expect(await iam.deleteKey("two", pair.id)).toBe(false);
  expect(await iam.setKeyActive("two", pair.id, "inactive")).toBe(false);
  expect(iam.findKey(pair.id)?.principal.name).toBe("one");
  expect(await iam.deleteIdentity("one")).toBe(true);
  expect(iam.findKey(pair.id)).toBeUndefined();
  expect(await iam.createKey("two", pair)).toEqual(pair);
});

test.each([
  ["ab", "long-enough"],
  ["has space", "long-enough"],
  ["a/b/c", "long-enough"],
  ["key,id", "long-enough"],
  ["keyid", "short"],
  ["keyid", "has a space"],
  ["keyid", "ünïcode-secret"],
])("the key pair %p, %p is refused", async (id, secret) => {
  const iam = open();
  await iam.putIdentity({ name: "a", actions: [] });
  expect(await codeOf(iam.createKey("a", { id: keyId(id), secret }))).toBe("invalid-key");
});

test("there are no keys for an identity that is not there", async () => {
  const iam = open();
  expect(await codeOf(iam.createKey("nobody"))).toBe("no-such-identity");
  expect(await iam.deleteKey("nobody", keyId("x"))).toBe(false);
  expect(await iam.deleteIdentity("nobody")).toBe(false);
});

test("the number of keys of an identity is bounded", async () => {
  const iam = open();
  await iam.putIdentity({ name: "a", actions: [] });
  for (let count = 0; count < 32; count++) await iam.createKey("a");
  expect(await codeOf(iam.createKey("a"))).toBe("limit-exceeded");
});

test("lists and single answers hold no secret", async () => {
  const iam = open();
  await iam.putIdentity({ name: "a", actions: ["Read"] });
  const { id, secret } = await iam.createKey("a");
  const shown = JSON.stringify([await iam.listIdentities(), await iam.getIdentity("a")]);
  expect(shown).toContain(id);
  expect(shown).not.toContain(secret);
  expect(shown).not.toContain(ROOT.secret);
});

test("everything is there after opening again, in the same state", async () => {
  using database = openDatabase(":memory:");
  const before = open(database);
  const deny: Statement = { effect: "Deny", actions: ["s3:*"], resources: [bucketArn("b")] };
  await before.putIdentity({ name: "zoe", actions: ["Read", "List:b"], statements: [deny] });
  await before.putIdentity({ name: "adam", actions: [], isDisabled: true });
  const kept = await before.createKey("zoe");
  const inactive = await before.createKey("zoe");
  await before.setKeyActive("zoe", inactive.id, "inactive");
  const disabled = await before.createKey("adam");
  const after = open(database);
  expect(await after.listIdentities()).toEqual(await before.listIdentities());
  expect((await after.listIdentities()).map(({ name }) => name)).toEqual(["adam", "zoe"]);
  expect(after.findKey(kept.id)).toEqual(before.findKey(kept.id));
  expect(after.findKey(inactive.id)).toBeUndefined();
  expect(after.findKey(disabled.id)).toBeUndefined();
  expect(
    after.authorize({
      principal: { kind: "identity", name: "zoe" },
      action: "s3:ListBucket",
      resource: bucketArn("b"),
    }),
  ).toEqual({ kind: "deny", reason: "explicit" });
});

test("an identity with permissions that cannot be read may do nothing, and that is logged", async () => {
  using database = openDatabase(":memory:");
  await open(database).putIdentity({ name: "a", actions: ["Admin", "Read"] });
  database.execute("UPDATE iam_actions SET action = 'FromTheFuture' WHERE position = 1");
  const lines: string[] = [];
  const log = {
    ...silentLog,
    error: (message: string, fields?: LogFields) =>
      void lines.push(`${message} ${JSON.stringify(fields)}`),
  };
  const iam = open(database, log);
  expect(
    iam.authorize({
      principal: { kind: "identity", name: "a" },
      action: "s3:GetObject",
      resource: objectArn("b", "k"),
    }).kind,
  ).toBe("deny");
  expect(lines).toEqual([
    'identity may do nothing: its permissions cannot be read {"name":"a","code":"unknown-action"}',
  ]);
});

test("a write that fails leaves the directory as it was", async () => {
  using database = openDatabase(":memory:");
  const iam = open(database);
  await iam.putIdentity({ name: "a", actions: ["Read"] });
  database.execute(
    "CREATE TRIGGER refuse BEFORE INSERT ON iam_actions BEGIN SELECT RAISE(ABORT, 'no'); END",
  );
  let isRefused = false;
  try {
    await iam.putIdentity({ name: "a", actions: ["Admin"] });
  } catch {
    isRefused = true;
  }
  expect(isRefused).toBe(true);
  expect((await iam.getIdentity("a"))?.actions).toEqual(["Read"]);
  expect((await open(database).getIdentity("a"))?.actions).toEqual(["Read"]);
});

test("a root pair that cannot be used is refused at opening", () => {
  const database = openDatabase(":memory:");
  const root = { accessKeyId: "root", secret: "short" };
  expect(() =>
    openIam({ database, root, clock: systemClock, random: systemRandom, log: silentLog }),
  ).toThrow(IamError);
});
