import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { systemDisk } from "@kelp/base/platform";
import { ErasureWorld, type OpenWorld, allReadable } from "../testing/erasure-world.ts";
import { type StepFault, SteppingDisk } from "../testing/stepping-disk.ts";
import { codeOf } from "../testing/volume-client-contract.ts";
import { ONE, fid } from "../testing/volume-world.ts";
import { decodeVolume } from "./decode.ts";
import { encodeVolume } from "./encode.ts";
import { rebuildVolume } from "./rebuild.ts";

const FAST = { bytesPerSec: 1e12 };
/** Few rows, because every write is a step. */
const BLOCKS = { largeBlockBytes: 4096, smallBlockBytes: 2048, checksumBlockBytes: 4096 };
const TIMEOUT_MS = 60_000;

/** A job, what comes before it, and needles that are removed by then. */
interface Trial {
  readonly prepare: (open: OpenWorld, world: ErasureWorld) => Promise<OpenWorld>;
  readonly run: (open: OpenWorld) => Promise<unknown>;
  readonly removed: readonly number[];
}

function encode(open: OpenWorld): Promise<void> {
  return encodeVolume(open.context, ONE, open.slot, { dataShards: 2, parityShards: 1, ...FAST });
}

const TRIALS: Readonly<Record<string, Trial>> = {
  encoding: { prepare: async (open) => open, run: encode, removed: [] },
  decoding: {
    prepare: async (open) => {
      await encode(open);
      await open.volume.remove(fid(4));
      return open;
    },
    run: (open) => decodeVolume(open.context, ONE, open.slot, FAST),
    removed: [4],
  },
  "decoding with a shard gone": {
    prepare: async (open, world) => {
      await encode(open);
      await open.close();
      world.remove(".ec01");
      return world.open();
    },
    run: (open) => decodeVolume(open.context, ONE, open.slot, FAST),
    removed: [],
  },
  rebuilding: {
    prepare: async (open, world) => {
      await encode(open);
      await open.volume.remove(fid(4));
      await open.close();
      // The folder is lost as a whole, with its copies of the index and the journal.
      rmSync(world.folders[1] ?? "", { recursive: true });
      return world.open();
    },
    run: (open) => rebuildVolume(open.context, ONE, open.slot, FAST),
    removed: [4],
  },
};

/** The world prepared, opened anew on a disk that counts. */
async function prepared(world: ErasureWorld, trial: Trial, disk: SteppingDisk): Promise<OpenWorld> {
  const open = await trial.prepare(await world.open(), world);
  await open.close();
  return world.open(disk);
}

async function countSteps(trial: Trial): Promise<number> {
  using world = new ErasureWorld(3, BLOCKS);
  const disk = new SteppingDisk(systemDisk);
  await using open = await prepared(world, trial, disk);
  disk.steps.length = 0;
  await trial.run(open);
  return disk.steps.length;
}

async function tryFault(trial: Trial, at: number, fault: StepFault): Promise<void> {
  using world = new ErasureWorld(3, BLOCKS);
  const disk = new SteppingDisk(systemDisk);
  const open = await prepared(world, trial, disk);
  disk.failAt(at, fault);
  let isDone = true;
  try {
    await trial.run(open);
  } catch {
    isDone = false;
  }
  const where = `${fault} at step ${at} (${disk.steps.at(at - 1)})`;
  expect([where, await open.readAll()]).toEqual([where, allReadable(trial.removed)]);
  // What is acknowledged after a failure holds, too.
  const isRemoved = (await codeOf(open.volume.remove(fid(8)))) === undefined;
  const expected = allReadable([...trial.removed, ...(isRemoved ? [8] : [])]);
  // The process is gone, or it ends in order: both leave the files as they are.
  await open.close().catch(() => undefined);
  {
    await using again = await world.open();
    expect([where, await again.readAll()]).toEqual([where, expected]);
    expect([where, world.files(".tmp")]).toEqual([where, []]);
    const { form } = again.volume.status();
    const isPlain = form.kind === "plain";
    // Never files of both forms.
    expect([where, isPlain, world.files(".ecx").length > 0]).toEqual([where, isPlain, !isPlain]);
    // What failed can be done again.
    if (!isDone) await retry(trial, again);
    expect([where, await again.readAll()]).toEqual([where, expected]);
  }
  await using last = await world.open();
  expect([where, await last.readAll()]).toEqual([where, expected]);
}

async function retry(trial: Trial, open: OpenWorld): Promise<void> {
  try {
    await trial.run(open);
  } catch (error) {
    // Unless a crash came after the job had done its work.
    expect(error).toMatchObject({ code: "wrong-form" });
  }
}

for (const [name, trial] of Object.entries(TRIALS)) {
  test(
    `${name} loses nothing when any step of it fails`,
    async () => {
      const steps = await countSteps(trial);
      expect(steps).toBeGreaterThan(15);
      for (let at = 1; at <= steps; at++) await tryFault(trial, at, at % 2 ? "EIO" : "ENOSPC");
    },
    TIMEOUT_MS,
  );

  test(
    `${name} loses nothing when the process ends at any step of it`,
    async () => {
      const steps = await countSteps(trial);
      for (let at = 1; at <= steps; at++) await tryFault(trial, at, "crash");
    },
    TIMEOUT_MS,
  );
}
