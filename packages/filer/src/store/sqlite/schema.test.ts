import { expect, test } from "bun:test";
import { migrate, silentLog } from "@kelp/base";
import { openDatabase, systemHashes, systemRandom } from "@kelp/base/platform";
import type { EntryPath, TreeName } from "@kelp/wire";
import { openFiler } from "../../filer.ts";
import { ManualClock } from "../../testing/manual-clock.ts";
import { MemoryVolumes } from "../../testing/memory-volumes.ts";
import { MIGRATIONS } from "./schema.ts";

const OLD = "old" as TreeName;

test("a database of the first version opens with its entries, and its uploads can be aborted", async () => {
  using database = openDatabase(":memory:");
  migrate(database, "filer", MIGRATIONS.slice(0, 1));
  database.execute(`
    INSERT INTO trees (id, name, kind, owner, created_ms, quota_bytes, usage_bytes, usage_entries, usage_chunks, attributes)
      VALUES (1, 'old', 'bucket', 'ada', 0, 100, 12, 1, 1, '');
    INSERT INTO contents VALUES (1, x'616263');
    INSERT INTO entries VALUES (1, 'a', 3, 0, 'e', 0, 1, 1, '');
    INSERT INTO changes VALUES (1, 0, 'put', 'old', 'a', 3, 'e');
    INSERT INTO uploads VALUES (1, 'u', 1, 'b', 'ada', 0, '');
    INSERT INTO parts VALUES (1, 1, 9, 0, 'p', 1, '', x'0000000100000000000000050000000700000009');
    INSERT INTO chunk_refs VALUES (x'00000001000000000000000500000007', 9);
  `);
  const volumes = new MemoryVolumes();
  const clock = new ManualClock();
  using filer = openFiler({
    database,
    volumes,
    master: volumes,
    clock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  });
  const tree = await filer.getTree(OLD);
  expect(tree).toMatchObject({
    quota: { bytes: 100 },
    usage: { bytes: 12, entries: 1, chunks: 1 },
  });
  const entry = await filer.getEntry(OLD, "a" as EntryPath);
  expect(entry.kind === "ok" ? entry.value.content : undefined).toEqual({
    kind: "inline",
    bytes: new Uint8Array([97, 98, 99]),
  });
  const snapshot = await filer.createSnapshot(OLD, "s");
  expect(snapshot.kind === "ok" ? snapshot.value.usage : undefined).toEqual({
    bytes: 3,
    entries: 1,
    chunks: 0,
  });
  expect((await filer.abortUpload(OLD, "u" as never)).kind).toBe("ok");
  await filer.collect();
  expect((await filer.getTree(OLD))?.usage).toEqual({ bytes: 3, entries: 1, chunks: 0 });
  expect(await Array.fromAsync(filer.check())).toEqual([]);
  const changes = await filer.readChanges({ after: 0, limit: 1 });
  expect(changes[0]).toMatchObject({ kind: "put", path: "a", target: "" });
});

test("versions of the schema come in order", () => {
  const versions = MIGRATIONS.map(({ version }) => version);
  expect(versions).toEqual(versions.toSorted((left, right) => left - right));
  expect(new Set(versions).size).toBe(versions.length);
});
