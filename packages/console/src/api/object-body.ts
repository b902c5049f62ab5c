import { OBJECT_PUT_BYTES_MAX, type ObjectReads, objectArn } from "@kelp/wire";
import { requireAccess } from "../access.ts";
import { type RangeRequest, parseRange } from "../byte-range.ts";
import { limitedStream, readableStream } from "../byte-stream.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { objectHeaders } from "../object-headers.ts";
import { infoMessage, noSuchObject } from "./objects.ts";
import { type Api, objectKey, segment } from "./routes.ts";
import { readsOf, refuseSnapshot } from "./snapshots.ts";

export function addObjectBodyRoutes(api: Api, dependencies: ConsoleDependencies): void {
  const { objects, authorizer } = dependencies;

  // Hono answers HEAD with the GET route and drops the body; the store is then asked for nothing but the head.
  api.get("/buckets/:bucket/object", async (context) => {
    const bucket = segment(context, "bucket");
    const key = objectKey(context);
    requireAccess(authorizer, context, {
      action: "s3:GetObject",
      resource: objectArn(bucket, key),
    });
    const { raw } = context.req;
    const reads = readsOf(context, dependencies);
    return raw.method === "HEAD"
      ? headResponse(reads, bucket, key)
      : bodyResponse(reads, { bucket, key, range: raw.headers.get("range") ?? undefined });
  });

  api.put("/buckets/:bucket/object", async (context) => {
    const bucket = segment(context, "bucket");
    const key = objectKey(context);
    requireAccess(authorizer, context, {
      action: "s3:PutObject",
      resource: objectArn(bucket, key),
    });
    refuseSnapshot(context);
    const { raw } = context.req;
    const declaredBytes = Number(raw.headers.get("content-length") ?? 0);
    if (declaredBytes > OBJECT_PUT_BYTES_MAX) {
      throw new ConsoleError("too-large", `One upload may have ${OBJECT_PUT_BYTES_MAX} bytes`);
    }
    const contentType = raw.headers.get("content-type") ?? undefined;
    const info = await objects.putObject({
      bucket,
      key,
      body: raw.body === null ? new Uint8Array(0) : limitedStream(raw.body, OBJECT_PUT_BYTES_MAX),
      ...(contentType === undefined ? {} : { contentType }),
      signal: raw.signal,
    });
    return context.json(infoMessage(info), 201);
  });

  api.delete("/buckets/:bucket/object", async (context) => {
    const bucket = segment(context, "bucket");
    const key = objectKey(context);
    requireAccess(authorizer, context, {
      action: "s3:DeleteObject",
      resource: objectArn(bucket, key),
    });
    refuseSnapshot(context);
    await objects.deleteObject(bucket, key);
    return context.body(null, 204);
  });
}

interface BodyRequest {
  readonly bucket: string;
  readonly key: string;
  readonly range: string | undefined;
}

async function headResponse(objects: ObjectReads, bucket: string, key: string): Promise<Response> {
  const info = await objects.headObject(bucket, key);
  if (info === undefined) throw noSuchObject(bucket, key);
  return new Response(null, {
    headers: { ...objectHeaders(info), "content-length": String(info.sizeBytes) },
  });
}

async function bodyResponse(objects: ObjectReads, request: BodyRequest): Promise<Response> {
  const { bucket, key } = request;
  const range = await resolveRange(objects, request);
  if (range.kind === "unsatisfiable") {
    throw new ConsoleError("range-not-satisfiable", `${key} has no bytes in that range`);
  }
  const part = range.kind === "part" ? range.range : undefined;
  const found = await objects.getObject(bucket, key, part);
  if (found === undefined) throw noSuchObject(bucket, key);
  const { info, body } = found;
  const start = part?.start ?? 0;
  // The object may have been replaced by a smaller one since its size was read.
  const end = Math.min(part?.end ?? info.sizeBytes, info.sizeBytes);
  return new Response(readableStream(body), {
    status: part === undefined ? 200 : 206,
    headers: {
      ...objectHeaders(info),
      "content-length": String(Math.max(0, end - start)),
      ...(part === undefined
        ? {}
        : { "content-range": `bytes ${start}-${end - 1}/${info.sizeBytes}` }),
    },
  });
}

/** A range needs the size first, so only ranged reads cost a second look-up. */
async function resolveRange(objects: ObjectReads, request: BodyRequest): Promise<RangeRequest> {
  if (request.range === undefined) return { kind: "whole" };
  const info = await objects.headObject(request.bucket, request.key);
  if (info === undefined) throw noSuchObject(request.bucket, request.key);
  return parseRange(request.range, info.sizeBytes);
}
