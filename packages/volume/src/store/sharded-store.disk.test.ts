import { expect, test } from "bun:test";
import {
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { must, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes } from "@kelp/base/platform";
import { FaultyDisk, temporaryFolder } from "@kelp/base/testing";
import { type Fid, needleId, volumeId } from "@kelp/wire";
import { UNFINISHED } from "../erasure/shard-names.ts";
import { VolumeError } from "../errors.ts";
import { SCRUB_RETRY_MS } from "../limits.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import type { VolumeStoreOptions } from "./store-options.ts";
import { type VolumeStore, openVolumeStore } from "./volume-store.ts";

const ONE = volumeId(1);
/** 5 shards over 3 folders: the loss of any folder takes at most 2. */
const SHAPE = { dataShards: 3, parityShards: 2, bytesPerSec: 1e12 };
const NEEDLES = [1, 2, 3] as const;
/** Longer than a block of a shard. */
const NEEDLE_BYTES = 700_000;

/** Three folders that can be taken away, and volume 1 as shards over them. */
class ThreeDisks implements Disposable {
  readonly #folder = temporaryFolder();
  readonly names = ["a", "b", "c"] as const;

  constructor() {
    for (const name of this.names) {
      mkdirSync(this.path(name));
      writeFileSync(`${this.path(name)}/uuid`, name);
    }
  }

  path(name: string): string {
    return `${this.#folder.path}/${name}`;
  }

  open(options: Partial<VolumeStoreOptions> = {}): Promise<VolumeStore> {
    return openVolumeStore({
      disk: systemDisk,
      clock: systemClock,
      hashes: systemHashes,
      log: silentLog,
      ...options,
      catalogueFile: this.path("volumes.json"),
      folders: this.names.map((name) => this.#given(this.path(name))),
    });
  }

  async openEncoded(): Promise<VolumeStore> {
    const store = await this.open();
    await store.createVolume(ONE, { collection: "c" });
    for (const id of NEEDLES) await store.append(fid(id), contentOf(id));
    await store.setWritable(ONE, "read-only");
    await store.encodeVolume(ONE, SHAPE);
    return store;
  }

  takeAway(name: string): void {
    renameSync(this.path(name), this.path(`${name}-away`));
  }

  bringBack(name: string): void {
    renameSync(this.path(`${name}-away`), this.path(name));
  }

  /** Paths of the volume's files in the folders that are there. */
  files(): string[] {
    return this.names
      .flatMap((name) => [name, `${name}-away`])
      .flatMap((name) =>
        (readable(this.path(name)) ?? []).map((file) => `${this.path(name)}/${file}`),
      )
      .filter((path) => path.includes("/c_1."));
  }

  shard(shard: number): string {
    const path = this.files().find((each) => each.endsWith(`.ec0${shard}`));
    if (path === undefined) throw new Error(`there is no shard ${shard}`);
    return path;
  }

  /** The folder that has the shard. */
  holderOf(shard: number): string {
    const name = this.names.find((each) => this.shard(shard).startsWith(`${this.path(each)}/`));
    if (name === undefined) throw new Error(`no folder has shard ${shard}`);
    return name;
  }

  flip(shard: number, at = 5000): void {
    const path = this.shard(shard);
    const bytes = readFileSync(path);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(path, bytes);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #given(path: string) {
    const uuid = (): Promise<string> => Bun.file(`${path}/uuid`).text();
    return {
      path,
      take: async () => ({
        uuid: await uuid(),
        probe: async () => void (await uuid()),
        [Symbol.dispose]: () => undefined,
      }),
    };
  }
}

function readable(path: string): string[] | undefined {
  try {
    return readdirSync(path);
  } catch {
    return undefined;
  }
}

/** Another file under the same name, as a copy from elsewhere is. */
function replaceBy(path: string, bytes: Uint8Array): void {
  rmSync(path);
  writeFileSync(path, bytes);
}

function fid(id: number): Fid {
  return { volumeId: ONE, needleId: needleId(BigInt(id)), cookie: 7 };
}

function contentOf(id: number): Uint8Array {
  return new Uint8Array(NEEDLE_BYTES).fill(id);
}

/** Ids of the needles that read as they were written; of the others the code of the error, or "absent". */
async function readAll(store: VolumeStore): Promise<(number | string)[]> {
  const found: (number | string)[] = [];
  for (const id of NEEDLES) {
    try {
      const data = await store.read(fid(id));
      if (data === undefined) found.push("absent");
      else found.push(Buffer.compare(data, contentOf(id)) === 0 ? id : "other bytes");
    } catch (error) {
      found.push(error instanceof VolumeError ? error.code : "unknown");
    }
  }
  return found;
}

async function missing(store: VolumeStore): Promise<readonly number[] | undefined> {
  const form = (await store.volumes())[0]?.form;
  return form?.kind === "erasure-coded" ? form.missingShards : undefined;
}

function scrubRound(store: VolumeStore): Promise<boolean> {
  return store.scrubRound({ cycleMs: 1, signal: new AbortController().signal });
}

test("a flipped bit in a parity shard is found by one round of scrubbing, repaired and counted", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  const before = readFileSync(disks.shard(4));
  disks.flip(4);
  expect(await scrubRound(store)).toBe(true);
  expect(readFileSync(disks.shard(4))).toEqual(before);
  expect(store.figures()).toMatchObject({ scrubCount: 1, damagedCount: 1, repairedCount: 1 });
  expect(store.quarantined()).toEqual([]);
  expect(await missing(store)).toEqual([]);
});

test("a scrub that fails keeps no other volume from its turn, and is tried again", async () => {
  using disks = new ThreeDisks();
  const first = await disks.openEncoded();
  await first.createVolume(volumeId(2), { collection: "c" });
  await first.close();
  const disk = new FaultyDisk(systemDisk);
  let nowMs = systemClock.nowMs();
  await using store = await disks.open({ disk, clock: { ...systemClock, nowMs: () => nowMs } });
  const round = (): Promise<boolean> =>
    store.scrubRound({ cycleMs: 1, signal: new AbortController().signal });
  disks.flip(4);
  disk.onlyPathEnd = `.ec04${UNFINISHED}`;
  disk.writesUntilFailure = 1;
  expect([await round(), await round(), await round()]).toEqual([true, true, false]);
  expect(store.figures()).toMatchObject({ scrubCount: 1, repairedCount: 0 });
  disk.writesUntilFailure = Number.POSITIVE_INFINITY;
  nowMs += SCRUB_RETRY_MS;
  expect([await round(), await round(), await round()]).toEqual([true, true, false]);
  expect(store.figures()).toMatchObject({ scrubCount: 3, repairedCount: 1 });
});

test("damage beyond the parity stays listed and put aside after a restart, until the shards are put right", async () => {
  using disks = new ThreeDisks();
  const store = await disks.openEncoded();
  for (const shard of [0, 1, 4]) disks.flip(shard);
  await scrubRound(store);
  const isListed = (shard: number, each: VolumeStore): boolean =>
    each.quarantined().some(({ what }) => what === `shard ${shard}`);
  expect([0, 1, 2, 3, 4].filter((shard) => isListed(shard, store))).toEqual([0, 1, 4]);
  expect(store.figures()).toMatchObject({ repairedCount: 0 });
  await store.close();

  await using again = await disks.open();
  expect(await missing(again)).toEqual([0, 1, 4]);
  expect([0, 1, 2, 3, 4].filter((shard) => isListed(shard, again))).toEqual([0, 1, 4]);
  expect(await codeOf(again.rebuildVolume(ONE, SHAPE))).toBe("too-few-shards");
  const reads = await readAll(again);
  expect(reads).not.toContain("absent");
  expect(reads).not.toContain("other bytes");
  expect(reads).not.toEqual([...NEEDLES]);
  // One of the three comes back from elsewhere; the rest can be made of what there is then.
  disks.flip(1);
  await again.scrubVolume(ONE, SHAPE);
  expect(again.quarantined()).toEqual([]);
  expect(await missing(again)).toEqual([]);
  expect(await readAll(again)).toEqual([...NEEDLES]);
});

test("a shard made anew is not listed as damaged any more", async () => {
  using disks = new ThreeDisks();
  const store = await disks.openEncoded();
  for (const shard of [0, 1, 4]) disks.flip(shard);
  await scrubRound(store);
  await store.close();
  disks.flip(1);
  disks.flip(0);
  // What the list says is looked at anew: two shards were put right meanwhile.
  await using again = await disks.open();
  expect(await missing(again)).toEqual([0, 1, 4]);
  expect(await again.rebuildVolume(ONE, SHAPE)).toEqual([4]);
  expect(again.quarantined().filter(({ what }) => what === "shard 4")).toEqual([]);
});

for (const [loss, lose] of [
  ["removed", (path: string) => rmSync(path)],
  ["cut off", (path: string) => truncateSync(path, 5000)],
  ["put back shorter", (path: string) => replaceBy(path, readFileSync(path).subarray(0, 5000))],
] as const) {
  test(`shards whose files are ${loss} while the store has them open are made anew, by command and by a scrub`, async () => {
    using disks = new ThreeDisks();
    await using store = await disks.openEncoded();
    const bytes = [1, 4].map((shard) => readFileSync(disks.shard(shard)));
    for (const shard of [1, 4]) lose(disks.shard(shard));
    expect(await store.rebuildVolume(ONE, SHAPE)).toEqual([1, 4]);
    expect([1, 4].map((shard) => readFileSync(disks.shard(shard)))).toEqual(bytes);
    for (const shard of [1, 4]) lose(disks.shard(shard));
    const { repaired, damaged } = await store.scrubVolume(ONE, SHAPE);
    expect(new Set(repaired.map(({ what }) => what))).toEqual(new Set(["shard 1", "shard 4"]));
    expect(damaged).toEqual([]);
    expect([1, 4].map((shard) => readFileSync(disks.shard(shard)))).toEqual(bytes);
    expect(await readAll(store)).toEqual([...NEEDLES]);
  });
}

test("flipped bits in shards are found by making shards anew, without a scrub before", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  const bytes = [0, 3].map((shard) => readFileSync(disks.shard(shard)));
  for (const shard of [0, 3]) disks.flip(shard);
  expect(await store.rebuildVolume(ONE, SHAPE)).toEqual([0, 3]);
  expect([0, 3].map((shard) => readFileSync(disks.shard(shard)))).toEqual(bytes);
  expect(await store.rebuildVolume(ONE, SHAPE)).toEqual([]);
});

