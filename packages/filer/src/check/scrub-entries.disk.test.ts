import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openDatabase, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type FilerWorld, TREE, openFilerWorld, read, write } from "../testing/index.ts";
import { type EntryScrub, scrubEntries } from "./scrub-entries.ts";

const COUNT = 130;
const MALFORMED = "database disk image is malformed";

/** A store in a real file, all of it in the file's pages. */
class StoreOnDisk implements Disposable {
  readonly #folder = temporaryFolder();
  readonly path = join(this.#folder.path, "filer.db");
  readonly #database = openDatabase(this.path);
  readonly world: FilerWorld = openFilerWorld({ database: this.#database });

  async fill(): Promise<void> {
    await this.world.filer.createTree({ name: TREE, kind: "bucket", owner: "ada" });
    for (let at = 0; at < COUNT; at += 1) await write(this.world, `k${at}`, bodyOf(at));
    this.settle();
  }

  settle(): void {
    this.#database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Changes one bit of it wherever it stands: pages that are not in use any more may have it, too. */
  flip(text: string): void {
    const bytes = readFileSync(this.path);
    let at = bytes.indexOf(text);
    expect(at).toBeGreaterThan(0);
    for (; at >= 0; at = bytes.indexOf(text, at)) bytes[at] = (bytes[at] ?? 0) ^ 1;
    writeFileSync(this.path, bytes);
  }

  async scrub(pause: () => Promise<void> = async () => undefined): Promise<EntryScrub> {
    const open = () => openDatabase(this.path, "read-only");
    return await scrubEntries(open, { hashes: systemHashes, pause });
  }

  [Symbol.dispose](): void {
    this.world[Symbol.dispose]();
    this.#database[Symbol.dispose]();
    this.#folder[Symbol.dispose]();
  }
}

function bodyOf(at: number): Uint8Array {
  return Buffer.from(`body of ${at}, which is inline`.padEnd(200, "."));
}

test("nothing is found where nothing is damaged, and every row is read with pauses between", async () => {
  using it = new StoreOnDisk();
  await it.fill();
  let pauses = 0;
  const report = await it.scrub(async () => {
    pauses += 1;
    await write(it.world, `meanwhile ${pauses}`, bodyOf(1000 + pauses));
  });
  expect(report).toMatchObject({ damagedCount: 0, firstReason: undefined });
  expect(report.checkedCount).toBeGreaterThanOrEqual(COUNT);
  expect(pauses).toBe(Math.floor(report.checkedCount / 50));
});

test("a changed bit of a content is found, though the entry is served from memory", async () => {
  using it = new StoreOnDisk();
  await it.fill();
  const hot = await read(it.world, "k7");
  it.flip("body of 7,");
  expect(await read(it.world, "k7")).toEqual(hot);
  const report = await it.scrub();
  expect(report.damagedCount).toBe(1);
  expect(report.firstReason).toContain("content of an entry");
  expect(report.checkedCount).toBe(COUNT);
});

test("what the log of the database holds is read as well", async () => {
  using it = new StoreOnDisk();
  await it.fill();
  it.flip("body of 9,");
  await write(it.world, "k9", bodyOf(9));
  expect(await it.scrub()).toMatchObject({ damagedCount: 0 });
});

test("pages that cannot be read end the scrub as damage, and what a pause throws ends it as that", async () => {
  using it = new StoreOnDisk();
  await it.fill();
  const stopped = new Error("the server stops");
  expect(await it.scrub(() => Promise.reject(stopped)).catch((error: unknown) => error)).toBe(
    stopped,
  );
  const bytes = readFileSync(it.path);
  const page = Math.floor(bytes.indexOf("body of 7,") / 4096) * 4096;
  writeFileSync(it.path, bytes.fill(0xff, page, page + 8));
  expect(await it.scrub()).toMatchObject({ damagedCount: 1, firstReason: MALFORMED });
  writeFileSync(it.path, bytes.fill(0xff, 0, 100));
  expect((await it.scrub()).damagedCount).toBe(1);
});
