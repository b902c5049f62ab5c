import { expect, test } from "bun:test";
import { type Fid, needleId, parseFid, volumeId } from "@kelp/wire";
import { type VolumeStore } from "@kelp/volume";
import {
  type RecordedNeedle,
  fidOf,
  openFixture,
  readContent,
  recordedNeedles,
  unpackFixture,
} from "./harness/seaweedfs-fixture.ts";

// Volumes of shards have a test of their own.
const NEEDLES = recordedNeedles().filter((needle) => needle.kind !== "ec");
const LIVE = NEEDLES.filter((needle) => needle.state === "live");
const DELETED = NEEDLES.filter((needle) => needle.state === "deleted");

/** Every live needle reads as SeaweedFS answered it; every deleted one, and those in `gone`, is refused. */
async function expectWhole(
  store: VolumeStore,
  gone: ReadonlySet<string> = new Set(),
): Promise<void> {
  for (const recorded of LIVE) {
    const found = await readContent(store, fidOf(recorded));
    if (gone.has(recorded.fid)) expect(found).toBeUndefined();
    else expectSame(recorded, found);
  }
  for (const recorded of DELETED) expect(await store.readNeedle(fidOf(recorded))).toBeUndefined();
}

function expectSame(
  recorded: RecordedNeedle,
  found: Awaited<ReturnType<typeof readContent>>,
): void {
  const { fid, size, md5, name, headers, etag } = recorded;
  const needle = found?.needle;
  expect({ fid, size: found?.size, md5: found?.md5 }).toEqual({ fid, size, md5 });
  // Of an empty needle SeaweedFS keeps nothing but its address; a body without a form is named by the path it came to.
  if (size === 0) expect(needle?.name).toBeUndefined();
  else expect([name.slice(0, 255), fid]).toContain(needle?.name ?? "");
  expect(needle?.pairs ?? {}).toEqual(storedPairs(headers));
  if (needle?.mediaType !== undefined) expect(recorded.content_type).toStartWith(needle.mediaType);
  const checksum = (needle?.checksum ?? 0).toString(16).padStart(8, "0");
  if (recorded.kind !== "chunk manifest") expect(`"${checksum}"`).toBe(etag ?? "");
}

/** SeaweedFS stores the headers `Seaweed-*` of a write without that prefix, the first letter as a capital. */
function storedPairs(headers: Readonly<Record<string, string>>): Record<string, string> {
  const pairs = Object.entries(headers).map(([name, value]) => {
    const short = name.slice("Seaweed-".length);
    return [`${short.slice(0, 1).toUpperCase()}${short.slice(1)}`, value];
  });
  return Object.fromEntries(pairs);
}

test("the record names what the fixture is said to hold", () => {
  expect(LIVE.length).toBeGreaterThan(85);
  expect(DELETED.length).toBeGreaterThan(20);
});

test("a folder written by SeaweedFS opens: live needles are served, deleted ones refused", async () => {
  using folder = unpackFixture();
  await using store = await openFixture(folder.path);
  await expectWhole(store);
  const states = (await store.volumes()).map(({ id, state }) => `${id} ${state}`);
  expect(states.filter((state) => !state.endsWith("writable"))).toEqual(["22 read-only"]);
  expect(states.length).toBe(35);
});

test("collections, TTLs and counters are those of the folder", async () => {
  using folder = unpackFixture();
  await using store = await openFixture(folder.path);
  const volumes = await store.volumes();
  expect(new Set(volumes.map(({ collection }) => collection))).toEqual(
    new Set(["", "ec", "pictures", "vac"]),
  );
  for (const recorded of LIVE) {
    const volume = volumes.find(({ id }) => id === fidOf(recorded).volumeId);
    expect(volume?.collection).toBe(recorded.collection);
    const isShort = recorded.ttl === "5d";
    expect(volume?.ttl).toEqual(isShort ? { count: 5, unit: "day" } : { count: 0, unit: "none" });
  }
  for (const { sizeBytes, liveBytes, deletedBytes } of volumes) {
    expect(liveBytes + deletedBytes + 8).toBe(sizeBytes);
  }
  // Of the chunks that a manifest names there is no record.
  const liveCount = volumes.reduce((sum, volume) => sum + volume.liveCount, 0);
  expect(liveCount).toBeGreaterThanOrEqual(LIVE.length);
});

