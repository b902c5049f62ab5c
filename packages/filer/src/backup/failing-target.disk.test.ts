import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { fill, openBackupRig, packFiles, stateOf } from "../testing/backup-rig.ts";
import { codeOf, noise, write } from "../testing/index.ts";
import { FolderTarget } from "./folder-target.ts";
import { backupIds } from "./manifest.ts";
import { pruneBackups } from "./prune-backups.ts";

test("a backup that ends in the middle makes none, and the next one goes on from there", async () => {
  using rig = await openBackupRig();
  for (let number = 0; number < 40; number += 1) {
    await write(rig.source.world, `chunk-${number}`, noise(CHUNK_SIZE_BYTES));
  }
  // Beyond one pack, so that something is durable when it ends.
  rig.source.beforeRead = (count) => {
    if (count === 38) throw new Error("the source is gone");
  };
  expect(await rig.source.backUp(rig.target).catch((error: Error) => error.message)).toBe(
    "the source is gone",
  );
  expect(await backupIds(rig.target)).toEqual([]);
  expect(await codeOf(rig.source.restore(rig.target))).toBe("no-such-backup");
  rig.source.beforeRead = () => undefined;
  const report = await rig.source.backUp(rig.target);
  expect(report.copiedChunks).toBeLessThan(10);
  expect(report.manifest.chunkCount).toBe(40);
  await rig.source.verify(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect(await stateOf(restored)).toEqual(await stateOf(rig.source.world));
});

test("what a killed write left in the target disturbs nobody", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  await rig.source.backUp(rig.target);
  writeFileSync(join(rig.path, "packs", "0123456789abcdef0123456789abcdef.pack"), "half");
  writeFileSync(join(rig.path, "packs", "0123456789abcdef0123456789abcdef.json.tmp"), "half");
  await write(rig.source.world, "new", noise(70_000));
  await rig.source.backUp(rig.target);
  await rig.source.verify(rig.target);
  await pruneBackups(
    rig.target,
    { storeId: rig.source.world.filer.storeId(), keepCount: 1 },
    systemHashes,
  );
  await rig.source.verify(rig.target);
});

test("a full target ends the backup, leaves earlier ones whole, and takes the next when there is space", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const first = await rig.source.backUp(rig.target);
  await write(rig.source.world, "new", noise(CHUNK_SIZE_BYTES));
  rig.disk.spaceBytes = 1_000_000;
  expect(await codeOf(rig.source.backUp(rig.target))).toBe("target-full");
  expect(await backupIds(rig.target)).toEqual([first.manifest.id]);
  expect(packFiles(rig.path, ".tmp")).toEqual([]);
  await rig.source.verify(rig.target);
  rig.disk.spaceBytes = Number.POSITIVE_INFINITY;
  await rig.source.backUp(rig.target);
  using restored = await rig.source.restore(rig.target);
  expect(await stateOf(restored)).toEqual(await stateOf(rig.source.world));
});

test("a write or a sync that fails, at any place, never leaves a backup that is not whole", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  for (let failing = 1; ; failing += 1) {
    rig.disk.syncsUntilFailure = failing;
    const outcome = await rig.source.backUp(rig.target).then(
      () => "made",
      (error: unknown) => error,
    );
    rig.disk.syncsUntilFailure = Number.POSITIVE_INFINITY;
    for (const id of await backupIds(rig.target).catch(() => [])) {
      await rig.source.verify(rig.target, id);
    }
    if (outcome === "made") break;
    expect(outcome).toMatchObject({ code: "target-failed" });
    expect(failing).toBeLessThan(20);
  }
  expect(await backupIds(rig.target)).toHaveLength(1);
});

test("links that somebody left in a target lead no write elsewhere", async () => {
  using rig = await openBackupRig();
  await fill(rig);
  const victim = join(rig.path, "..", "victim");
  writeFileSync(victim, "kept");
  mkdirSync(rig.path);
  symlinkSync(victim, join(rig.path, "kelp-backup.json.tmp"));
  const nowhere = join(rig.path, "..", "nowhere");
  symlinkSync(nowhere, join(rig.path, "dangling.tmp"));
  await rig.source.backUp(rig.target);
  await rig.target.write("dangling", new Uint8Array(1));
  expect([readFileSync(victim, "utf8"), existsSync(nowhere)]).toEqual(["kept", false]);
  await rig.source.verify(rig.target);
});

test("a place with other files is refused and stays as it was; so is one without backups", async () => {
  using rig = await openBackupRig();
  using other = temporaryFolder();
  writeFileSync(join(other.path, "letter.txt"), "dear");
  const target = new FolderTarget(systemDisk, other.path);
  expect(await codeOf(rig.source.backUp(target))).toBe("target-unusable");
  expect(readdirSync(other.path)).toEqual(["letter.txt"]);
  expect(await codeOf(rig.source.verify(target))).toBe("target-unusable");
  expect(await codeOf(rig.source.verify(rig.target))).toBe("target-unusable");
});