test("with more files gone than there is parity what the store has open is kept, told, and can be had back", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  for (const shard of [0, 1, 2, 3, 4]) rmSync(disks.shard(shard));
  expect(await codeOf(store.rebuildVolume(ONE, SHAPE))).toBe("too-few-shards");
  const { repaired, damaged } = await store.scrubVolume(ONE, SHAPE);
  expect(repaired).toEqual([]);
  expect(damaged.map(({ what }) => what)).toEqual([0, 1, 2, 3, 4].map((shard) => `shard ${shard}`));
  expect(store.quarantined()).toHaveLength(5);
  expect(await readAll(store)).toEqual([...NEEDLES]);
  await store.decodeVolume(ONE, SHAPE);
  expect(store.quarantined()).toEqual([]);
  await store.close();
  await using again = await disks.open();
  expect(await readAll(again)).toEqual([...NEEDLES]);
});

test("making shards anew puts back what is missing beside them, too", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  const indexes = disks.names.map((name) => `${disks.path(name)}/c_1.ecx`);
  const bytes = readFileSync(must(indexes[0]));
  for (const path of indexes) rmSync(path);
  expect(await store.rebuildVolume(ONE, SHAPE)).toEqual([]);
  for (const path of indexes) expect(readFileSync(path).equals(bytes)).toBe(true);
  expect(await store.checkShards(ONE, SHAPE)).toEqual([]);
});

