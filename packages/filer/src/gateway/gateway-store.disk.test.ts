import { expect, test } from "bun:test";
import type { CallPeer } from "@kelp/base";
import {
  openDatabase,
  systemCallNetwork,
  systemClock,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Chunk, type CompleteUpload, type TreeName, needleId, volumeId } from "@kelp/wire";
import type { FilerStore } from "../store/filer-store.ts";
import { openSqliteStore } from "../store/sqlite/sqlite-store.ts";
import { TREE, pathOf } from "../testing/index.ts";
import { type GatewayStore, openGatewayStore } from "./gateway-store.ts";
import { serveStore } from "./serve-store.ts";

interface Pair extends AsyncDisposable {
  readonly writer: FilerStore;
  readonly gateway: GatewayStore;
  readonly peer: CallPeer;
}

async function openPair(): Promise<Pair> {
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(temporaryFolder());
  const deps = { clock: systemClock, random: systemRandom, hashes: systemHashes };
  const database = opened.use(openDatabase(`${folder.path}/filer.db`));
  const writer = opened.use(openSqliteStore({ ...deps, database }));
  const listener = opened.use(
    await systemCallNetwork.listen(`${folder.path}/calls`, () => serveStore(writer)),
  );
  const peer = opened.use(await systemCallNetwork.connect(listener.address, {}));
  const reader = opened.use(openDatabase(`${folder.path}/filer.db`, "read-only"));
  const gateway = openGatewayStore({ ...deps, database: reader, writer: peer });
  await gateway.createTree({ name: TREE, kind: "bucket", owner: "ada" });
  const owned = opened.move();
  return { writer, gateway, peer, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

function inline(path: string, bytes: Uint8Array): Parameters<FilerStore["putEntry"]>[0] {
  return {
    tree: TREE,
    path: pathOf(path),
    content: { kind: "inline", bytes },
    sizeBytes: bytes.length,
    etag: "e",
    attributes: { colour: "red" },
    modifiedMs: undefined,
    expiresMs: undefined,
    condition: undefined,
  };
}

function chunk(id: number, sizeBytes: number): Chunk {
  return {
    fid: { volumeId: volumeId(1), needleId: needleId(BigInt(id)), cookie: 7 },
    sizeBytes,
    hash64: 0xffff_ffff_ffff_fff0n,
  };
}

test("what a gateway writes is there for itself and for the writer, and the other way round", async () => {
  await using pair = await openPair();
  const { writer, gateway } = pair;
  const written = await gateway.putEntry(inline("a", Uint8Array.of(1, 2, 3)));
  for (const store of [gateway, writer]) {
    const read: unknown = await store.getEntry(TREE, pathOf("a"));
    expect(read).toEqual(written);
  }
  await writer.putEntry(inline("b", Uint8Array.of(4)));
  const page = await gateway.listEntries(TREE, { limit: 10 });
  expect(page.kind === "ok" && page.value.items.map((item) => "path" in item && item.path)).toEqual(
    ["a", "b"],
  );
  expect((await gateway.getTree(TREE))?.usage).toEqual({ bytes: 4, entries: 2, chunks: 0 });
});

test("a gateway that keeps what it read sees every change of others at its next read", async () => {
  await using pair = await openPair();
  const { writer, gateway } = pair;
  const agree = async (): Promise<void> => {
    // The first read takes the entry in, the second its content, the third is from memory.
    for (let count = 0; count < 3; count++) {
      expect(await gateway.getTree(TREE)).toEqual(await writer.getTree(TREE));
      for (const path of ["a", "b"].map(pathOf)) {
        expect(await gateway.getEntry(TREE, path)).toEqual(await writer.getEntry(TREE, path));
        expect(await gateway.headEntry(TREE, path)).toEqual(await writer.headEntry(TREE, path));
      }
    }
  };
  const changes: readonly (() => Promise<unknown>)[] = [
    () => writer.putEntry(inline("a", Uint8Array.of(1))),
    () => writer.putEntry(inline("a", Uint8Array.of(2, 3))),
    () => gateway.putEntry(inline("a", Uint8Array.of(4, 5, 6))),
    () => writer.setEntryAttributes(TREE, pathOf("a"), { attributes: { colour: "blue" } }),
    () => writer.renameEntry(TREE, pathOf("a"), pathOf("b")),
    () => writer.putEntry(inline("a", Uint8Array.of(7))),
    () => writer.renamePrefix(TREE, "b", "c"),
    () => writer.renamePrefix(TREE, "c", "b"),
    () => writer.reclaim(),
    () => gateway.deleteEntry({ tree: TREE, path: pathOf("a") }),
    () => writer.deletePrefix(TREE, "b"),
    () => writer.setTreeAttributes(TREE, { policy: "none" }),
    () => gateway.setQuota(TREE, { bytes: 100 }),
    () => writer.deleteTree(TREE, { contents: "discard" }),
    () => writer.createTree({ name: TREE, kind: "bucket", owner: "ada" }),
  ];
  for (const change of changes) {
    await change();
    await agree();
  }
});

test("an entry that a gateway put is answered as the store itself answers it", async () => {
  await using pair = await openPair();
  const { writer, gateway } = pair;
  const kinds: readonly Partial<Parameters<FilerStore["putEntry"]>[0]>[] = [
    {},
    { attributes: {} },
    { modifiedMs: 7 },
    { expiresMs: systemClock.nowMs() + 3_600_000 },
    { content: { kind: "chunks", chunks: [chunk(1, 3)] } },
  ];
  for (const kind of kinds) {
    const put = await gateway.putEntry({ ...inline("a", Uint8Array.of(1, 2, 3)), ...kind });
    expect(put.kind).toBe("ok");
    const read: unknown = await writer.getEntry(TREE, pathOf("a"));
    expect(put).toEqual(read as typeof put);
  }
});

test("conditions and quota hold between gateways, since one process decides", async () => {
  await using pair = await openPair();
  const { writer, gateway } = pair;
  const absent = { ...inline("once", Uint8Array.of(1)), condition: { kind: "absent" } as const };
  const results = await Promise.all([gateway.putEntry(absent), writer.putEntry(absent)]);
  expect(results.map(({ kind }) => kind).sort()).toEqual(["ok", "refused"]);
  await writer.setQuota(TREE, { bytes: 10 });
  expect(await gateway.putEntry(inline("big", new Uint8Array(11)))).toEqual({
    kind: "refused",
    refusal: "quota-exceeded",
  });
});

async function uploadOfTwo(gateway: GatewayStore): Promise<CompleteUpload> {
  const upload = await gateway.createUpload({
    tree: TREE,
    path: pathOf("joined"),
    owner: "ada",
    attributes: { colour: "red" },
  });
  if (upload.kind === "refused") throw new Error(upload.refusal);
  const { id } = upload.value;
  for (const number of [1, 2]) {
    await gateway.putPart({
      tree: TREE,
      id,
      number,
      chunks: [chunk(number, 100)],
      sizeBytes: 100,
      etag: `p${number}`,
      attributes: { n: `${number}` },
      modifiedMs: undefined,
    });
  }
  return {
    tree: TREE,
    id,
    parts: [
      { number: 1, etag: "p1" },
      { number: 2, etag: "p2" },
    ],
    partBytesMin: 1,
    describe: (parts, { attributes }) => ({
      etag: parts.map((part) => part.attributes["n"]).join("+"),
      attributes,
    }),
  };
}

test("an upload is completed with what the gateway says of its parts, and again with the same answer", async () => {
  await using pair = await openPair();
  const request = await uploadOfTwo(pair.gateway);
  const completed = await pair.gateway.completeUpload(request);
  expect(completed.kind === "ok" && completed.value).toMatchObject({
    etag: "1+2",
    sizeBytes: 200,
    attributes: { colour: "red" },
  });
  expect(await pair.gateway.completeUpload(request)).toEqual(completed);
  const wrong = { ...request, parts: [{ number: 1, etag: "other" }] };
  expect(await pair.gateway.completeUpload(wrong)).toMatchObject({ kind: "refused" });
});

test("parts that change between the look and the commit are described anew", async () => {
  await using pair = await openPair();
  const request = await uploadOfTwo(pair.gateway);
  let looks = 0;
  const describe: CompleteUpload["describe"] = (parts, upload) => {
    looks += 1;
    if (looks === 1) {
      // The message is on its way only after this: the change is committed before it arrives.
      const again = pair.writer.putPart({
        tree: TREE,
        id: request.id,
        number: 2,
        chunks: [chunk(3, 150)],
        sizeBytes: 150,
        etag: "p2",
        attributes: { n: "two" },
        modifiedMs: undefined,
      });
      again.catch(() => undefined);
    }
    return request.describe(parts, upload);
  };
  const completed = await pair.gateway.completeUpload({ ...request, describe });
  expect(looks).toBe(2);
  expect(completed.kind === "ok" && completed.value).toMatchObject({
    etag: "1+two",
    sizeBytes: 250,
  });
});

test("a describe that throws refuses that completion alone", async () => {
  await using pair = await openPair();
  const request = await uploadOfTwo(pair.gateway);
  const failing = pair.gateway.completeUpload({
    ...request,
    describe: () => {
      throw new Error("not these parts");
    },
  });
  expect(failing).rejects.toThrow("not these parts");
  expect((await pair.gateway.completeUpload(request)).kind).toBe("ok");
});

test("a writer that is gone fails changes with store-failed, while reading goes on", async () => {
  await using pair = await openPair();
  await pair.gateway.putEntry(inline("a", Uint8Array.of(1)));
  await pair.peer[Symbol.asyncDispose]();
  expect(pair.gateway.putEntry(inline("b", Uint8Array.of(1)))).rejects.toMatchObject({
    code: "store-failed",
  });
  expect((await pair.gateway.getEntry(TREE, pathOf("a"))).kind).toBe("ok");
  expect(await pair.gateway.getTree("none" as TreeName)).toBeUndefined();
});
