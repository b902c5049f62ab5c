import type { ErasureShape } from "@kelp/wire";
import type { RebuildMessage } from "@kelp/wire/management";
import { z } from "zod";
import type { ConsoleDependencies } from "../dependencies.ts";
import { readJson } from "../request-body.ts";
import { requireVolume } from "./required-volume.ts";
import type { Api } from "./routes.ts";

const emptySchema = z.strictObject({});
const countSchema = z.int().min(0).optional();
const shapeSchema = z.strictObject({ data_shards: countSchema, parity_shards: countSchema });
const uploadSchema = z.strictObject({ backend: z.string().min(1) });

/**
 * Jobs that make one form of a volume of another, answered when they are done. What cannot be done with the volume as it is,
 * the volume itself refuses.
 */
export function addVolumeFormRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { authorizer, volumes } = dependencies;

  api.post("/volumes/:id/encode", async (context) => {
    const id = requireVolume(authorizer, context, "kelp:EncodeVolume");
    const shape = await readJson(context.req.raw, shapeSchema);
    await volumes.encodeVolume(id, shapeOf(shape));
    return context.body(null, 204);
  });

  api.post("/volumes/:id/decode", async (context) => {
    const id = requireVolume(authorizer, context, "kelp:DecodeVolume");
    await readJson(context.req.raw, emptySchema);
    await volumes.decodeVolume(id);
    return context.body(null, 204);
  });

  api.post("/volumes/:id/rebuild", async (context) => {
    const id = requireVolume(authorizer, context, "kelp:RebuildVolume");
    await readJson(context.req.raw, emptySchema);
    const rebuilt = await volumes.rebuildVolume(id);
    return context.json({ rebuilt } satisfies RebuildMessage);
  });

  api.post("/volumes/:id/upload", async (context) => {
    const id = requireVolume(authorizer, context, "kelp:UploadVolume");
    const { backend } = await readJson(context.req.raw, uploadSchema);
    await volumes.moveToRemote(id, backend);
    return context.body(null, 204);
  });

  api.post("/volumes/:id/download", async (context) => {
    const id = requireVolume(authorizer, context, "kelp:DownloadVolume");
    await readJson(context.req.raw, emptySchema);
    await volumes.moveFromRemote(id);
    return context.body(null, 204);
  });
}

function shapeOf(shape: z.infer<typeof shapeSchema>): ErasureShape {
  const { data_shards: dataShards, parity_shards: parityShards } = shape;
  return {
    ...(dataShards !== undefined && { dataShards }),
    ...(parityShards !== undefined && { parityShards }),
  };
}
