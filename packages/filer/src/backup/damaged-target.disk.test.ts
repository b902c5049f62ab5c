import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { must } from "@kelp/base";
import { systemDisk, systemHashes, systemRandom } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { CHUNK_SIZE_BYTES } from "@kelp/wire";
import { BackupWorld, TREE, codeOf, noise, read, write } from "../testing/index.ts";
import { FolderTarget } from "./folder-target.ts";
import { backupIds, readManifest } from "./manifest.ts";
import { TargetLock } from "./target-lock.ts";

// A chain of three backups in a target to which things happen: each an error that says what, and what is whole still restores.

let folder: ReturnType<typeof temporaryFolder>;
let source: BackupWorld;
let path: string;
let target: FolderTarget;
/** Oldest first. */
let ids: string[];

beforeEach(async () => {
  folder = temporaryFolder();
  source = new BackupWorld(join(folder.path));
  path = join(folder.path, "target");
  target = new FolderTarget(systemDisk, path);
  await source.start();
  ids = [];
  for (const name of ["first", "second", "third"]) {
    await write(source.world, name, noise(CHUNK_SIZE_BYTES));
    ids.push((await source.backUp(target)).manifest.id);
  }
});

afterEach(() => source[Symbol.dispose]());

const [FIRST, SECOND, THIRD] = [0, 1, 2];

function idOf(number: number): string {
  return must(ids[number]);
}

/** The pack that came with a backup: its chunk is in it. */
async function packOf(number: number): Promise<string> {
  const packs = await Promise.all(
    ids.map(async (id) => (await readManifest(target, id, systemHashes)).packs),
  );
  const earlier = new Set(packs.slice(0, number).flat());
  const own = must(packs[number]).filter((pack) => !earlier.has(pack));
  expect(own).toHaveLength(1);
  return join(path, "packs", must(own[0]));
}

async function restores(number: number): Promise<void> {
  await source.verify(target, idOf(number));
  using restored = await source.restore(target, idOf(number));
  const names = ["first", "second", "third"].slice(0, number + 1).toSorted();
  const page = await restored.filer.listEntries(TREE, { limit: 10 });
  const items = page.kind === "ok" ? page.value.items : [];
  expect(items.map((item) => item.kind === "entry" && item.path)).toEqual(names);
  for (const name of names) expect((await read(restored, name))?.length).toBe(CHUNK_SIZE_BYTES);
  expect(await Array.fromAsync(restored.filer.check())).toEqual([]);
}

async function isRefused(number: number): Promise<void> {
  expect(await codeOf(source.verify(target, idOf(number)))).toBe("backup-damaged");
  expect(await codeOf(source.restore(target, idOf(number)))).toBe("backup-damaged");
}

const MISSING = /^packs\/[0-9a-f]{32} is missing$/;
const TORN = /^packs\/[0-9a-f]{32}\.(pack|json) is torn or damaged$/;

test.each<[string, (pack: string) => void, RegExp]>([
  ["is lost", (pack) => rmSync(`${pack}.pack`), MISSING],
  ["is cut off", (pack) => truncateSync(`${pack}.pack`, statSync(`${pack}.pack`).size - 1), TORN],
  ["is empty", (pack) => truncateSync(`${pack}.pack`, 0), TORN],
  ["has lost its index", (pack) => rmSync(`${pack}.json`), MISSING],
  ["has an index that is cut off", (pack) => truncateSync(`${pack}.json`, 30), TORN],
])(
  "when a pack %s, backups without it restore, and the next one is whole and says so",
  async (_, lose, said) => {
    lose(await packOf(SECOND));
    await restores(FIRST);
    await isRefused(SECOND);
    await isRefused(THIRD);
    const { manifest, copiedChunks, harm } = await source.backUp(target);
    expect(copiedChunks).toBe(1);
    expect(harm).toEqual([expect.stringMatching(said)]);
    ids.push(manifest.id);
    await restores(3);
  },
);

test.each([
  ["cut off", (file: string) => truncateSync(file, statSync(file).size - 1)],
  ["empty", (file: string) => truncateSync(file, 0)],
])(
  "a manifest that is %s is named, with the one before it, and harms no other backup",
  async (_, harm) => {
    harm(join(path, "backups", `${idOf(THIRD)}.json`));
    await isRefused(THIRD);
    const refused = await source.restore(target).then(
      () => "restored",
      (error: Error) => error.message,
    );
    expect(refused).toContain(`backups/${idOf(THIRD)}.json is torn or damaged`);
    expect(refused).toContain(`--backup ${idOf(SECOND)}`);
    await restores(FIRST);
    await restores(SECOND);
    const { manifest, harm: told } = await source.backUp(target);
    expect(told).toEqual([`backups/${idOf(THIRD)}.json is torn or damaged`]);
    ids.push(manifest.id);
    await restores(3);
    expect((await source.backUp(target)).harm).toEqual([]);
  },
);

test("a place that has lost its mark is one of backups by what is in it, and is marked again", async () => {
  rmSync(join(path, "kelp-backup.json"));
  await restores(SECOND);
  expect(existsSync(join(path, "kelp-backup.json"))).toBe(false);
  await source.backUp(target);
  expect(existsSync(join(path, "kelp-backup.json"))).toBe(true);
});

test("with backups of several stores none is chosen unless it is named", async () => {
  using other = new BackupWorld(temporaryFolder().path);
  await other.start();
  await write(other.world, "elsewhere", noise(70_000));
  const { manifest } = await other.backUp(target);
  expect(await codeOf(source.restore(target))).toBe("store-unclear");
  using restored = await source.restore(target, manifest.id);
  expect((await read(restored, "elsewhere"))?.length).toBe(70_000);
  await restores(THIRD);
});

test("a place that goes away in the middle is an error, and what is found there again is whole", async () => {
  await write(source.world, "fourth", noise(CHUNK_SIZE_BYTES));
  const gone = `${path}.gone`;
  const { clock } = source;
  const deps = { clock, random: systemRandom, hashes: systemHashes, hasEnded: () => false };
  await using lock = await TargetLock.take(
    target,
    { operation: "backup", removes: false },
    { ...deps, user: { host: "here", pid: 1 } },
  );
  const attempt = source.backUp(target, {
    // As a disk that is not mounted any more: what is written from here on goes into the folder under it.
    beforeManifest: async () => {
      renameSync(path, gone);
      await lock.assure();
    },
  });
  expect(await codeOf(attempt)).toBe("target-in-use");
  expect(await codeOf(source.restore(target))).toBe("target-unusable");
  rmSync(path, { recursive: true, force: true });
  renameSync(gone, path);
  expect(await backupIds(target)).toEqual(ids);
  expect(readdirSync(join(path, "packs")).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  for (const number of [FIRST, SECOND, THIRD]) await restores(number);
});
