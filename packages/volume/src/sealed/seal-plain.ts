import type { VolumeId } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { Pace } from "../pace/pace.ts";
import type { VolumeSlot } from "../store/volume-table.ts";
import { Volume } from "../volume/volume.ts";
import { FrozenVolume } from "./frozen-volume.ts";
import type { JobContext } from "./job-context.ts";
import { wrongForm } from "./job-error.ts";

/** A plain volume that takes no changes while a job makes another form of it. */
export interface SealedPlain {
  readonly volume: Volume;
  /** It takes changes again as before. Not to be called once a restart may find the other form. */
  release(): void;
}

/**
 * Covers a full or read-only plain volume, so that it is read and not changed, waits for the changes under way, and reads all of it.
 * Throws `wrong-form`, `not-sealed`, `volume-failed`, or `needle-corrupt` when a needle of it is damaged: a copy would
 * seal the damage.
 */
export async function sealPlain(
  context: JobContext,
  id: VolumeId,
  { slot, job, pace }: { readonly slot: VolumeSlot; readonly job: string; readonly pace: Pace },
): Promise<SealedPlain> {
  const { volume } = slot;
  if (!(volume instanceof Volume)) throw wrongForm(job, id, volume.status().form.kind);
  if (volume.state !== "full" && volume.state !== "read-only") {
    throw new VolumeError(
      "not-sealed",
      `Cannot ${job} volume ${id}: it is ${volume.state}, it must be full or read-only`,
    );
  }
  const frozen = new FrozenVolume(volume, job);
  context.table.cover(id, frozen);
  context.announce(id, frozen);
  const release = (): void => {
    context.table.cover(id, volume);
    context.announce(id, volume);
  };
  try {
    await volume.settled();
    await refuseDamage(volume, id, { job, pace });
  } catch (error) {
    release();
    throw error;
  }
  return { volume, release };
}

async function refuseDamage(
  volume: Volume,
  id: VolumeId,
  { job, pace }: { readonly job: string; readonly pace: Pace },
): Promise<void> {
  for await (const needle of volume.scan()) {
    if (needle.kind === "live") {
      await pace.spend(needle.sizeBytes);
      continue;
    }
    throw new VolumeError(
      "needle-corrupt",
      `Cannot ${job} volume ${id}: needle ${needle.needleId.toString(16)} is corrupt: ${needle.reason}`,
    );
  }
}
