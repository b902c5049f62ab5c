import { afterEach, beforeEach, expect, test } from "bun:test";
import { S3Client } from "bun";
import { closeSync, openSync, readFileSync, readdirSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type SqlDatabase, must, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemHashes, systemRandom } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type OpenFiler, openFiler } from "@kelp/filer";
import { type Iam, openIam } from "@kelp/iam";
import { openMaster } from "@kelp/master";
import type { VolumeStore } from "@kelp/volume";
import { needleId } from "@kelp/wire";
import { openDataFolder } from "../folder/data-folder.ts";
import { openFolderDatabase } from "../folder/folder-database.ts";
import { openTestServer } from "../testing/opened-server.ts";
import { openVolumes } from "../volumes.ts";
import { checkFolder } from "./check-folder.ts";
import type { FolderFinding } from "./folder-finding.ts";

// Damage on a real disk, as a check and a sweep of the whole store see it.

const OBJECT_BYTES = 300_000;
const OBJECTS = ["a", "b", "c", "d"];
/** Of each object one needle: 16 + (4 + data + 1) + 12, padded. */
const RECORD = 300_040;
const FIRST = 8;

let folder: ReturnType<typeof temporaryFolder>;
let dir: string;

beforeEach(async () => {
  folder = temporaryFolder();
  dir = join(folder.path, "data");
  await using server = await openTestServer(dir);
  const client = s3Of(server);
  for (const key of OBJECTS) await client.write(key, contentOf(key));
});

afterEach(() => folder[Symbol.dispose]());

function s3Of(server: { readonly s3Url: string; readonly root: object }): S3Client {
  return new S3Client({ endpoint: server.s3Url, bucket: "mlpipeline", ...server.root });
}

function contentOf(key: string): Uint8Array {
  return new Uint8Array(OBJECT_BYTES).fill(key.charCodeAt(0));
}

/** The volume file that has all objects. */
function volumePath(): string {
  const names = readdirSync(join(dir, "volumes")).filter((name) => name.endsWith(".dat"));
  expect(names.length).toBe(1);
  return join(dir, "volumes", must(names[0], "there is a volume"));
}

/** Where the record of an object begins: objects were written in order. */
function placeOf(key: string): number {
  const at = FIRST + OBJECTS.indexOf(key) * RECORD;
  expect(readFileSync(volumePath()).readUInt8(at + 20)).toBe(key.charCodeAt(0));
  return at;
}

function flip(at: number): void {
  const byte = readFileSync(volumePath()).readUInt8(at);
  write(at, Buffer.from([byte ^ 0x10]));
}

function write(at: number, bytes: Uint8Array): void {
  const file = openSync(volumePath(), "r+");
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

async function check(orphans: "report" | "remove" = "report"): Promise<FolderFinding[]> {
  const found: FolderFinding[] = [];
  await checkFolder(dir, {
    orphans,
    indexes: "keep",
    onFinding: (finding) => found.push(finding),
    log: silentLog,
  });
  return found;
}

/** The parts of a store that a sweep needs, with a clock that can be put forward. */
async function withFiler(
  work: (parts: {
    readonly filer: OpenFiler;
    readonly volumes: VolumeStore;
    readonly execute: (sql: string) => void;
    readonly advance: (ms: number) => void;
  }) => Promise<void>,
): Promise<void> {
  let aheadMs = 0;
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + aheadMs };
  const common = { clock, random: systemRandom, hashes: systemHashes, log: silentLog };
  using data = await openDataFolder(dir, { disk: systemDisk, clock });
  const given = { folders: undefined, tiers: [], freeBytesFloor: 0, log: silentLog };
  await using volumes = await openVolumes({ folder: data, ...given });
  await using master = await openMaster({ ...common, volumes, states: volumes, disks: volumes });
  using database = openFolderDatabase(data, "filer", { damagedLog: "refuse", log: silentLog });
  using filer = openFiler({ ...common, database, volumes, master });
  const execute = (sql: string): void => database.execute(sql);
  const advance = (ms: number): void => void (aheadMs += ms);
  await work({ filer, volumes, execute, advance });
}

