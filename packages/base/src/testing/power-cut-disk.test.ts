import { expect, test } from "bun:test";
import type { DiskFile } from "../disk.ts";
import { type DiskImage, PowerCutDisk, SeededRandom } from "./index.ts";

const SEEDS = Array.from({ length: 300 }, (_, seed) => seed);
const CREATE = { access: "read-write", create: true } as const;

/** All states that cuts of these seeds leave at the newest moment. */
function statesOf(disk: PowerCutDisk, moment = disk.moment): DiskImage[] {
  return SEEDS.map((seed) => disk.cuts().cut(moment, new SeededRandom(seed)));
}

async function openOnDisk(): Promise<{ disk: PowerCutDisk; file: DiskFile }> {
  const disk = new PowerCutDisk();
  await disk.makeFolder("/d");
  await disk.syncFolder("/");
  const file = await disk.open("/d/a", CREATE);
  await disk.syncFolder("/d");
  return { disk, file };
}

function textsOf(states: readonly DiskImage[], path: string): Set<string | undefined> {
  return new Set(
    states.map((state) => {
      const content = state.get(path);
      return content === undefined ? undefined : Buffer.from(content).toString("latin1");
    }),
  );
}

test("what was synced stands in every state, and so does the name whose folder was synced", async () => {
  const { disk, file } = await openOnDisk();
  await file.writeAt([Buffer.from("kept")], 0);
  await file.sync();
  expect(textsOf(statesOf(disk), "/d/a")).toEqual(new Set(["kept"]));
});

test("what was not synced is lost in one state and kept in another, its length apart from its bytes", async () => {
  const { disk, file } = await openOnDisk();
  await file.writeAt([Buffer.from("kept")], 0);
  await file.sync();
  await file.writeAt([Buffer.from("new!")], 4);
  const texts = textsOf(statesOf(disk), "/d/a");
  expect(texts.has("kept")).toBe(true);
  expect(texts.has("keptnew!")).toBe(true);
  expect(texts.has("kept\0\0\0\0")).toBe(true);
  for (const text of texts) expect(text?.startsWith("kept")).toBe(true);
});

test("a write is torn at sectors and at pages, and later writes are kept without earlier ones", async () => {
  const { disk, file } = await openOnDisk();
  await file.truncate(8192);
  await file.sync();
  await file.writeAt([Buffer.alloc(8192, "x")], 0);
  await file.writeAt([Buffer.from("later")], 6000);
  const shapes = statesOf(disk).map((state) => {
    const content = Buffer.from(state.get("/d/a") ?? []);
    const kept = Array.from({ length: 16 }, (_, sector) => content[sector * 512] === 120);
    return { kept, hasLater: content.subarray(6000, 6005).toString() === "later" };
  });
  const isPageOf = ({ kept }: { kept: boolean[] }): boolean =>
    kept[0] !== kept[8] && kept.slice(0, 8).every((one) => one === kept[0]);
  const isTorn = ({ kept }: { kept: boolean[] }): boolean => new Set(kept.slice(0, 8)).size === 2;
  expect(shapes.some(isPageOf)).toBe(true);
  expect(shapes.some(isTorn)).toBe(true);
  expect(shapes.some((shape) => shape.hasLater && !shape.kept.includes(true))).toBe(true);
});

test("a sync covers what was written before it began, not what came meanwhile", async () => {
  const disk = new PowerCutDisk({ slow: new SeededRandom(1) });
  await disk.makeFolder("/d");
  await disk.syncFolder("/");
  const file = await disk.open("/d/a", CREATE);
  await disk.syncFolder("/d");
  await file.writeAt([Buffer.from("1")], 0);
  const syncing = file.sync();
  await file.writeAt([Buffer.from("2")], 1);
  await syncing;
  const texts = textsOf(statesOf(disk), "/d/a");
  expect(texts).toContain("1");
  expect(texts).not.toContain("");
});

test("creations, renames and removals without a sync of the folder are lost or kept, each by itself", async () => {
  const { disk, file } = await openOnDisk();
  await file.writeAt([Buffer.from("old")], 0);
  await file.sync();
  await disk.syncFolder("/d");
  const next = await disk.open("/d/b", CREATE);
  await next.writeAt([Buffer.from("new")], 0);
  await next.sync();
  await disk.rename("/d/b", "/d/a");
  const states = statesOf(disk);
  expect(textsOf(states, "/d/a")).toEqual(new Set(["old", "new"]));
  expect(textsOf(states, "/d/b")).toEqual(new Set([undefined, "new"]));
  await disk.syncFolder("/d");
  expect(textsOf(statesOf(disk), "/d/a")).toEqual(new Set(["new"]));
  await disk.remove("/d/a");
  expect(textsOf(statesOf(disk), "/d/a")).toEqual(new Set(["new", undefined]));
});