test("a scan finds every needle of the folder, and no damage", async () => {
  using folder = unpackFixture();
  await using store = await openFixture(folder.path);
  const found = new Set<string>();
  for (const { id } of await store.volumes()) {
    for await (const needle of store.scan(id)) {
      expect(needle.kind).toBe("live");
      found.add(`${id},${needle.needleId}`);
    }
  }
  for (const recorded of LIVE) {
    const fid = fidOf(recorded);
    expect(found.has(`${fid.volumeId},${fid.needleId}`)).toBe(true);
  }
});

test("after writes and removals of Kelp's own, and a restart, everything still holds", async () => {
  using folder = unpackFixture();
  const own = { data: Buffer.from("kelp"), name: "own.txt", pairs: { "Seaweed-by": "kelp" } };
  const gone = new Set(LIVE.filter((_, index) => index % 7 === 3).map(({ fid }) => fid));
  const written: Fid[] = [];
  {
    await using store = await openFixture(folder.path);
    for (const { id, state } of await store.volumes()) {
      if (state !== "writable") continue;
      const fid = { volumeId: id, needleId: needleId(1_000_000n + BigInt(id)), cookie: 77 };
      expect(await store.writeNeedle(fid, own)).toBe("written");
      written.push(fid);
    }
    for (const fid of gone) {
      expect(await store.removeNeedle(parseFid(fid) ?? written[0] ?? never())).toBeNumber();
    }
    await expectWhole(store, gone);
  }
  await using store = await openFixture(folder.path);
  await expectWhole(store, gone);
  for (const fid of written) expect(await store.readNeedle(fid)).toMatchObject(own);
});

test("every volume is scrubbed without damage and vacuumed, and everything still holds", async () => {
  using folder = unpackFixture();
  const rate = { bytesPerSec: Number.POSITIVE_INFINITY };
  {
    await using store = await openFixture(folder.path);
    for (const { id, liveCount, form } of await store.volumes()) {
      expect({ id, damaged: (await store.scrubVolume(id, rate)).damaged }).toEqual({
        id,
        damaged: [],
      });
      if (form.kind === "plain") {
        expect((await store.vacuum(id, rate)).liveCount).toBe(liveCount);
      }
    }
    for (const { deletedBytes, form } of await store.volumes()) {
      if (form.kind === "plain") expect(deletedBytes).toBe(0);
    }
    await expectWhole(store);
  }
  await using store = await openFixture(folder.path);
  await expectWhole(store);
}, 60_000);

test("a needle written again as it was is not appended, another content is", async () => {
  using folder = unpackFixture();
  await using store = await openFixture(folder.path);
  const recorded = LIVE.find(({ kind }) => kind === "pairs") ?? never();
  const fid = fidOf(recorded);
  const needle = (await store.readNeedle(fid)) ?? never();
  const { checksum: _sum, appendedNs: _date, ...content } = needle;
  expect(await store.writeNeedle(fid, content)).toBe("unchanged");
  expect(await store.writeNeedle(fid, { ...content, data: Buffer.from("x") })).toBe("written");
});

test("the index files may be lost: the volumes tell the same", async () => {
  using folder = unpackFixture();
  for (const name of new Bun.Glob("*.idx").scanSync(folder.path)) {
    await Bun.file(`${folder.path}/${name}`).delete();
  }
  await using store = await openFixture(folder.path);
  await expectWhole(store);
});

test("needles and volumes of five days are gone after them", async () => {
  using folder = unpackFixture();
  const lateMs = Date.UTC(2026, 10, 28);
  await using store = await openFixture(folder.path, lateMs);
  for (const recorded of LIVE) {
    const needle = await store.readNeedle(fidOf(recorded));
    expect(needle === undefined).toBe(recorded.ttl === "5d");
  }
  const dropped = new Set(await store.dropExpired());
  const expired = LIVE.filter(({ ttl }) => ttl === "5d").map((each) => fidOf(each).volumeId);
  expect(dropped).toEqual(new Set(expired));
  expect(dropped.has(volumeId(1))).toBe(false);
});

function never(): never {
  throw new Error("the fixture holds one");
}
