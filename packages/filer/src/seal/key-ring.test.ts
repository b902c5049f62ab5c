import { expect, test } from "bun:test";
import { utf8, utf8Text } from "@kelp/base";
import { openDatabase, systemAead, systemHashes, systemRandom } from "@kelp/base/platform";
import { codeOf, openTestRing, testMasterKeys } from "../testing/index.ts";
import { KeyRing } from "./key-ring.ts";
import { SEALED_VALUE_OVERHEAD_BYTES } from "./stored-bytes.ts";
import { ringMasterKeys } from "./open-ring.ts";
import { readRing } from "./ring-rows.ts";

const DEPS = { aead: systemAead, hashes: systemHashes, random: systemRandom };
const KEY = new Uint8Array(32).fill(3);
const CONTEXT = utf8("a value");

test("a sealed value opens in its own context alone, and with no byte changed", () => {
  const ring = new KeyRing(DEPS, new Map([[1, KEY]]));
  const sealed = ring.seal(utf8("colour"), CONTEXT);
  expect(sealed.length).toBe("colour".length + SEALED_VALUE_OVERHEAD_BYTES);
  expect(utf8Text(ring.open(sealed, CONTEXT) ?? utf8(""))).toBe("colour");
  expect(ring.open(sealed, utf8("another"))).toBeUndefined();
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = sealed.slice();
    changed[index] = (changed[index] ?? 0) ^ 0x80;
    expect(ring.open(changed, CONTEXT)).toBeUndefined();
    expect(ring.open(sealed.subarray(0, index), CONTEXT)).toBeUndefined();
  }
});

test("a ring opens what every earlier process sealed, and nothing of a ring without the key", () => {
  const first = new KeyRing(DEPS, new Map([[1, KEY]]));
  const second = new KeyRing(
    DEPS,
    new Map([
      [1, KEY],
      [2, new Uint8Array(32).fill(4)],
    ]),
  );
  const byFirst = first.seal(utf8("old"), CONTEXT);
  const bySecond = second.seal(utf8("new"), CONTEXT);
  expect(utf8Text(second.open(byFirst, CONTEXT) ?? utf8(""))).toBe("old");
  expect(first.open(bySecond, CONTEXT)).toBeUndefined();
});

test("no value key seals more than its share, so that no nonce comes twice", () => {
  const ring = new KeyRing(DEPS, new Map([[1, KEY]]), 3);
  const salts = Array.from({ length: 7 }, () =>
    Buffer.from(ring.seal(utf8("x"), CONTEXT).subarray(5, 21)).toString("hex"),
  );
  expect(salts.map((salt) => salts.indexOf(salt))).toEqual([0, 0, 0, 3, 3, 3, 6]);
});

test("two processes with one ring seal under different salts", () => {
  const saltOf = (): string =>
    Buffer.from(
      new KeyRing(DEPS, new Map([[1, KEY]])).seal(utf8("x"), CONTEXT).subarray(5, 21),
    ).toString("hex");
  expect(saltOf()).not.toBe(saltOf());
});

test("texts open for their own purpose", () => {
  const ring = new KeyRing(DEPS, new Map([[1, KEY]]));
  const sealed = ring.sealText("s3cret", "key of ada");
  expect(sealed).not.toContain("s3cret");
  expect(ring.openText(sealed, "key of ada")).toBe("s3cret");
  expect(ring.openText(sealed, "key of bob")).toBeUndefined();
  expect(ring.openText("no base64!", "key of ada")).toBeUndefined();
});

test("a database without keys is not touched while no master key is given", async () => {
  using database = openDatabase(":memory:");
  expect(await openTestRing(database, undefined)).toBeUndefined();
  expect(database.prepare("SELECT name FROM sqlite_master").all()).toEqual([]);
});

test("the ring is made once, and opens again under the same master key", async () => {
  using database = openDatabase(":memory:");
  const first = await openTestRing(database, testMasterKeys(1));
  const rows = readRing(database);
  const second = await openTestRing(database, testMasterKeys(1));
  expect(readRing(database)).toEqual(rows);
  const sealed = first?.seal(utf8("x"), CONTEXT) ?? utf8("");
  expect(utf8Text(second?.open(sealed, CONTEXT) ?? utf8(""))).toBe("x");
});