test("a folder whose own name was not synced takes its files with it", async () => {
  const disk = new PowerCutDisk();
  await disk.makeFolder("/d/e");
  await disk.open("/d/e/a", CREATE);
  await disk.syncFolder("/d/e");
  const states = statesOf(disk);
  expect(states.some((state) => state.has("/d/e/a"))).toBe(true);
  expect(states.some((state) => state.size === 0)).toBe(true);
  for (const state of states) expect(state.has("/d/e/a") && !state.has("/d/e")).toBe(false);
});

test("writing a whole file leaves the old content or the new, in every state at every moment", async () => {
  const { disk } = await openOnDisk();
  await disk.writeWhole("/d/w", Buffer.from("first"));
  const from = disk.moment;
  await disk.writeWhole("/d/w", Buffer.from("second"));
  for (let moment = from; moment <= disk.moment; moment += 1) {
    for (const text of textsOf(statesOf(disk, moment), "/d/w")) {
      expect(["first", "second"]).toContain(text ?? "");
    }
  }
  expect(textsOf(statesOf(disk), "/d/w")).toEqual(new Set(["second"]));
});

test("a cut follows from its seed alone, and leaves a disk that can be used and cut again", async () => {
  const { disk, file } = await openOnDisk();
  await file.writeAt([Buffer.alloc(20_000, "y")], 0);
  const cut = (): DiskImage => disk.cuts().cut(disk.moment, new SeededRandom(77));
  expect(cut()).toEqual(cut());
  const again = new PowerCutDisk({ start: cut() });
  await again.writeWhole("/d/z", Buffer.from("z"));
  expect(textsOf(statesOf(again), "/d/z")).toEqual(new Set(["z"]));
});

test("a slow disk ends calls in another order than they began, and the same one again", async () => {
  async function orderOf(seed: number): Promise<number[]> {
    const disk = new PowerCutDisk({ slow: new SeededRandom(seed) });
    await disk.makeFolder("/d");
    const file = await disk.open("/d/a", CREATE);
    const order: number[] = [];
    const calls = Array.from({ length: 8 }, async (_, index) => {
      await file.writeAt([Buffer.from("x")], index);
      order.push(index);
    });
    await Promise.all(calls);
    return order;
  }
  expect(await orderOf(5)).toEqual(await orderOf(5));
  const orders = await Promise.all([1, 2, 3, 4].map(orderOf));
  expect(orders.some((order) => order.join() !== "0,1,2,3,4,5,6,7")).toBe(true);
});

test("names and files refuse as a real disk does", async () => {
  const { disk, file } = await openOnDisk();
  const codeOf = async (work: Promise<unknown>): Promise<unknown> => {
    const [outcome] = await Promise.allSettled([work]);
    return outcome?.status === "rejected" ? outcome.reason.code : "none";
  };
  expect(await codeOf(disk.open("/d/none", { access: "read" }))).toBe("ENOENT");
  expect(await codeOf(disk.open("/none/a", CREATE))).toBe("ENOENT");
  expect(await codeOf(disk.open("/d/a", { ...CREATE, exclusive: true }))).toBe("EEXIST");
  expect(await codeOf(disk.remove("/d/none"))).toBe("ENOENT");
  expect(await codeOf(disk.rename("/d/none", "/d/b"))).toBe("ENOENT");
  await file.close();
  expect(await codeOf(file.sync())).toBe("EBADF");
});

test("what was moved out of a folder that nobody synced is not there again when its new folder was", async () => {
  const disk = new PowerCutDisk();
  await disk.makeFolder("/d/made");
  await disk.syncFolder("/");
  await disk.syncFolder("/d");
  await using _file = await disk.open("/d/made/a", CREATE);
  await disk.rename("/d/made/a", "/d/b");
  await disk.syncFolder("/d");
  const expectMoved = (): void => {
    const states = statesOf(disk);
    expect(states.every((state) => state.has("/d/b") && !state.has("/d/made/a"))).toBe(true);
  };
  expectMoved();
  await disk.syncFolder("/d/made");
  expectMoved();
});
