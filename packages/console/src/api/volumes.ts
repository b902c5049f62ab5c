import {
  type Damage,
  type VolumeForm,
  type VolumeId,
  type VolumeStatus,
  serviceArn,
} from "@kelp/wire";
import type {
  DamageMessage,
  ScrubMessage,
  VacuumMessage,
  VolumeMessage,
} from "@kelp/wire/management";
import { z } from "zod";
import { type ConsoleContext, requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { readJson } from "../request-body.ts";
import { requireVolume } from "./required-volume.ts";
import type { Api } from "./routes.ts";

const stateSchema = z.strictObject({ state: z.enum(["writable", "read-only"]) });
const emptySchema = z.strictObject({});

export function addVolumeRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { authorizer, master, volumes } = dependencies;

  const allowed = (context: ConsoleContext, action: string): VolumeId =>
    requireVolume(authorizer, context, action);

  api.get("/volumes", async (context) => {
    requireAccess(authorizer, context, {
      action: "kelp:ListVolumes",
      resource: serviceArn("store", "volumes"),
    });
    const status = await master.status();
    const damaged = countDamaged(volumes.quarantined());
    return context.json({
      volumes: status.volumes.map((volume) => volumeMessage(volume, damaged.get(volume.id) ?? 0)),
    });
  });

  api.post("/volumes/:id/vacuum", async (context) => {
    const id = allowed(context, "kelp:VacuumVolume");
    // A body that is not JSON could come from a form on a foreign page.
    await readJson(context.req.raw, emptySchema);
    const report = await volumes.vacuum(id);
    return context.json({
      bytes_before: report.bytesBefore,
      bytes_after: report.bytesAfter,
      live_count: report.liveCount,
      damaged: report.damaged.map(damageMessage),
    } satisfies VacuumMessage);
  });

  api.post("/volumes/:id/scrub", async (context) => {
    const id = allowed(context, "kelp:ScrubVolume");
    await readJson(context.req.raw, emptySchema);
    const report = await volumes.scrubVolume(id);
    return context.json({
      checked_count: report.checkedCount,
      checked_bytes: report.checkedBytes,
      repaired: report.repaired.map(damageMessage),
      damaged: report.damaged.map(damageMessage),
    } satisfies ScrubMessage);
  });

  api.put("/volumes/:id/state", async (context) => {
    const id = allowed(context, "kelp:MarkVolume");
    const { state } = await readJson(context.req.raw, stateSchema);
    await volumes.setWritable(id, state);
    return context.body(null, 204);
  });

  api.delete("/volumes/:id", async (context) => {
    const id = allowed(context, "kelp:DeleteVolume");
    if (context.req.query("force") === "true") await volumes.deleteVolume(id);
    else await deleteEmpty({ master, volumes }, id);
    return context.body(null, 204);
  });
}

type EmptyingDeps = Pick<ConsoleDependencies, "master" | "volumes">;

/**
 * Deletes a volume in which nothing lives. It takes no writes from before the last look on, so that nothing that is
 * acknowledged meanwhile goes with it; what stays takes writes again.
 */
async function deleteEmpty({ master, volumes }: EmptyingDeps, id: VolumeId): Promise<void> {
  const before = await refuseWithNeedles(master, id);
  const tookWrites = before?.state === "writable" || before?.state === "full";
  if (tookWrites) await volumes.setWritable(id, "read-only");
  try {
    if (tookWrites) await refuseWithNeedles(master, id);
    await volumes.deleteVolume(id);
  } catch (error) {
    if (tookWrites) await volumes.setWritable(id, "writable");
    throw error;
  }
}

/** Entries may refer to what lives in it: they would lose their content. */
async function refuseWithNeedles(
  master: ConsoleDependencies["master"],
  id: VolumeId,
): Promise<VolumeStatus | undefined> {
  const volume = (await master.status()).volumes.find((each) => each.id === id);
  if (volume === undefined) return undefined;
  // Of a volume that cannot be read nobody knows what is in it.
  const isKnown = volume.state !== "failed" && volume.state !== "missing";
  if (isKnown && volume.liveCount === 0) return volume;
  throw new ConsoleError(
    "volume-not-empty",
    isKnown
      ? `Volume ${id} holds ${volume.liveCount} needles; force deletes them`
      : `Volume ${id} is ${volume.state}, and may hold needles; force deletes them`,
  );
}

function volumeMessage(volume: VolumeStatus, damagedCount: number): VolumeMessage {
  const { sizeBytes, deletedBytes } = volume;
  return {
    id: volume.id,
    collection: volume.collection,
    size_bytes: sizeBytes,
    live_count: volume.liveCount,
    live_bytes: volume.liveBytes,
    deleted_count: volume.deletedCount,
    deleted_bytes: deletedBytes,
    garbage_ratio: sizeBytes === 0 ? 0 : Math.min(1, deletedBytes / sizeBytes),
    state: volume.state,
    holder: volume.holder ?? null,
    form: volume.form.kind,
    ...placeMessage(volume.form),
    version: volume.version,
    compaction_revision: volume.compactionRevision,
    disk: volume.disk,
    disk_type: volume.diskType,
    damaged_count: damagedCount,
  };
}

function placeMessage(form: VolumeForm): Pick<VolumeMessage, "shards" | "backend"> {
  const { kind } = form;
  if (kind !== "erasure-coded") {
    return { shards: null, backend: kind === "remote" ? form.backend : null };
  }
  const { dataShards: data, parityShards: parity, missingShards: missing } = form;
  return { shards: { data, parity, missing }, backend: null };
}

function countDamaged(damaged: readonly Damage[]): ReadonlyMap<VolumeId, number> {
  const counts = new Map<VolumeId, number>();
  for (const { volumeId: id } of damaged) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function damageMessage({ volumeId: id, what, offsetBytes, reason }: Damage): DamageMessage {
  return { volume_id: id, what, offset_bytes: offsetBytes, reason };
}
