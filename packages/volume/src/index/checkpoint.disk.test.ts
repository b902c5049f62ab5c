import { expect, test } from "bun:test";
import { existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { silentLog } from "@kelp/base";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { FaultyDisk, temporaryFolder } from "@kelp/base/testing";
import { array, asyncProperty, assert as check, constantFrom, nat, record } from "fast-check";
import { CHECKPOINT_CHANGES_MIN } from "../limits.ts";
import { recordBytesOf } from "../needle/layout.ts";
import { loadIndex } from "../volume/load-index.ts";
import { lastRecordSum } from "./checkpoint-format.ts";
import { fingerprintOf } from "./checkpoint-reader.ts";
import { CheckpointKeeper } from "./checkpoint-keeper.ts";
import { writeCheckpoint } from "./checkpoint-writer.ts";
import { REMOVED_SIZE, indexEntryBytes, writeIndexEntry } from "./index-entry.ts";
import { IndexFile, lastRecordOf } from "./index-file.ts";
import { NeedleIndex } from "./needle-index.ts";

const SUPERBLOCK = Buffer.from("0300000000000000", "hex");

/** A history of puts and removals in the files of a volume. Of the volume file only the headers are written. */
class History implements Disposable {
  readonly #folder = temporaryFolder();
  readonly offsetWidth: 4 | 5;
  readonly index: NeedleIndex;
  readonly entries: Buffer[] = [];
  readonly headers: Buffer[] = [SUPERBLOCK];
  endBytes = 8;
  last = { idHigh: 0, idLow: 0, offsetBytes: 0, bodyBytes: 0 };

  constructor(offsetWidth: 4 | 5 = 4) {
    this.offsetWidth = offsetWidth;
    this.index = new NeedleIndex({ offsetWidth });
  }

  path(suffix: string): string {
    return `${this.#folder.path}/1${suffix}`;
  }

  add(idLow: number, change: { readonly bodyBytes: number } | "remove"): Buffer {
    const bodyBytes = change === "remove" ? REMOVED_SIZE : change.bodyBytes;
    const entry = Buffer.alloc(indexEntryBytes(this.offsetWidth));
    this.last = { idHigh: 0, idLow, offsetBytes: this.endBytes, bodyBytes };
    writeIndexEntry(entry, 0, this.last, this.offsetWidth);
    const header = Buffer.alloc(recordBytesOf(Math.max(0, bodyBytes)));
    header.writeUInt32BE(idLow, 8);
    header.writeInt32BE(Math.max(0, bodyBytes), 12);
    if (change === "remove") this.index.remove(0, idLow, { hasTombstone: true });
    else this.index.put(0, idLow, this.endBytes, bodyBytes);
    this.entries.push(entry);
    this.headers.push(header);
    this.endBytes += header.length;
    return entry;
  }

  writeFiles(): void {
    writeFileSync(this.path(".idx"), Buffer.concat(this.entries));
    writeFileSync(this.path(".dat"), Buffer.concat(this.headers));
  }

  async writeCheckpoint(): Promise<boolean> {
    this.writeFiles();
    await using indexFile = await systemDisk.open(this.path(".idx"), { access: "read" });
    await using dataFile = await systemDisk.open(this.path(".dat"), { access: "read" });
    using snapshot = this.index.takeSnapshot();
    const indexFileBytes = await indexFile.sizeBytes();
    const facts = {
      offsetWidth: this.offsetWidth,
      superblock: SUPERBLOCK,
      indexFileBytes,
      fingerprint: await fingerprintOf(indexFile, indexFileBytes, systemHashes),
      lastRecord: lastRecordOf(this.last, recordBytesOf),
      lastRecordSum: await lastRecordSum(
        dataFile,
        { ...this.last, bodyBytes: Math.max(0, this.last.bodyBytes) },
        systemHashes,
      ),
    };
    return await writeCheckpoint(this.target(), facts, snapshot);
  }

  target() {
    const folder = this.#folder.path;
    return { disk: systemDisk, hashes: systemHashes, folder, path: this.path(".kix") };
  }

  async load(options: { readonly isCheckpointUsed: boolean }) {
    await using indexFile = await systemDisk.open(this.path(".idx"), { access: "read" });
    await using file = await systemDisk.open(this.path(".dat"), { access: "read" });
    return await loadIndex({
      indexFile,
      region: { file, startBytes: 8, endBytes: await file.sizeBytes() },
      indexOptions: { offsetWidth: this.offsetWidth },
      checkpoint: options.isCheckpointUsed
        ? { ...this.target(), superblock: SUPERBLOCK }
        : undefined,
    });
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

/** Everything that an index knows of the ids up to `idMax`. */
function knowledge(index: NeedleIndex, idMax: number): unknown {
  const needles: unknown[] = [];
  for (let id = 1; id <= idMax; id++) {
    needles.push([index.knows(0, id), index.find(0, id), index.findRemoved(0, id)]);
  }
  const part: unknown[] = [];
  index.forEachLive((...needle) => part.push(needle), { fromBytes: 100, endBytes: 2000 });
  return { needles, part, counters: index.counters, entryCount: index.entryCount };
}

const step = record({
  kind: constantFrom("put", "put", "remove", "checkpoint"),
  id: nat({ max: 30 }).map((value) => value + 1),
  body: nat({ max: 300 }),
});

test.each([4 as const, 5 as const])(
  "for any history, with offsets of %i bytes, a checkpoint and the entries behind it give what all entries give",
  async (width) => {
    await check(
      asyncProperty(array(step, { minLength: 1, maxLength: 80 }), nat(), async (steps, cut) => {
        using history = new History(width);
        for (const { kind, id, body } of steps) {
          if (kind === "checkpoint") {
            if (history.entries.length > 0) expect(await history.writeCheckpoint()).toBe(true);
          } else {
            history.add(id, kind === "remove" ? "remove" : { bodyBytes: body });
          }
        }
        history.writeFiles();
        const plain = await history.load({ isCheckpointUsed: false });
        const fast = await history.load({ isCheckpointUsed: true });
        expect(fast.checkpointDistrust).toBeUndefined();
        expect(knowledge(plain.index, 31)).toEqual(knowledge(history.index, 31));
        expect(knowledge(fast.index, 31)).toEqual(knowledge(history.index, 31));
        expect({ ...fast, index: 0, checkpointBytes: 0 }).toEqual({
          ...plain,
          index: 0,
          checkpointBytes: 0,
        });
        // After any loss at the end of either file the same is known with the checkpoint as without.
        for (const suffix of [".idx", ".dat"]) {
          history.writeFiles();
          truncateSync(
            history.path(suffix),
            Math.max(8, cut % (readFileSync(history.path(suffix)).length + 1)),
          );
          const [left, right] = [
            await history.load({ isCheckpointUsed: false }),
            await history.load({ isCheckpointUsed: true }),
          ];
          expect(knowledge(right.index, 31)).toEqual(knowledge(left.index, 31));
          expect(right.trustedBytes).toBe(left.trustedBytes);
          expect(right.coveredBytes).toBe(left.coveredBytes);
        }
      }),
      { numRuns: 40 },
    );
  },
);

async function withCheckpoint(): Promise<History> {
  const history = new History();
  for (let id = 1; id <= 9000; id++) history.add(id, { bodyBytes: id % 50 });
  for (let id = 1; id <= 9000; id += 9) history.add(id, "remove");
  await history.writeCheckpoint();
  return history;
}

test("a checkpoint with any byte changed, missing or too much is not used, and nothing else is different", async () => {
  using history = await withCheckpoint();
  const path = history.path(".kix");
  const good = readFileSync(path);
  const before = knowledge(history.index, 9000);
  expect((await history.load({ isCheckpointUsed: true })).checkpointBytes).toBe(160_000);
  for (let round = 0; round < 120; round++) {
    const bytes = Buffer.from(good);
    // Every byte of the header and of the first leaf's, then here and there.
    const at = round < 60 ? round * 2 + (round & 1) : (round * 7919) % bytes.length;
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (round & 7));
    writeFileSync(path, bytes);
    const loaded = await history.load({ isCheckpointUsed: true });
    expect(loaded.checkpointDistrust).toBeDefined();
    expect(loaded.checkpointBytes).toBe(0);
    if (round % 40 === 0) expect(knowledge(loaded.index, 9000)).toEqual(before);
  }
  for (const bytes of [
    good.subarray(0, 0),
    good.subarray(0, 104),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.alloc(1)]),
  ]) {
    writeFileSync(path, bytes);
    const loaded = await history.load({ isCheckpointUsed: true });
    expect(loaded.checkpointDistrust).toBeDefined();
    expect(knowledge(loaded.index, 9000)).toEqual(before);
  }
});

