import type { SeededRandom } from "@kelp/base/testing";
import type { VolumeId, VolumeStatus } from "@kelp/wire";
import { REMOTE, type StoreRig, VOLUMES } from "./store-rig.ts";

/** No job waits for its pace. */
const SHARDS = { dataShards: 3, parityShards: 2, bytesPerSec: Number.POSITIVE_INFINITY };

/** Vacuums a volume that has something to give back. */
export async function vacuumOne({ volumes }: StoreRig, random: SeededRandom): Promise<void> {
  const emptying = (await volumes.volumes()).filter(
    ({ deletedCount, state, form }) =>
      deletedCount > 0 && state !== "failed" && form.kind === "plain",
  );
  if (emptying.length > 0) await volumes.vacuum(random.pick(emptying).id, SHARDS);
}

/**
 * Gives a volume another form: a full one goes into shards or to the remote store; one that is there comes back, or has a shard
 * damaged and made good.
 */
export async function reshapeOne(
  rig: StoreRig,
  random: SeededRandom,
  options: { readonly mayDamage: boolean },
): Promise<void> {
  const { volumes } = rig;
  const all = (await volumes.volumes()).filter(({ state }) => state !== "failed");
  const plain = all.filter(({ state, form }) => form.kind === "plain" && SEALED.has(state));
  const other = all.filter(({ form }) => form.kind !== "plain");
  if (other.length === 0 || (plain.length > 0 && random.chance(0.3))) {
    const id = plain.length > 0 ? random.pick(plain).id : await sealOne(volumes, all, random);
    if (id === undefined) return;
    if (random.chance(0.6)) return volumes.encodeVolume(id, SHARDS);
    return volumes.moveToRemote(id, REMOTE, SHARDS);
  }
  const chosen = random.pick(other);
  const { id } = chosen;
  if (chosen.form.kind === "remote") return volumes.moveFromRemote(id, SHARDS);
  if (random.chance(0.4)) return volumes.decodeVolume(id, SHARDS);
  if (options.mayDamage) await damageShard(rig, chosen, random);
  const { damaged } = await volumes.scrubVolume(id, SHARDS);
  if (damaged.length > 0) throw new Error(`Not made good: ${JSON.stringify(damaged)}`);
}

const SEALED: ReadonlySet<VolumeStatus["state"]> = new Set(["full", "read-only"]);

/** Volumes fill up too seldom for a run. */
async function sealOne(
  volumes: StoreRig["volumes"],
  all: readonly VolumeStatus[],
  random: SeededRandom,
): Promise<VolumeId | undefined> {
  const writable = all.filter(({ state }) => state === "writable");
  if (writable.length < 2) return undefined;
  const { id } = random.pick(writable);
  await volumes.setWritable(id, "read-only");
  return id;
}

/** What was sealed takes changes again, removals above all. */
export async function unsealAll({ volumes }: StoreRig): Promise<void> {
  for (const { id, state, form } of await volumes.volumes()) {
    if (form.kind === "plain" && state === "read-only") await volumes.setWritable(id, "writable");
  }
}

async function damageShard(
  { disk }: StoreRig,
  { id, collection }: { readonly id: VolumeId; readonly collection: VolumeStatus["collection"] },
  random: SeededRandom,
): Promise<void> {
  const shard = random.below(SHARDS.dataShards + SHARDS.parityShards);
  const base = collection === "" ? `${id}` : `${collection}_${id}`;
  await using file = await disk.open(`${VOLUMES}/${base}.ec0${shard}`, { access: "read-write" });
  const at = random.below(await file.sizeBytes());
  const byte = Buffer.alloc(1);
  await file.readAt(byte, at);
  byte[0] = (byte[0] ?? 0) ^ 1;
  await file.writeAt([byte], at);
}
