import { expect, test } from "bun:test";
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { systemDisk } from "@kelp/base/platform";
import type { VolumeStore } from "../store/volume-store.ts";
import { type StepFault, SteppingDisk } from "../testing/stepping-disk.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { COOKIE, ONE, VolumeWorld, content, fid, readPlain } from "../testing/volume-world.ts";

/** What a read must give: bytes by needle id, `undefined` for removed ones, or that it is damaged. */
type Model = Map<number, number[] | undefined | "needle-corrupt">;

/** Two of the needles are damaged: in the id of one record, in the data of the other. */
async function fill(store: VolumeStore, world: VolumeWorld): Promise<Model> {
  const model: Model = new Map();
  for (let id = 1; id <= 12; id++) {
    await store.append(fid(id), content(id, id * 50));
    model.set(id, [...content(id, id * 50)]);
  }
  await store.remove([fid(2), fid(7)]);
  model.set(2, undefined);
  model.set(7, undefined);
  for (const [id, at] of [
    [10, 11],
    [11, 60],
  ] as const) {
    const header = Buffer.alloc(12);
    header.writeUInt32BE(COOKIE, 0);
    header.writeUInt32BE(id, 8);
    spoil(world.dataPath, world.data().indexOf(header) + at);
    model.set(id, "needle-corrupt");
  }
  return model;
}

/** In place: a store has the file open. */
function spoil(path: string, at: number): void {
  const file = openSync(path, "r+");
  writeSync(file, Buffer.from([0xe7]), 0, 1, at);
  closeSync(file);
}

async function expectModel(store: VolumeStore, model: Model): Promise<void> {
  const found: Model = new Map();
  for (const id of model.keys()) found.set(id, await readOrCode(store, id));
  expect(found).toEqual(model);
}

async function readOrCode(store: VolumeStore, id: number) {
  const code = await codeOf(store.read(fid(id)));
  return code === "needle-corrupt" ? code : readPlain(store, fid(id));
}

/** Changes while the vacuum runs, one at each disk call; what was acknowledged goes into the model. */
class Meanwhile {
  readonly #store: VolumeStore;
  readonly #model: Model;
  readonly #changes: Promise<void>[] = [];
  #next = 100;

  constructor(store: VolumeStore, model: Model) {
    this.#store = store;
    this.#model = model;
  }

  start(): void {
    if (this.#next >= 106) return;
    const id = this.#next++;
    this.#changes.push(this.#change(id));
  }

  async settled(): Promise<void> {
    await Promise.all(this.#changes);
  }

  async #change(id: number): Promise<void> {
    const bytes = content(id, 200);
    if ((await codeOf(this.#store.append(fid(id), bytes))) === undefined) {
      this.#model.set(id, [...bytes]);
    } else {
      // Refused changes may or may not be there; only acknowledged ones are promised.
      return;
    }
    const victim = id - 97;
    const code = await codeOf(this.#store.remove([fid(victim)]));
    if (code === undefined) this.#model.set(victim, undefined);
    else this.#model.delete(victim);
  }
}

async function countSteps(): Promise<number> {
  using world = new VolumeWorld();
  const disk = new SteppingDisk(systemDisk);
  await using store = await world.open({ disk });
  await fill(store, world);
  disk.steps.length = 0;
  await store.vacuum(ONE);
  return disk.steps.length;
}

async function tryFault(at: number, fault: StepFault): Promise<void> {
  using world = new VolumeWorld();
  const disk = new SteppingDisk(systemDisk);
  const store = await world.open({ disk });
  const model = await fill(store, world);
  const meanwhile = new Meanwhile(store, model);
  disk.failAt(at, fault);
  disk.onStep = () => queueMicrotask(() => meanwhile.start());
  await codeOf(store.vacuum(ONE));
  await meanwhile.settled();
  disk.onStep = undefined;
  // Before the restart reads go on as if nothing had happened.
  await expectModel(store, model);
  // A process that died closes nothing; here the descriptors are given back all the same.
  await codeOf(store.close());
  await using reopened = await world.open();
  await expectModel(reopened, model);
  expect(readdirSync(world.folder).filter((name) => /\.cp.$/.test(name))).toEqual([]);
  // And everything works again.
  await reopened.append(fid(500), content(1, 10));
  expect((await reopened.vacuum(ONE)).damaged.map(({ what }) => what)).toEqual(["a", "b"]);
  await expectModel(reopened, model.set(500, [...content(1, 10)]));
  expect((await reopened.volumes())[0]?.deletedBytes).toBe(0);
}

for (const fault of ["crash", "EIO", "ENOSPC"] as const) {
  test(`vacuum loses nothing when any one of its disk calls meets: ${fault}`, async () => {
    // Changes meanwhile add calls of their own.
    const stepCount = (await countSteps()) + 12;
    for (let at = 1; at <= stepCount; at++) {
      try {
        await tryFault(at, fault);
      } catch (error) {
        throw new Error(`fault ${fault} at disk call ${at} of ${stepCount}`, { cause: error });
      }
    }
  }, 60_000);
}
