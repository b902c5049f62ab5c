import { expect, test } from "bun:test";
import {
  type FilerWorld,
  TREE,
  codeOf,
  get,
  noise,
  openTreeWorld,
  pathOf,
  read,
  write,
} from "../../testing/index.ts";

/** What a disk could do to a row, as SQL that leaves the sums as they were. */
const DAMAGE: Readonly<Record<string, string>> = {
  "a bit of an inline body":
    "UPDATE contents SET bytes = substr(bytes, 1, 10) || x'ff' || substr(bytes, 12) WHERE id = (SELECT content_id FROM entries WHERE path = 'small')",
  "the end of an inline body":
    "UPDATE contents SET bytes = substr(bytes, 1, length(bytes) - 1) WHERE id = (SELECT content_id FROM entries WHERE path = 'small')",
  "the content of another entry":
    "UPDATE entries SET content_id = (SELECT content_id FROM entries WHERE path = 'twin') WHERE path = 'small'",
  "content swapped below the ids":
    "UPDATE contents SET bytes = (SELECT bytes FROM contents WHERE id = (SELECT content_id FROM entries WHERE path = 'twin')), sum = (SELECT sum FROM contents WHERE id = (SELECT content_id FROM entries WHERE path = 'twin')) WHERE id = (SELECT content_id FROM entries WHERE path = 'small')",
  "no content at all": "UPDATE entries SET content_id = 0 WHERE path = 'small'",
  "an etag": "UPDATE entries SET etag = 'f' || substr(etag, 2) || '0' WHERE path = 'small'",
  "a size": "UPDATE entries SET size_bytes = size_bytes + 1 WHERE path = 'small'",
  "a date": "UPDATE entries SET modified_ms = modified_ms - 1 WHERE path = 'small'",
  "an attribute": `UPDATE entries SET attributes = '{"content-type":"text/html"}' WHERE path = 'small'`,
  "a sum": "UPDATE entries SET sum = sum + 1 WHERE path = 'small'",
  "the sum of a body":
    "UPDATE contents SET sum = sum + 1 WHERE id = (SELECT content_id FROM entries WHERE path = 'small')",
};

async function openDamaged(sql: string): Promise<FilerWorld> {
  // What stands in memory was checked, or written, before the disk changed it.
  const world = await openTreeWorld({ hotBytesMax: 0 });
  await write(world, "small", noise(500));
  await write(world, "twin", noise(500).fill(9));
  await write(world, "bystander", noise(700));
  world.database.execute(sql);
  return world;
}

for (const [what, sql] of Object.entries(DAMAGE)) {
  test(`${what} changed by the disk is an error of its own, found by a check, and others go on`, async () => {
    using world = await openDamaged(sql);
    const { filer } = world;
    expect(await codeOf(get(world, "small"))).toBe("entry-corrupt");
    expect(await read(world, "bystander")).toEqual(noise(700));

    const findings = await Array.fromAsync(filer.check());
    const owners = findings.flatMap((one) => (one.kind === "damaged-entry" ? [one.owner] : []));
    expect(owners).toEqual([`entry small of ${TREE}`]);
  });
}

test("who comes upon a damaged row is refused alone: the others of the same transaction are committed", async () => {
  using world = await openDamaged(DAMAGE["a size"] ?? "");
  const { filer } = world;
  const writes = await Promise.allSettled([
    write(world, "before", noise(10)),
    write(world, "small", noise(20)),
    write(world, "behind", noise(30)),
    filer.deleteEntry({ tree: TREE, path: pathOf("small") }),
  ]);
  expect(writes.map((one) => one.status)).toEqual([
    "fulfilled",
    "rejected",
    "fulfilled",
    "rejected",
  ]);
  expect(await read(world, "before")).toEqual(noise(10));
  expect(await read(world, "behind")).toEqual(noise(30));
  // What the transaction undid is not counted, what it repeated is counted once.
  const usage = await filer.getTree(TREE);
  expect(usage?.usage.entries).toBe(5);
});

test("a chunk list changed by the disk is found before any chunk is read or freed", async () => {
  using world = await openTreeWorld();
  await write(world, "large", noise(300_000));
  world.database.execute("UPDATE contents SET bytes = bytes || bytes");
  expect(await codeOf(get(world, "large"))).toBe("entry-corrupt");
  expect(await codeOf(world.filer.deleteEntry({ tree: TREE, path: pathOf("large") }))).toBe(
    "entry-corrupt",
  );
  expect(world.volumes.readCount).toBe(0);
  expect(world.volumes.needleCount).toBe(1);
});

test("parts and uploads are checked as well", async () => {
  using world = await openTreeWorld();
  const { filer } = world;
  const request = { tree: TREE, path: pathOf("joined"), owner: "ada", attributes: { a: "b" } };
  const created = await filer.createUpload(request);
  if (created.kind === "refused") throw new Error(created.refusal);
  const { id } = created.value;
  const describe = (): { attributes: Record<string, string> } => ({ attributes: {} });
  await filer.writePart({ tree: TREE, id, number: 1, body: noise(300_000), describe });
  world.database.execute("UPDATE parts SET etag = etag || '0'");
  const page = { afterNumber: 0, limit: 10 };
  expect(await codeOf(filer.listParts(TREE, id, page))).toBe("entry-corrupt");
  const findings = await Array.fromAsync(filer.check());
  expect(findings.some((finding) => finding.kind === "damaged-entry")).toBe(true);
  world.database.execute("UPDATE uploads SET path = 'elsewhere'");
  expect(await codeOf(filer.getUpload(TREE, id))).toBe("entry-corrupt");
});

test("rows from before there were sums are served, and get one when they are written again", async () => {
  using world = await openTreeWorld();
  await write(world, "old", noise(500));
  world.database.execute("UPDATE entries SET sum = NULL; UPDATE contents SET sum = NULL");
  expect(await read(world, "old")).toEqual(noise(500));
  await write(world, "old", noise(600));
  const row = world.database.prepare<{ count: number }>(
    "SELECT count(*) AS count FROM entries JOIN contents ON contents.id = content_id WHERE entries.sum IS NOT NULL AND contents.sum IS NOT NULL",
  );
  expect(row.get()?.count).toBe(1);
});
