import { expect, test } from "bun:test";
import { type ManagementServer, openManagementServer } from "./testing/management-server.ts";
import { refusalOf, shellFor } from "./testing/shells.ts";

/** Volume 3 is one of shards that lacks two, volume 4 one of a remote store, volume 5 one of shards that lacks none. */
function addForms({ volumes }: ManagementServer): void {
  const [plain] = volumes;
  if (plain === undefined) throw new Error("there is no volume");
  const form = "erasure-coded";
  const shards = { data: 10, parity: 4, missing: [3, 11] };
  volumes.push(
    { ...plain, id: 3, collection: "cold", state: "read-only", form, shards },
    { ...plain, id: 4, state: "read-only", form: "remote", backend: "far" },
    { ...plain, id: 5, state: "read-only", form, shards: { ...shards, missing: [] } },
  );
}

test("volume.list shows shards, those that are missing, and the remote store", async () => {
  await using server = await openManagementServer();
  addForms(server);
  const shell = shellFor(server);
  expect(await shell.run("volume.list -volumeId 3")).toContain(
    " state:read-only form:erasure-coded shards:10+4 missing_shards:3,11 disk:0\n",
  );
  expect(await shell.run("volume.list -volumeId 5")).toContain(
    " form:erasure-coded shards:10+4 disk:0\n",
  );
  expect(await shell.run("volume.list -volumeId 4")).toContain(" form:remote backend:far disk:0\n");
});

test("volume.list shows a volume that a gateway writes as writable, and who has it", async () => {
  await using server = await openManagementServer();
  const [plain] = server.volumes;
  if (plain === undefined) throw new Error("there is no volume");
  server.volumes.push({ ...plain, id: 6, holder: "gateway 4711" });
  const listed = await shellFor(server).run("volume.list -writable -volumeId 6");
  expect(listed).toContain(' state:writable holder:"gateway 4711" form:plain ');
});

test("ec.encode and ec.decode change the form of one volume", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("ec.encode -volumeId 2")).toBe("volume 2 is erasure-coded\n");
  expect(server.bodies.at(-1)).toBe("{}");
  await shell.run("ec.encode -volumeId 2 -dataShards 6 -parityShards=3");
  expect(server.bodies.at(-1)).toBe('{"data_shards":6,"parity_shards":3}');
  expect(await refusalOf(shell.run("ec.encode -volumeId 1"))).toBe(
    "refused: Mark it read-only first",
  );
  expect(await shell.run("ec.decode -volumeId 2")).toBe("volume 2 is plain\n");
  expect(server.calls.at(-1)).toBe("POST /api/v1/volumes/2/decode");
});

test("ec.rebuild takes every volume of shards, those that are known to lack some first, or the one that is named", async () => {
  await using server = await openManagementServer();
  addForms(server);
  const [plain] = server.volumes;
  if (plain === undefined) throw new Error("there is no volume");
  const shards = { data: 10, parity: 4, missing: [] };
  server.volumes.unshift({ ...plain, id: 9, form: "erasure-coded", shards });
  const shell = shellFor(server);
  const third = "volume 3: shards made anew: 3,11\n";
  const whole = (id: number): string => `volume ${id}: every shard is whole\n`;
  expect(await shell.run("ec.rebuild")).toBe(`${third}${whole(9)}${whole(5)}rebuilt shards:2\n`);
  expect(await shell.run("ec.rebuild -collection cold")).toBe(`${third}rebuilt shards:2\n`);
  expect(await shell.run("ec.rebuild -collection other")).toBe("rebuilt shards:0\n");
  expect(await shell.run("ec.rebuild -volumeId 5")).toBe(`${whole(5)}rebuilt shards:0\n`);
});

test("a volume that cannot be rebuilt keeps no other from it, and makes the command fail", async () => {
  await using server = await openManagementServer();
  addForms(server);
  server.refusing.add(3);
  const shell = shellFor(server);
  const written: string[] = [];
  const output = { write: async (piece: string | Uint8Array) => void written.push(String(piece)) };
  expect(await refusalOf(shell.execute("ec.rebuild", output))).toBe("refused: Not rebuilt: 3");
  expect(written.join("")).toBe(
    "volume 3: Cannot rebuild it: its index may be wrong\n" +
      "volume 5: every shard is whole\nrebuilt shards:0\n",
  );
  expect(await refusalOf(shell.run("ec.rebuild -volumeId 3"))).toBe(
    "refused: Cannot rebuild it: its index may be wrong",
  );
});

test("volume.tier.upload and download move the file of one volume", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  expect(await shell.run("volume.tier.upload -volumeId 2 -dest cold")).toBe(
    "volume 2 is in cold\n",
  );
  expect(await refusalOf(shell.run("volume.tier.upload -volumeId 2 -dest warm"))).toStartWith(
    "not-found:",
  );
  expect(await shell.run("volume.tier.download -volumeId 2")).toBe("volume 2 is plain\n");
  expect(server.calls.at(-1)).toBe("POST /api/v1/volumes/2/download");
});

test("without a volume or a store nothing is asked of the server", async () => {
  await using server = await openManagementServer();
  const shell = shellFor(server);
  for (const line of [
    "ec.encode",
    "ec.encode -volumeId x",
    "ec.encode -volumeId 2 -dataShards x",
    "ec.decode",
    "ec.rebuild -volumeId x",
    "volume.tier.upload -volumeId 2",
    "volume.tier.upload -dest cold",
    "volume.tier.download",
  ]) {
    expect(await refusalOf(shell.run(line))).toStartWith("usage:");
  }
  expect(server.calls).toEqual([]);
});
