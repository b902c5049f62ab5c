import {
  type BucketCopies,
  type ObjectReads,
  type SnapshotInfo,
  bucketArn,
  objectArn,
} from "@kelp/wire";
import type { SnapshotMessage } from "@kelp/wire/management";
import { z } from "zod";
import { type ConsoleContext, requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { readJson } from "../request-body.ts";
import { bucketMessage, noSuchBucket } from "./buckets.ts";
import { type Api, segment } from "./routes.ts";

const createSchema = z.strictObject({ name: z.string().min(1).max(255) });
const cloneSchema = z.strictObject({
  name: z.string().min(1).max(255),
  snapshot: z.string().min(1).max(255).optional(),
});

/** S3 has no snapshots: they ask for what making and unmaking the bucket itself takes. */
export function addSnapshotRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { authorizer, objects } = dependencies;

  api.get("/buckets/:bucket/snapshots", async (context) => {
    const bucket = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "s3:ListBucket", resource: bucketArn(bucket) });
    const snapshots = await copiesOf(dependencies).listSnapshots(bucket);
    return context.json({ snapshots: snapshots.map(snapshotMessage) });
  });

  api.post("/buckets/:bucket/snapshots", async (context) => {
    const bucket = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "s3:CreateBucket", resource: bucketArn(bucket) });
    const { name } = await readJson(context.req.raw, createSchema);
    const snapshot = await copiesOf(dependencies).createSnapshot(bucket, name);
    return context.json(snapshotMessage(snapshot), 201);
  });

  api.delete("/buckets/:bucket/snapshots/:snapshot", async (context) => {
    const bucket = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "s3:DeleteBucket", resource: bucketArn(bucket) });
    await copiesOf(dependencies).deleteSnapshot(bucket, segment(context, "snapshot"));
    return context.body(null, 204);
  });

  api.post("/buckets/:bucket/clone", async (context) => {
    const source = segment(context, "bucket");
    requireAccess(authorizer, context, { action: "s3:ListBucket", resource: bucketArn(source) });
    // The copy is under the target's permissions: whoever may not read all of the source would read it there.
    requireAccess(authorizer, context, {
      action: "s3:GetObject",
      resource: objectArn(source, ""),
      reach: "below",
    });
    const { name, snapshot } = await readJson(context.req.raw, cloneSchema);
    const owner = requireAccess(authorizer, context, {
      action: "s3:CreateBucket",
      resource: bucketArn(name),
    });
    const made = await copiesOf(dependencies).cloneBucket({
      source,
      target: name,
      owner: owner.name,
      ...(snapshot !== undefined && { snapshot }),
    });
    if (made === "exists") {
      throw new ConsoleError("bucket-exists", `There is a bucket ${name} already`);
    }
    const bucket = await objects.getBucket(name);
    if (bucket === undefined) throw noSuchBucket(name);
    return context.json(bucketMessage(bucket), 201);
  });
}

/** What the request reads: the bucket as it is, or as it was at the snapshot of the query. */
export function readsOf(context: ConsoleContext, dependencies: ConsoleDependencies): ObjectReads {
  const snapshot = context.req.query("snapshot");
  if (snapshot === undefined) return dependencies.objects;
  return copiesOf(dependencies).atSnapshot(snapshot);
}

/** For routes that change the bucket, or show what snapshots do not: ignoring the name would meet the bucket of today. */
export function refuseSnapshot(context: ConsoleContext): void {
  if (context.req.query("snapshot") === undefined) return;
  throw new ConsoleError("bad-request", "Objects of a snapshot can only be listed and read");
}

function copiesOf({ copies }: ConsoleDependencies): BucketCopies {
  if (copies !== undefined) return copies;
  throw new ConsoleError("not-implemented", "This server has no snapshots and copies");
}

function snapshotMessage(snapshot: SnapshotInfo): SnapshotMessage {
  return {
    name: snapshot.name,
    created_ms: snapshot.createdMs,
    size_bytes: snapshot.sizeBytes,
    object_count: snapshot.objectCount,
  };
}
