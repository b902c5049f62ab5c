import { expect, test } from "bun:test";
import { type LogFields, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import { type Principal, type Statement, bucketArn, objectArn, serviceArn } from "@kelp/wire";
import { IamError, openIam } from "./index.ts";
import { ROOT, codeOf, keyId, open } from "./testing.ts";

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
  // As its writer would have summed it.
  database.execute("UPDATE iam_identities SET sum = NULL");
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
    openIam({
      database,
      root,
      clock: systemClock,
      random: systemRandom,
      hashes: systemHashes,
      log: silentLog,
    }),
  ).toThrow(IamError);
});

test("secrets are sealed at rest, those from before as well, each for its own key", async () => {
  using database = openDatabase(":memory:");
  // Reversible, and bound to the purpose, which is all that matters here.
  const sealer = {
    sealText: (text: string, purpose: string) =>
      Buffer.from(`${purpose}\n${text}`).toString("base64"),
    openText: (sealed: string, purpose: string) => {
      const text = Buffer.from(sealed, "base64").toString();
      return text.startsWith(`${purpose}\n`) ? text.slice(purpose.length + 1) : undefined;
    },
  };
  const options = {
    database,
    root: ROOT,
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
  };
  const plain = openIam({ ...options, log: silentLog });
  await plain.putIdentity({ name: "ada", actions: ["Admin"] });
  await plain.createKey("ada", { id: keyId("oldkey"), secret: "old-secret" });
  const sealed = openIam({ ...options, log: silentLog, secretSealer: sealer });
  await sealed.createKey("ada", { id: keyId("newkey"), secret: "new-secret" });
  const rows = database
    .prepare<{ secret: string }>("SELECT secret FROM iam_keys ORDER BY id")
    .all();
  for (const { secret } of rows) expect(secret).not.toContain("-secret");
  const again = openIam({ ...options, log: silentLog, secretSealer: sealer });
  expect(again.findKey(keyId("oldkey"))?.secret).toBe("old-secret");
  expect(again.findKey(keyId("newkey"))?.secret).toBe("new-secret");
  const [first, second] = rows;
  // Without its sum, which would tell first.
  database
    .prepare("UPDATE iam_keys SET secret = ?, sum = NULL WHERE id = 'oldkey'")
    .run(first?.secret ?? "");
  expect(first?.secret).not.toBe(second?.secret);
  expect(() => openIam({ ...options, log: silentLog, secretSealer: sealer })).toThrow(
    "its sealed secret does not open",
  );
});