const GRACE = { graceMs: 1000 };

/** Two sweeps, the grace apart, and the collector; how many needles went. */
async function sweep(filer: OpenFiler, advance: (ms: number) => void): Promise<number> {
  await filer.sweepOrphans(GRACE);
  advance(2000);
  const { removedNeedles } = await filer.sweepOrphans(GRACE);
  await filer.collect({ graceMs: 0 });
  return removedNeedles;
}

const PLACES = [
  ["cookie", 1],
  ["id", 11],
  ["size", 13],
  ["data", 5000],
] as const;

const KEYS = ["b", "d"] as const;

test.each(PLACES.flatMap(([what, at]) => KEYS.map((key) => [what, at, key] as const)))(
  "a damaged %s of a needle (byte %i, object %s) is told as corruption, and nothing is freed for it",
  async (_what, at, key) => {
    flip(placeOf(key) + at);
    const before = readFileSync(volumePath());
    for (const orphans of ["report", "remove", "report"] as const) {
      const found = await check(orphans);
      // An id that is damaged in the last record is told under both names.
      expect([...new Set(found.map(({ kind }) => kind))]).toEqual(["corrupt-needle"]);
      expect(found.some(({ text }) => text.endsWith(`; it is of entry ${key} of mlpipeline`))).toBe(
        true,
      );
    }
    await withFiler(async ({ filer, advance, volumes }) => {
      expect(await sweep(filer, advance)).toBe(0);
      const [volume] = await volumes.volumes();
      expect(volume?.liveCount).toBeGreaterThanOrEqual(OBJECTS.length);
    });
    expect(readFileSync(volumePath()).equals(before)).toBe(true);
    await using server = await openTestServer(dir);
    const client = s3Of(server);
    for (const each of OBJECTS) {
      const read = client
        .file(each)
        .bytes()
        .then((bytes) => Bun.deepEquals(bytes, contentOf(each)))
        .catch((error: unknown) => (error as { code?: string }).code);
      const found = await read;
      if (each === key) expect(["InternalError", "UnknownError"]).toContain(String(found));
      else expect(found).toBe(true);
    }
  },
  30_000,
);

test("a damaged list of chunks is told, and its needles are not freed", async () => {
  await withFiler(async ({ filer, execute, advance, volumes }) => {
    execute(
      "UPDATE contents SET bytes = CAST(bytes || x'00' AS BLOB) WHERE id = (SELECT min(id) FROM contents)",
    );
    expect(await sweep(filer, advance)).toBe(0);
    expect((await volumes.volumes())[0]?.liveCount).toBe(OBJECTS.length);
  });
  const found = await check("remove");
  expect(found.filter(({ isHarmless }) => !isHarmless).map(({ kind }) => kind)).toContain(
    "damaged-entry",
  );
  expect(found.some(({ kind }) => kind === "orphan-needle" || kind === "debris")).toBe(false);
});

test("a torn record that nothing names is debris: harmless, swept, and dropped by a vacuum", async () => {
  const torn = { needleId: needleId(0xfeedn), cookie: 0x0bad_cafe };
  let at = 0;
  await withFiler(async ({ volumes }) => {
    const [volume] = await volumes.volumes();
    const { id, sizeBytes } = must(volume, "there is a volume");
    at = sizeBytes;
    await volumes.append({ ...torn, volumeId: id }, new Uint8Array(50_000).fill(7));
  });
  {
    await using server = await openTestServer(dir);
    await s3Of(server).write("later", contentOf("l"));
  }
  // As when the blocks of its end never came to the disk, and its index entry neither.
  write(at + 8000, new Uint8Array(40_000));
  rmSync(volumePath().replace(/dat$/, "idx"));
  const found = await check();
  expect(found).toMatchObject([{ kind: "debris", isHarmless: true }]);
  expect(found[0]?.text).toContain("50040 bytes of debris");
  await withFiler(async ({ filer, volumes, advance }) => {
    expect(await sweep(filer, advance)).toBe(1);
    const id = must((await volumes.volumes())[0], "there is a volume").id;
    const { bytesBefore, bytesAfter, damaged } = await volumes.vacuum(id);
    expect(damaged).toEqual([]);
    expect(bytesBefore - bytesAfter).toBe(50_040 + 32);
  });
  expect(await check()).toEqual([]);
});

