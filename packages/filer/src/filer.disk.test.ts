import { expect, test } from "bun:test";
import { join } from "node:path";
import { openDatabase } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { TREE, noise, openFilerWorld, openTreeWorld, pathOf, write } from "./testing/index.ts";

const ROUNDS = 5;
const ACKNOWLEDGED_PER_ROUND = 400;

/** Runs a writer until it has acknowledged enough, kills it, and gives all whole lines it printed. */
async function killedWriter(file: string, round: number): Promise<string[]> {
  const script = join(import.meta.dir, "testing", "crash-writer.ts");
  const child = Bun.spawn([process.execPath, script, file, `${round}`], { stdout: "pipe" });
  let output = "";
  for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
    output += piece;
    if (output.split("\n").length > ACKNOWLEDGED_PER_ROUND) child.kill("SIGKILL");
  }
  await child.exited;
  return output.split("\n").slice(0, -1);
}

test("a killed writer has every acknowledged write in its database, and all counters agree", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "filer.db");
  const acknowledged = new Map<string, string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const line of await killedWriter(file, round)) {
      const [path = "", etag = ""] = line.split(" ");
      acknowledged.set(path, etag);
    }
    using world = openFilerWorld({ database: openDatabase(file) });
    const { filer } = world;
    expect(await Array.fromAsync(filer.check())).toEqual([]);
    // Each writer may have been killed between one commit and its line: one difference is that write, two are a loss.
    const differences = new Map<string, string[]>();
    for (const [path, etag] of acknowledged) {
      const found = await filer.getEntry(TREE, pathOf(path));
      const foundEtag = found.kind === "ok" ? found.value.etag : "-";
      if (foundEtag === etag) continue;
      const writer = path.slice(0, path.indexOf("/"));
      differences.set(writer, [...(differences.get(writer) ?? []), path]);
      acknowledged.set(path, foundEtag);
    }
    const losses = [...differences.values()].filter((paths) => paths.length > 1);
    expect(losses).toEqual([]);
  }
  expect(acknowledged.size).toBe(80);
}, 60_000);

test("what was committed is there after closing and opening again, and positions go on", async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, "filer.db");
  let position: number;
  {
    using world = await openTreeWorld({ database: openDatabase(file) });
    ({ position } = await write(world, "a", noise(100)));
  }
  using world = openFilerWorld({ database: openDatabase(file) });
  expect((await world.filer.getTree(TREE))?.usage).toEqual({ bytes: 100, entries: 1, chunks: 0 });
  expect((await write(world, "b", noise(1))).position > position).toBe(true);
});

test("a full disk rejects writes with out-of-space, loses nothing, and writes work again with space", async () => {
  using folder = temporaryFolder();
  const database = openDatabase(join(folder.path, "filer.db"));
  using world = await openTreeWorld({ database });
  await write(world, "kept", noise(10_000));
  const pages = database.prepare<{ page_count: number }>("PRAGMA page_count").get();
  database.execute(`PRAGMA max_page_count = ${(pages?.page_count ?? 0) + 20}`);
  const writes = Array.from({ length: 60 }, (_, index) => write(world, `${index}`, noise(16_000)));
  const outcomes = await Promise.allSettled(writes);
  const errors = outcomes.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  expect(errors.length).toBe(60);
  expect(new Set(errors.map((error) => error.code))).toEqual(new Set(["out-of-space"]));
  const usage = { bytes: 10_000, entries: 1, chunks: 0 };
  expect((await world.filer.getTree(TREE))?.usage).toEqual(usage);
  database.execute("PRAGMA max_page_count = 1000000");
  await write(world, "later", noise(16_000));
  expect((await world.filer.getTree(TREE))?.usage.entries).toBe(2);
  expect(await Array.fromAsync(world.filer.check())).toEqual([]);
});