test("shards are read on while a folder is away, and none is missing when it is back", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  for (const name of disks.names) {
    const lost = [0, 1, 2, 3, 4].filter((shard) => disks.holderOf(shard) === name);
    disks.takeAway(name);
    await store.checkDisks();
    expect((await store.volumes())[0]?.state).toBe("read-only");
    expect(await missing(store)).toEqual(lost);
    expect(await readAll(store)).toEqual([...NEEDLES]);
    disks.bringBack(name);
    await store.checkDisks();
    expect(await missing(store)).toEqual([]);
    expect(await readAll(store)).toEqual([...NEEDLES]);
  }
});

test("a removal while a folder is away holds when the folder is back, and alone", async () => {
  using disks = new ThreeDisks();
  const store = await disks.openEncoded();
  disks.takeAway("b");
  await store.checkDisks();
  await store.remove([fid(2)]);
  disks.bringBack("b");
  await store.checkDisks();
  expect(await readAll(store)).toEqual([1, "absent", 3]);
  await store.remove([fid(3)]);
  await store.close();
  disks.takeAway("a");
  await using again = await disks.open();
  expect(await readAll(again)).toEqual([1, "absent", "absent"]);
});

test("with too few folders what cannot be read says so, and all is well when they are back", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  const twoOfThem = disks.names.filter((name) => name !== disks.holderOf(4));
  for (const name of twoOfThem) disks.takeAway(name);
  await store.checkDisks();
  expect((await store.volumes())[0]?.state).toBe("failed");
  expect(new Set(await readAll(store))).toEqual(new Set(["too-few-shards"]));
  for (const name of twoOfThem) disks.bringBack(name);
  await store.checkDisks();
  expect((await store.volumes())[0]?.state).toBe("read-only");
  expect(await readAll(store)).toEqual([...NEEDLES]);
});