test.each([
  [
    "another superblock, as after vacuuming",
    (history: History) => {
      const superblock = Buffer.from("0300000000010000", "hex");
      return { ...history.target(), superblock };
    },
  ],
  [
    "an index file with other entries",
    (history: History) => {
      const bytes = readFileSync(history.path(".idx"));
      bytes.writeInt32BE(77, bytes.length - 16 * 20 + 12);
      writeFileSync(history.path(".idx"), bytes);
      return { ...history.target(), superblock: SUPERBLOCK };
    },
  ],
  [
    "a volume file whose last record has another date",
    (history: History) => {
      const bytes = readFileSync(history.path(".dat"));
      bytes.writeUInt32BE(77, bytes.length - 32 + 16 + 4 + 4);
      writeFileSync(history.path(".dat"), bytes);
      return { ...history.target(), superblock: SUPERBLOCK };
    },
  ],
  [
    "a volume file with another last record",
    (history: History) => {
      const bytes = readFileSync(history.path(".dat"));
      bytes.writeUInt32BE(77, bytes.length - 32 + 8);
      writeFileSync(history.path(".dat"), bytes);
      return { ...history.target(), superblock: SUPERBLOCK };
    },
  ],
])("a checkpoint is not used beside %s", async (_name, change) => {
  using history = await withCheckpoint();
  const checkpoint = change(history);
  await using indexFile = await systemDisk.open(history.path(".idx"), { access: "read" });
  await using file = await systemDisk.open(history.path(".dat"), { access: "read" });
  const region = { file, startBytes: 8, endBytes: await file.sizeBytes() };
  const loaded = await loadIndex({ indexFile, region, indexOptions: {}, checkpoint });
  expect(loaded.checkpointDistrust).toBeDefined();
  expect(loaded.checkpointBytes).toBe(0);
});

