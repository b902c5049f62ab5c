import { collectBytes, must } from "@kelp/base";
import { type DiskImage, SeededRandom } from "@kelp/base/testing";
import type { CheckFinding } from "@kelp/filer";
import type { EntryPath, TreeName } from "@kelp/wire";
import { type StoreRig, VOLUMES, openRig } from "./store-rig.ts";
import { bytesOf, describeObject } from "./worker-state.ts";
import { PLAIN_TREE } from "./trees.ts";
import { createTrees } from "./workload.ts";

/** A store at rest, and what must be read from it. */
export interface RottingStore {
  readonly image: DiskImage;
  /** Every object as `describeObject` has it. */
  readonly objects: readonly KnownObject[];
}

export interface KnownObject {
  readonly tree: TreeName;
  readonly path: string;
  readonly text: string;
  /** What stood there before it was replaced. */
  readonly earlier: string | undefined;
}

/** What a reader gets of one object: as it was written, an error, nothing (a "not found"), what it replaced, or anything else. */
export type Reading = "right" | "error" | "absent" | "earlier" | "wrong";

/** Sizes around the edges: empty, inline, one chunk, several chunks. */
const SIZES = [0, 1, 700, 1024, 1025, 3000, 9000, 2 * 1024 * 1024 + 77];
const OBJECTS = 72;

/**
 * Writes objects of all sizes, some twice, and removes some. `database`: where what SQLite holds stands at the end, in its
 * pages or in its write-ahead log as a killed process leaves it.
 */
export async function makeRottingStore(database: "pages" | "log"): Promise<RottingStore> {
  const rig = await openRig({ random: new SeededRandom(1) });
  await createTrees(rig);
  if (database === "log") rig.database.execute("PRAGMA wal_autocheckpoint = 0");
  const known = new Map<string, KnownObject>();
  for (let index = 0; index < OBJECTS + 20; index += 1) {
    const path = `k${index % OBJECTS}`;
    const sizeBytes = must(SIZES[index < 2 * SIZES.length ? index % SIZES.length : index % 7]);
    const value = { seed: index + 1, sizeBytes, label: `${index}` };
    const bytes = bytesOf(value);
    await rig.filer.writeFile({
      tree: PLAIN_TREE,
      path: path as EntryPath,
      body: bytes,
      describe: () => ({ attributes: { label: value.label } }),
    });
    known.set(path, {
      tree: PLAIN_TREE,
      path,
      text: describeObject(path, bytes, value.label),
      earlier: known.get(path)?.text,
    });
  }
  for (let index = 30; index < 40; index += 1) {
    await rig.filer.deleteEntry({ tree: PLAIN_TREE, path: `k${index}` as EntryPath });
    known.delete(`k${index}`);
  }
  await rig.filer.collect({ graceMs: 0 });
  if (database === "pages") rig.database.execute("PRAGMA wal_checkpoint(TRUNCATE)");
  const killed = rig.disk.image();
  await rig[Symbol.asyncDispose]();
  // The files of the volumes as a stop in order leaves them, with their checkpoints.
  const stopped = [...rig.disk.image()].filter(([path]) => path.startsWith(VOLUMES));
  const image = new Map([...killed, ...stopped]);
  return { image, objects: [...known.values()] };
}

/** The image with one bit of one file changed. */
export function withFlippedBit(image: DiskImage, path: string, bit: number): DiskImage {
  const bytes = Buffer.from(must(image.get(path)));
  const at = bit >> 3;
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
  return new Map(image).set(path, bytes);
}

export interface RotReport {
  readonly readings: readonly Reading[];
  /** What the check found, or `undefined` when the store did not open or the check failed: that is found, too. */
  readonly findings: readonly CheckFinding[] | undefined;
}

/** Opens the store, reads every object and runs the check. */
export async function readRotten(
  image: DiskImage,
  objects: readonly KnownObject[],
): Promise<RotReport> {
  let rig: StoreRig;
  try {
    rig = await openRig({ image, random: new SeededRandom(1) });
  } catch {
    return { readings: objects.map(() => "error" as const), findings: undefined };
  }
  try {
    const readings: Reading[] = [];
    for (const object of objects) readings.push(await readOne(rig, object));
    return { readings, findings: await findingsOf(rig) };
  } finally {
    // Closing a damaged database may fail as well.
    await Promise.allSettled([rig[Symbol.asyncDispose]()]);
  }
}

async function readOne({ filer }: StoreRig, object: KnownObject): Promise<Reading> {
  try {
    const found = await filer.getEntry(object.tree, object.path as EntryPath);
    if (found.kind === "refused") return "absent";
    const entry = found.value;
    const bytes = must(await collectBytes(filer.readFile(entry), entry.sizeBytes));
    const text = describeObject(object.path, bytes, entry.attributes["label"] ?? "");
    if (text === object.text) return "right";
    return text === object.earlier ? "earlier" : "wrong";
  } catch {
    return "error";
  }
}

async function findingsOf({ filer }: StoreRig): Promise<readonly CheckFinding[] | undefined> {
  try {
    return await Array.fromAsync(filer.check());
  } catch {
    return undefined;
  }
}
