import { type BucketInfo, bucketArn, objectArn } from "@kelp/wire";
import type { BucketMessage } from "@kelp/wire/management";
import { z } from "zod";
import { admitted, mayAccess, requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { readJson } from "../request-body.ts";
import { type Api, segment } from "./routes.ts";

const createSchema = z.strictObject({ name: z.string().min(1).max(255) });
const boundSchema = z.number().int().positive().max(Number.MAX_SAFE_INTEGER).nullable();
const quotaSchema = z
  .strictObject({ quota_bytes: boundSchema, quota_objects: boundSchema })
  .partial()
  .refine((quota) => Object.keys(quota).length > 0, "name quota_bytes, quota_objects or both");

export function addBucketRoutes(api: Api, { objects, authorizer }: ConsoleDependencies): void {
  // Everybody sees the buckets they can list, as the list of S3 shows them: no action of its own.
  api.get("/buckets", async (context) => {
    const { principal } = admitted(context);
    const visible = (await objects.listBuckets()).filter((bucket) =>
      mayAccess(authorizer, principal, {
        action: "s3:ListBucket",
        resource: bucketArn(bucket.name),
      }),
    );
    return context.json({ buckets: visible.map(bucketMessage) });
  });

  api.post("/buckets", async (context) => {
    const { name } = await readJson(context.req.raw, createSchema);
    const owner = requireAccess(authorizer, context, {
      action: "s3:CreateBucket",
      resource: bucketArn(name),
    });
    if ((await objects.createBucket(name, owner.name)) === "exists") {
      throw new ConsoleError("bucket-exists", `There is a bucket ${name} already`);
    }
    const bucket = await objects.getBucket(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return context.json(bucketMessage(bucket), 201);
  });

  api.get("/buckets/:bucket", async (context) => {
    const name = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "s3:ListBucket", resource: bucketArn(name) });
    const bucket = await objects.getBucket(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return context.json(bucketMessage(bucket));
  });

  api.delete("/buckets/:bucket", async (context) => {
    const name = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "s3:DeleteBucket", resource: bucketArn(name) });
    const force = context.req.query("force");
    if (force === "true") {
      // With the bucket goes all that is in it.
      requireAccess(authorizer, context, {
        action: "s3:DeleteObject",
        resource: objectArn(name, ""),
        reach: "below",
      });
    } else if (force !== undefined && force !== "false") {
      throw new ConsoleError("bad-request", "The query parameter force is true or false");
    }
    await objects.deleteBucket(name, { contents: force === "true" ? "discard" : "refuse" });
    return context.body(null, 204);
  });

  api.put("/buckets/:bucket/quota", async (context) => {
    const name = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "kelp:SetQuota", resource: bucketArn(name) });
    const { quota_bytes, quota_objects } = await readJson(context.req.raw, quotaSchema);
    await objects.setBucketQuota(name, {
      ...(quota_bytes !== undefined && { sizeBytes: quota_bytes }),
      ...(quota_objects !== undefined && { objectCount: quota_objects }),
    });
    const bucket = await objects.getBucket(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return context.json(bucketMessage(bucket));
  });
}

export function noSuchBucket(name: string): ConsoleError {
  return new ConsoleError("no-such-bucket", `There is no bucket ${name}`);
}

export function bucketMessage(bucket: BucketInfo): BucketMessage {
  return {
    name: bucket.name,
    owner: bucket.owner,
    created_ms: bucket.createdMs,
    size_bytes: bucket.sizeBytes,
    object_count: bucket.objectCount,
    chunk_count: bucket.chunkCount,
    quota_bytes: bucket.quotaBytes ?? null,
    quota_objects: bucket.quotaObjects ?? null,
  };
}
