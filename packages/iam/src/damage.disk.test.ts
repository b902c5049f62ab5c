import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { type SqlDatabase, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { objectArn } from "@kelp/wire";
import { type Iam, checkIdentities, openIam } from "./index.ts";
import { ROOT, codeOf, keyId, open } from "./testing.ts";

const ADA = keyId("ada-key");
const READS = { kind: "identity", name: "ada" } as const;

async function fill(iam: Iam): Promise<void> {
  await iam.putIdentity({
    name: "ada",
    actions: ["Read:open"],
    statements: [
      { effect: "Deny", actions: ["s3:GetObject"], resources: [objectArn("open", "secret/*")] },
    ],
  });
  await iam.createKey("ada", { id: ADA, secret: "ada-secret" });
  await iam.putIdentity({ name: "bob", actions: ["Admin"], isDisabled: true });
  await iam.createKey("bob", { id: keyId("bob-key"), secret: "bob-secret" });
}

/** What somebody has got that the identities, as they were stored, do not give. */
function excess(iam: Iam): string[] {
  const found: string[] = [];
  for (const [key, owner, secret] of [
    ["ada-key", "ada", "ada-secret"],
    ["bob-key", "bob", undefined],
  ] as const) {
    const record = iam.findKey(keyId(key));
    if (record === undefined) continue;
    if (record.secret !== secret) found.push(`${key} opens by another secret`);
    if (record.principal.name !== owner) found.push(`${key} is of ${record.principal.name}`);
  }
  for (const [name, bucket, key] of [
    ["ada", "open", "secret/x"],
    ["ada", "closed", "x"],
    ["bob", "open", "x"],
  ] as const) {
    const principal = { kind: "identity", name } as const;
    const resource = objectArn(bucket, key);
    const decision = iam.authorize({ principal, action: "s3:GetObject", resource });
    if (decision.kind === "allow") found.push(`${name} may read ${bucket}/${key}`);
  }
  return found;
}

test("a changed byte of the file opens nothing that was closed", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/iam.db`;
  {
    using database = openDatabase(path);
    await fill(openIam({ ...common(database) }));
    database.execute("PRAGMA journal_mode = DELETE");
  }
  const whole = readFileSync(path);
  const outcomes = { refused: 0, unharmed: 0, closed: 0 };
  for (const [offset, byte] of whole.entries()) {
    if (byte === 0 && offset % 64 !== 0) continue;
    const changed = Buffer.from(whole);
    changed[offset] = byte ^ (1 << (offset % 8));
    // A name of its own: a file that could not be opened may leave a log beside it.
    const changedPath = `${folder.path}/${offset}.db`;
    writeFileSync(changedPath, changed);
    const found = excessOf(changedPath);
    if (found === undefined) {
      outcomes.refused++;
      continue;
    }
    expect({ offset, found: found.excess }).toEqual({ offset, found: [] });
    if (found.isWhole) outcomes.unharmed++;
    else outcomes.closed++;
  }
  // Each outcome was met, or the test would show nothing.
  expect(Object.values(outcomes).every((count) => count > 0)).toBe(true);
});

/** `undefined`: SQLite, or the directory, refuses the file. */
function excessOf(path: string): { excess: string[]; isWhole: boolean } | undefined {
  let database: SqlDatabase | undefined;
  try {
    database = openDatabase(path);
    const iam = openIam(common(database));
    const resource = objectArn("open", "x");
    const reads = iam.authorize({ principal: READS, action: "s3:GetObject", resource });
    const isWhole = reads.kind === "allow" && iam.findKey(ADA) !== undefined;
    return { excess: excess(iam), isWhole };
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  } finally {
    database?.[Symbol.dispose]();
  }
}

function common(database: SqlDatabase): Parameters<typeof openIam>[0] {
  return {
    database,
    root: ROOT,
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  };
}

test("a damaged identity may do nothing, is told as such, and is whole when put again", async () => {
  using database = openDatabase(":memory:");
  await fill(open(database));
  expect(checkIdentities(database, systemHashes)).toEqual([]);
  database.execute(`UPDATE iam_actions SET action = 'Admin' WHERE name = 'ada'`);
  expect(checkIdentities(database, systemHashes)).toEqual([{ name: "ada" }]);
  const codes: unknown[] = [];
  const iam = open(database, {
    ...silentLog,
    error: (_, fields) => codes.push(fields?.["code"]),
  });
  expect(codes).toEqual(["identity-damaged"]);
  const resource = objectArn("open", "x");
  const reads = { principal: READS, action: "s3:GetObject", resource };
  expect(iam.authorize(reads).kind).toBe("deny");
  expect(iam.findKey(ADA)).toBeUndefined();
  const told = await iam.getIdentity("ada");
  expect([told?.isDamaged, told?.actions]).toEqual([true, []]);
  await iam.putIdentity({ name: "ada", actions: ["Read:open"] });
  for (const opened of [iam, open(database)]) {
    expect(opened.authorize(reads).kind).toBe("allow");
    expect(opened.findKey(ADA)?.secret).toBe("ada-secret");
    expect((await opened.getIdentity("ada"))?.isDamaged).toBeUndefined();
  }
});

test.each([
  ["its secret", "secret = 'bob-secret'"],
  ["its state", "is_active = 0"],
  ["its owner", "name = 'bob'"],
])("a key of which %s was changed opens nothing, and can only be deleted", async (_, change) => {
  using database = openDatabase(":memory:");
  await fill(open(database));
  database.execute(`UPDATE iam_keys SET ${change} WHERE id = 'ada-key'`);
  const iam = open(database);
  expect(iam.findKey(ADA)).toBeUndefined();
  expect(checkIdentities(database, systemHashes)).toMatchObject([{ keyId: "ada-key" }]);
  const owner = change.startsWith("name") ? "bob" : "ada";
  expect(await codeOf(iam.setKeyActive(owner, ADA, "active"))).toBe("key-damaged");
  expect(await codeOf(iam.createKey("ada", { id: ADA, secret: "new-secret" }))).toBe("key-exists");
  expect(open(database).findKey(ADA)).toBeUndefined();
  expect(await iam.deleteKey(owner, ADA)).toBe(true);
  await iam.createKey("ada", { id: ADA, secret: "new-secret" });
  expect(open(database).findKey(ADA)?.secret).toBe("new-secret");
});

test("rows from before there were sums get theirs when the owner opens", async () => {
  using database = openDatabase(":memory:");
  await fill(open(database));
  database.execute("UPDATE iam_keys SET sum = NULL; UPDATE iam_identities SET sum = NULL");
  expect(open(database).findKey(ADA)?.secret).toBe("ada-secret");
  database.execute("UPDATE iam_keys SET secret = 'other-secret' WHERE id = 'ada-key'");
  expect(open(database).findKey(ADA)).toBeUndefined();
});