test("an absent or another master key is refused by name, and changes nothing", async () => {
  using database = openDatabase(":memory:");
  await openTestRing(database, testMasterKeys(1));
  const rows = readRing(database);
  const right = testMasterKeys(1).currentKeyId;
  const wrong = testMasterKeys(2).currentKeyId;
  expect(await codeOf(openTestRing(database, undefined))).toBe("key-missing");
  expect(await codeOf(openTestRing(database, testMasterKeys(2)))).toBe("key-wrong");
  const refusal: unknown = await openTestRing(database, testMasterKeys(2)).catch(
    (error: unknown) => error,
  );
  expect(refusal instanceof Error && refusal.message).toBe(
    `the store is sealed under the master key ${right}, and the one given is ${wrong}`,
  );
  expect(readRing(database)).toEqual(rows);
});

test("a damaged ring is told from a wrong master key", async () => {
  using database = openDatabase(":memory:");
  await openTestRing(database, testMasterKeys(1));
  const wrapped = readRing(database)[0]?.wrapped.slice() ?? new Uint8Array(1);
  wrapped[20] = (wrapped[20] ?? 0) ^ 1;
  database.prepare("UPDATE sealing_keys SET wrapped = ?").run(wrapped);
  expect(await codeOf(openTestRing(database, testMasterKeys(1)))).toBe("ring-damaged");
});

test("a new master key wraps the ring anew, the keys in it stay, and the old one opens it no more", async () => {
  using database = openDatabase(":memory:");
  const before = await openTestRing(database, testMasterKeys(1));
  const sealed = before?.seal(utf8("kept"), CONTEXT) ?? utf8("");
  await openTestRing(database, testMasterKeys(2, 1));
  expect(ringMasterKeys(database)).toEqual([testMasterKeys(2).currentKeyId]);
  const after = await openTestRing(database, testMasterKeys(2));
  expect(utf8Text(after?.open(sealed, CONTEXT) ?? utf8(""))).toBe("kept");
  expect(await codeOf(openTestRing(database, testMasterKeys(1)))).toBe("key-wrong");
});

test("a failing write in the middle of a rotation leaves the whole ring as it was", async () => {
  using database = openDatabase(":memory:");
  await openTestRing(database, testMasterKeys(1));
  // A second key, as a later version may have added it; wrapped for its own number.
  const masterKeys = testMasterKeys(1);
  const context = { "kelp:purpose": "key ring", "kelp:ring-key": "2" };
  const { bytes } = await masterKeys.wrap({ key: new Uint8Array(32).fill(5), context });
  database
    .prepare("INSERT INTO sealing_keys VALUES (2, 0, ?, ?)")
    .run(masterKeys.currentKeyId, bytes);
  const rows = readRing(database);
  database.execute(
    "CREATE TRIGGER fail BEFORE INSERT ON sealing_keys WHEN NEW.number = 2 BEGIN SELECT RAISE(ABORT, 'full'); END",
  );
  expect(await openTestRing(database, testMasterKeys(2, 1)).catch(() => "failed")).toBe("failed");
  expect(readRing(database)).toEqual(rows);
  database.execute("DROP TRIGGER fail");
  await openTestRing(database, testMasterKeys(2, 1));
  expect(ringMasterKeys(database)).toEqual([testMasterKeys(2).currentKeyId]);
});

test("a master key wraps data keys for one context and no other", async () => {
  const keys = testMasterKeys(1);
  const { key, wrapped } = await keys.generateDataKey({ context: { object: "a", bucket: "b" } });
  expect(key.length).toBe(32);
  expect(await keys.unwrap(wrapped, { bucket: "b", object: "a" })).toEqual(Buffer.from(key));
  expect(await codeOf(keys.unwrap(wrapped, { object: "a" }))).toBe("not-authentic");
  expect(await codeOf(testMasterKeys(2).unwrap(wrapped, { object: "a", bucket: "b" }))).toBe(
    "no-such-key",
  );
});
