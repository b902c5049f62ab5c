import { randomInt } from "node:crypto";
import { type SqlDatabase, silentLog } from "@kelp/base";
import { openDatabase, systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import { type OpenFiler, openFiler } from "@kelp/filer";
import { MemoryVolumes } from "@kelp/filer/testing";
import type { EntryPath, ListQuery, TreeName } from "@kelp/wire";
import { type Measurement, quantiles } from "../load.ts";
import type { SuiteOptions } from "../options.ts";
import { processMemory } from "../process-stat.ts";
import { benchFolder } from "../server-process.ts";

const ROWS_PER_TRANSACTION = 200_000;
const FOLDERS = 1000;
const PAGE_KEYS = 1000;
const PAGES = 400;
const LOOKUPS = 2000;
const COPY = "copy" as TreeName;
const TREE = "deep" as TreeName;
const PREFIX = "all/";

/** The filer alone, no door before it, over a tree of many entries. */
export async function namespaceSuite({ entries }: SuiteOptions): Promise<Measurement[]> {
  using folder = benchFolder();
  const file = `${folder.path}/filer.db`;
  await build(file, entries);
  const openedMs = performance.now();
  using database = openDatabase(file);
  using filer = filerOn(database);
  await filer.getTree(TREE);
  const opening = performance.now() - openedMs;
  const name = (text: string): string => `${text}, ${entries.toLocaleString("en-US")} entries`;
  const at = (): string => pathOf(randomInt(entries), entries);
  const page = (query: Omit<ListQuery, "limit">) =>
    filer.listEntries(TREE, { ...query, limit: PAGE_KEYS });
  const found: Measurement[] = [single(name("open"), opening)];
  const time = async (text: string, count: number, run: () => Promise<unknown>): Promise<void> => {
    found.push(await timed(name(text), count, run));
  };
  await time("list 1000 anywhere (per page)", PAGES, () => page({ after: at() }));
  await time("list / at the root", PAGES, () => page({ delimiter: "/" }));
  await time(`list / of ${FOLDERS} folders (per page)`, 50, () =>
    page({ delimiter: "/", prefix: PREFIX }),
  );
  await time("get anywhere", LOOKUPS, () => filer.getEntry(TREE, at() as EntryPath));
  await time("put anywhere, one at a time", LOOKUPS, () => put(filer, `${at()}.new`));
  await time("snapshot", 10, () => filer.createSnapshot(TREE, `s${performance.now()}`));
  await filer.createSnapshot(TREE, "s");
  await time("overwrite under a snapshot, one at a time", LOOKUPS, () => put(filer, at()));
  await time("list 1000 of the snapshot anywhere (per page)", PAGES, () =>
    filer.listSnapshotEntries(TREE, "s", { after: at(), limit: PAGE_KEYS }),
  );
  await time("copy of the tree", 1, () =>
    filer.cloneTree({ source: TREE, snapshot: "s", target: COPY, owner: "bench" }),
  );
  await time("list 1000 of the copy while it is made (per page)", PAGES, () =>
    filer.listEntries(COPY, { after: at(), limit: PAGE_KEYS }),
  );
  await time("delete of the copy", 1, () => filer.deleteTree(COPY, { contents: "discard" }));
  await time("rename of everything", 1, () => filer.renamePrefix(TREE, PREFIX, "new/"));
  await time("list 1000 of the renamed, rows still moving (per page)", PAGES, () =>
    page({ after: at().replace(PREFIX, "new/") }),
  );
  await time("delete of the tree", 1, () => filer.deleteTree(TREE, { contents: "discard" }));
  await time("round of background work", 5, () => filer.collect());
  return found;
}

function filerOn(database: SqlDatabase): OpenFiler {
  const volumes = new MemoryVolumes();
  return openFiler({
    database,
    volumes,
    master: volumes,
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
  });
}

async function put(filer: OpenFiler, path: string): Promise<unknown> {
  const body = new Uint8Array(100);
  return filer.writeFile({
    tree: TREE,
    path: path as EntryPath,
    body,
    describe: () => ({ attributes: {} }),
  });
}

function pathOf(index: number, entries: number): string {
  const folderSize = Math.max(1, Math.ceil(entries / FOLDERS));
  const group = String(Math.floor(index / folderSize)).padStart(4, "0");
  return `${PREFIX}group-${group}/object-${String(index).padStart(9, "0")}.bin`;
}

/** Writes the rows as the store would, without its work per row: a filer opens them like any others. */
async function build(file: string, entries: number): Promise<void> {
  using database = openDatabase(file);
  using filer = filerOn(database);
  await filer.createTree({ name: TREE, kind: "bucket", owner: "bench" });
  const insert = database.prepare(
    `INSERT INTO entries
     (tree_id, path, size_bytes, modified_ms, etag, chunk_count, position, content_id, attributes)
     VALUES (1, ?, 0, 1700000000000, 'd41d8cd98f00b204e9800998ecf8427e', 0, ?, 0, '{"content-type":"text/plain"}')`,
  );
  for (let start = 0; start < entries; start += ROWS_PER_TRANSACTION) {
    database.transaction(() => {
      const end = Math.min(start + ROWS_PER_TRANSACTION, entries);
      for (let index = start; index < end; index += 1) {
        insert.run(pathOf(index, entries), 1);
      }
    });
  }
  database.execute(`UPDATE trees SET usage_entries = ${entries} WHERE id = 1`);
}

async function timed(
  name: string,
  count: number,
  run: () => Promise<unknown>,
): Promise<Measurement> {
  const latencies = new Float64Array(count);
  const cpuBefore = process.cpuUsage();
  const startedMs = performance.now();
  for (let index = 0; index < count; index += 1) {
    const oneMs = performance.now();
    await run();
    latencies[index] = performance.now() - oneMs;
  }
  const elapsedMs = performance.now() - startedMs;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    name,
    clients: 1,
    operations: count,
    ratePerSec: (count * 1000) / elapsedMs,
    ...quantiles(latencies),
    serverCpuUsPerOperation: (user + system) / count,
    serverRssBytes: processMemory(process.pid).rssBytes,
  };
}

function single(name: string, elapsedMs: number): Measurement {
  return {
    name,
    clients: 1,
    operations: 1,
    ratePerSec: 1000 / elapsedMs,
    ...quantiles(Float64Array.of(elapsedMs)),
    serverCpuUsPerOperation: elapsedMs * 1000,
    serverRssBytes: processMemory(process.pid).rssBytes,
  };
}
