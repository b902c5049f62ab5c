import { expect, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { systemDisk, systemRandom } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import type { FolderHold } from "@kelp/volume";
import { volumeFolders } from "./volume-folders.ts";

const DEPS = { disk: systemDisk, random: systemRandom, freeBytesFloor: 5 };

/** Takes each of the paths in turn, as one process does. */
function taker(...paths: readonly string[]): (index: number, uuid?: string) => Promise<FolderHold> {
  const folders = volumeFolders(
    paths.map((path) => ({ path, diskType: "", volumeCountMax: undefined })),
    DEPS,
  );
  return async (index, uuid) => {
    const hold = await folders[index]?.take?.(uuid);
    if (hold === undefined) throw new Error("there is no such folder");
    return hold;
  };
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error instanceof Error && "code" in error ? error.code : String(error);
  }
}

test("a new folder is made and gets a uuid, which it keeps", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/x/y`;
  const take = taker(path);
  let uuid: string;
  {
    using hold = await take(0);
    ({ uuid } = hold);
    expect(uuid).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(readFileSync(`${path}/vol_dir.uuid`, "utf8")).toBe(uuid);
    await hold.probe();
  }
  using again = await take(0, uuid);
  expect(again.uuid).toBe(uuid);
});

test("a folder that was used is not made anew where it is absent, nor where another stands in its place", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/x`;
  const take = taker(path);
  expect(await failure(take(0, "u"))).toBe("ENOENT");
  mkdirSync(path);
  expect(String(await failure(take(0, "u")))).toContain("is its disk mounted?");
  // What is written there would be hidden under the disk, or be in its place.
  expect(readdirSync(path)).toEqual([]);
  writeFileSync(`${path}/vol_dir.uuid`, " \n");
  expect(String(await failure(take(0, "u")))).toContain("is empty");
  writeFileSync(`${path}/vol_dir.uuid`, "other\n");
  using hold = await take(0, "u");
  expect(hold.uuid).toBe("other");
});

test("one folder under two names is refused", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/x`;
  mkdirSync(path);
  symlinkSync(path, `${folder.path}/link`);
  const take = taker(path, `${folder.path}/link`, `${folder.path}/./x`);
  {
    using _hold = await take(0);
    expect(await failure(take(1))).toBe("folder-used-twice");
    expect(await failure(take(2))).toBe("folder-used-twice");
  }
  using _other = await take(1);
});

test("a folder that another has is refused until that one gives it back", async () => {
  using folder = temporaryFolder();
  const [one, two] = [taker(folder.path), taker(folder.path)];
  {
    using _hold = await one(0);
    expect(await failure(two(0))).toBe("folder-in-use");
  }
  using _hold = await two(0);
});

test("a probe notices that the folder is gone, or is another", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/x`;
  using hold = await taker(path)(0);
  renameSync(path, `${path}.gone`);
  expect(await failure(hold.probe())).toBe("ENOENT");
  mkdirSync(path);
  writeFileSync(`${path}/vol_dir.uuid`, hold.uuid);
  expect(String(await failure(hold.probe()))).toContain("another folder");
  rmSync(path, { recursive: true });
  renameSync(`${path}.gone`, path);
  await hold.probe();
  writeFileSync(`${path}/vol_dir.uuid`, "other");
  expect(String(await failure(hold.probe()))).toContain("another folder");
});
