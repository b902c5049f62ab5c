import { LIST_KEYS_MAX, type ObjectInfo, type ObjectPage, bucketArn, objectArn } from "@kelp/wire";
import type { ObjectInfoMessage, ObjectItemMessage } from "@kelp/wire/management";
import { z } from "zod";
import { requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { readJson } from "../request-body.ts";
import { type Api, objectKey, segment } from "./routes.ts";
import { readsOf, refuseSnapshot } from "./snapshots.ts";

const limitSchema = z.coerce.number().int().min(1).max(LIST_KEYS_MAX);
const renameSchema = z.strictObject({
  source: z.string().min(1).max(1024),
  target: z.string().min(1).max(1024),
});

export function addObjectRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { objects, authorizer } = dependencies;

  api.get("/buckets/:bucket/objects", async (context) => {
    const bucket = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "s3:ListBucket", resource: bucketArn(bucket) });
    const { prefix, delimiter, after } = context.req.query();
    const page = await readsOf(context, dependencies).listObjects(bucket, {
      ...(prefix === undefined ? {} : { prefix }),
      ...(delimiter === undefined || delimiter === "" ? {} : { delimiter }),
      ...(after === undefined ? {} : { after }),
      limit: listLimit(context.req.query("limit")),
    });
    return context.json({ items: page.items.map(itemMessage), next: page.next ?? null });
  });

  api.delete("/buckets/:bucket/objects", async (context) => {
    const bucket = segment(context, "bucket");
    const prefix = context.req.query("prefix") ?? "";
    // A forgotten parameter must not empty a bucket.
    if (prefix === "")
      throw new ConsoleError("bad-request", "The query parameter prefix is missing");
    requireAccess(authorizer, context, {
      action: "s3:DeleteObject",
      resource: objectArn(bucket, prefix),
      reach: "below",
    });
    refuseSnapshot(context);
    await objects.deleteObjects(bucket, prefix);
    return context.body(null, 204);
  });

  api.get("/buckets/:bucket/object/info", async (context) => {
    const bucket = segment(context, "bucket");
    const key = objectKey(context);
    requireAccess(authorizer, context, {
      action: "s3:GetObject",
      resource: objectArn(bucket, key),
    });
    const info = await readsOf(context, dependencies).headObject(bucket, key);
    if (info === undefined) throw noSuchObject(bucket, key);
    return context.json(infoMessage(info));
  });

  api.post("/buckets/:bucket/rename", async (context) => {
    const bucket = segment(context, "bucket");
    const { source, target } = await readJson(context.req.raw, renameSchema);
    refuseSnapshot(context);
    const from = objectArn(bucket, source);
    requireAccess(authorizer, context, { action: "s3:GetObject", resource: from });
    requireAccess(authorizer, context, { action: "s3:DeleteObject", resource: from });
    requireAccess(authorizer, context, {
      action: "s3:PutObject",
      resource: objectArn(bucket, target),
    });
    await objects.renameObject(bucket, source, target);
    return context.body(null, 204);
  });
}

export function noSuchObject(bucket: string, key: string): ConsoleError {
  return new ConsoleError("no-such-object", `There is no object ${key} in bucket ${bucket}`);
}

export function infoMessage(info: ObjectInfo): ObjectInfoMessage {
  return {
    key: info.key,
    size_bytes: info.sizeBytes,
    modified_ms: info.modifiedMs,
    etag: info.etag,
    content_type: info.contentType,
    user_metadata: info.userMetadata,
    chunk_count: info.chunkCount,
  };
}

function listLimit(text: string | undefined): number {
  if (text === undefined) return LIST_KEYS_MAX;
  const parsed = limitSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new ConsoleError("bad-request", `limit must be a whole number from 1 to ${LIST_KEYS_MAX}`);
}

function itemMessage(item: ObjectPage["items"][number]): ObjectItemMessage {
  if (item.kind === "prefix") return item;
  return {
    kind: "object",
    key: item.key,
    size_bytes: item.sizeBytes,
    modified_ms: item.modifiedMs,
    etag: item.etag,
    chunk_count: item.chunkCount,
  };
}