test("a torn record is removed by a check that removes orphans", async () => {
  await withFiler(async ({ volumes }) => {
    const { id } = must((await volumes.volumes())[0], "there is a volume");
    const fid = { volumeId: id, needleId: needleId(0xfeedn), cookie: 5 };
    await volumes.append(fid, new Uint8Array(5000).fill(7));
  });
  write(FIRST + OBJECTS.length * RECORD + 1000, new Uint8Array(1000));
  const [found] = await check("remove");
  expect(found).toMatchObject({ kind: "debris", isHarmless: true });
  expect(found?.text).toContain("; removed");
  expect(await check()).toEqual([]);
});

test("without its index file a volume whose record has another id frees nothing of what is named", async () => {
  const place = placeOf("b");
  flip(place + 11);
  rmSync(volumePath().replace(/dat$/, "idx"));
  const found = await check("remove");
  expect(found.map(({ kind, isHarmless }) => [kind, isHarmless])).toEqual([
    ["corrupt-needle", false],
    ["missing-chunk", false],
  ]);
  await withFiler(async ({ filer, advance }) => {
    expect(await sweep(filer, advance)).toBe(0);
  });
  // Put right by hand, it is there again.
  flip(place + 11);
  rmSync(volumePath().replace(/dat$/, "idx"));
  expect(await check()).toEqual([]);
});

test.each([
  ["volume", 3],
  ["needle id", 11],
  ["cookie", 15],
])("a reference whose %s is damaged (byte %i of its row) frees nothing", async (_what, at) => {
  await withFiler(async ({ filer, execute, advance, volumes }) => {
    execute(`UPDATE chunk_refs SET address = CAST(
      substr(address, 1, ${at}) || x'7e' || substr(address, ${at + 2}) AS BLOB)
      WHERE address = (SELECT min(address) FROM chunk_refs)`);
    expect(await sweep(filer, advance)).toBe(0);
    expect((await volumes.volumes())[0]?.liveCount).toBe(OBJECTS.length);
  });
  for (const orphans of ["report", "remove"] as const) {
    const kinds = (await check(orphans)).map(({ kind }) => kind);
    expect(kinds).toContain("unreferenced-chunk");
    expect(kinds).not.toContain("orphan-needle");
  }
  await withFiler(async ({ volumes }) => {
    expect((await volumes.volumes())[0]?.liveCount).toBe(OBJECTS.length);
  });
});

test("identities that the disk changed are told of, and put again they are whole", async () => {
  await withIdentities((iam) => iam.putIdentity({ name: "ada", actions: ["Read"] }));
  expect(await check()).toEqual([]);
  await withIdentities((_, database) =>
    database.execute("UPDATE iam_actions SET action = 'Admin' WHERE name = 'ada'"),
  );
  expect(await check()).toMatchObject([{ kind: "damaged-identity", isHarmless: false }]);
  await withIdentities((iam) => iam.putIdentity({ name: "ada", actions: ["Read"] }));
  expect(await check()).toEqual([]);
});

async function withIdentities(work: (iam: Iam, database: SqlDatabase) => unknown): Promise<void> {
  using data = await openDataFolder(dir, { disk: systemDisk, clock: systemClock });
  using database = openFolderDatabase(data, "iam", { damagedLog: "refuse", log: silentLog });
  const iam = openIam({
    database,
    root: { accessKeyId: "rootkey", secret: "root-secret" },
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  });
  await work(iam, database);
}