test("after many changes a checkpoint of that moment is written in the background, while changes go on", async () => {
  using history = new History();
  await using file = await systemDisk.open(history.path(".idx"), {
    access: "read-write",
    create: true,
  });
  const { index } = history;
  await using dataFile = await systemDisk.open(history.path(".dat"), {
    access: "read-write",
    create: true,
  });
  const keeper = new CheckpointKeeper(
    { ...history.target(), log: silentLog, index, superblock: SUPERBLOCK, dataFile },
    0,
  );
  const indexFile = new IndexFile({ file, endBytes: 0, index, log: silentLog });
  indexFile.keepCheckpoint(keeper, undefined);
  let id = 0;
  let written = 0;
  const appendSome = async (count: number) => {
    for (let left = count; left > 0; left -= 1024) {
      const entries = Array.from({ length: 1024 }, () =>
        ++id % 10 === 0 ? history.add(id - 9, "remove") : history.add(id, { bodyBytes: 0 }),
      );
      await dataFile.writeAt(history.headers.slice(written), await dataFile.sizeBytes());
      written = history.headers.length;
      indexFile.append(Buffer.concat(entries));
      // Not waited for where it counts: the index changes while the checkpoint is being written.
      if (id < CHECKPOINT_CHANGES_MIN - 2048) await indexFile.settle();
    }
  };
  await appendSome(CHECKPOINT_CHANGES_MIN + 10 * 1024);
  await keeper.settle();
  await indexFile.settle();
  const entriesNow = Buffer.concat(history.entries);
  expect(readFileSync(history.path(".idx")).equals(entriesNow)).toBe(true);
  history.writeFiles();
  const loaded = await history.load({ isCheckpointUsed: true });
  expect(loaded.checkpointDistrust).toBeUndefined();
  expect(loaded.checkpointBytes).toBe(CHECKPOINT_CHANGES_MIN * 16);
  expect(knowledge(loaded.index, id)).toEqual(knowledge(index, id));
});

const CANNOT_WRITE = "cannot write the checkpoint of an index";

test.each([
  ["has no space", (disk: FaultyDisk) => (disk.spaceBytes = 30_000_000), []],
  ["fails to write", (disk: FaultyDisk) => (disk.writesUntilFailure = 1), [CANNOT_WRITE]],
  ["fails to sync", (disk: FaultyDisk) => (disk.syncsUntilFailure = 1), [CANNOT_WRITE]],
])(
  "when the disk %s the earlier checkpoint stays, and the index file is closed all the same",
  async (_name, spoil, expected) => {
    using history = await withCheckpoint();
    const before = readFileSync(history.path(".kix"));
    const disk = new FaultyDisk(systemDisk);
    disk.onlyPathEnd = ".kix.tmp";
    spoil(disk);
    await using dataFile = await systemDisk.open(history.path(".dat"), { access: "read" });
    await using file = await systemDisk.open(history.path(".idx"), { access: "read-write" });
    const { index } = history;
    const warnings: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
    const keeper = new CheckpointKeeper(
      { ...history.target(), disk, log, index, superblock: SUPERBLOCK, dataFile },
      50_000,
    );
    const indexFile = new IndexFile({ file, endBytes: 160_000, index, log });
    indexFile.keepCheckpoint(keeper, undefined);
    indexFile.append(history.add(9001, { bodyBytes: 1 }));
    await indexFile.close();
    expect(warnings).toEqual(expected);
    expect(existsSync(history.path(".kix.tmp"))).toBe(false);
    expect(readFileSync(history.path(".kix")).equals(before)).toBe(true);
    history.writeFiles();
    const loaded = await history.load({ isCheckpointUsed: true });
    expect(loaded.checkpointBytes).toBe(160_000);
    expect(knowledge(loaded.index, 9001)).toEqual(knowledge(index, 9001));
  },
);