test("with every folder away the volume is missing, and served again when they are back", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  for (const name of disks.names) disks.takeAway(name);
  await store.checkDisks();
  expect((await store.volumes())[0]?.state).toBe("missing");
  expect(new Set(await readAll(store))).toEqual(new Set(["volume-missing"]));
  for (const name of disks.names) disks.bringBack(name);
  await store.checkDisks();
  expect(await readAll(store)).toEqual([...NEEDLES]);
  expect(await missing(store)).toEqual([]);
});

test("while a job has the volume its shards stay open, and are opened anew afterwards", async () => {
  using disks = new ThreeDisks();
  await using store = await disks.openEncoded();
  const stop = new AbortController();
  const job = codeOf(store.scrubVolume(ONE, { bytesPerSec: 1, signal: stop.signal }));
  disks.takeAway("b");
  await store.checkDisks();
  expect(await readAll(store)).toEqual([...NEEDLES]);
  expect(await missing(store)).toEqual([]);
  stop.abort();
  await job;
  await store.checkDisks();
  expect(await missing(store)).not.toEqual([]);
  expect(await readAll(store)).toEqual([...NEEDLES]);
});

test("a volume of shards that is deleted while a folder is away leaves nothing when that is back", async () => {
  for (const away of ["a", "b", "c"]) {
    for (const between of ["running", "stopped"]) {
      using disks = new ThreeDisks();
      let store = await disks.openEncoded();
      disks.takeAway(away);
      await store.checkDisks();
      await store.deleteVolume(ONE);
      expect(disks.files().filter((path) => !path.includes("-away/"))).toEqual([]);
      // Its id is not given out again while files of it may come back.
      expect(await codeOf(store.createVolume(ONE, { collection: "c" }))).toBe("volume-exists");
      if (between === "stopped") {
        await store.close();
        // A start without the folder changes nothing.
        store = await disks.open();
        await store.close();
        disks.bringBack(away);
        store = await disks.open();
      } else {
        disks.bringBack(away);
        await store.checkDisks();
      }
      expect(await store.volumes()).toEqual([]);
      expect(disks.files()).toEqual([]);
      await store.createVolume(ONE, { collection: "c" });
      await store.close();
    }
  }
});
