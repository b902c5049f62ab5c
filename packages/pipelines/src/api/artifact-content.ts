import type { Artifact } from "@kelp/lineage";
import { type ObjectInfo, objectArn } from "@kelp/wire";
import type { ApiContext, ApiDeps } from "./context.ts";
import { ApiError } from "./errors.ts";
import { type ContentRange, parseRange } from "./content-range.ts";
import { toReadableStream } from "./readable-stream.ts";
import { type StorePlace, parseStoreUri } from "./store-uri.ts";

/**
 * The bytes of an artifact, or of one file under an artifact that is a folder. An importer may name any object of the
 * store, so the caller needs the permission to read that object as well as the artifact.
 * What steps wrote is hostile: the answer may neither run nor be guessed at in a browser.
 */
export async function answerContent(
  deps: ApiDeps,
  context: ApiContext,
  artifact: Artifact,
  path: string,
): Promise<Response> {
  const place = locate(artifact, path);
  const { principal } = context.env;
  const resource = objectArn(place.bucket, place.key);
  if (deps.authorizer.authorize({ principal, action: "s3:GetObject", resource }).kind === "deny") {
    throw new ApiError(
      "permission-denied",
      `Cannot read ${artifact.uri}: ${principal.name} may not read that object`,
    );
  }
  const info = await deps.objects.headObject(place.bucket, place.key);
  if (info === undefined) throw await explainAbsent(deps, place, artifact);
  const range = parseRange(context.req.header("range"), info.sizeBytes);
  if (range === "unsatisfiable") {
    return new Response(null, {
      status: 416,
      headers: { "content-range": `bytes */${info.sizeBytes}` },
    });
  }
  return readObject(deps, place, info, range);
}

async function readObject(
  deps: ApiDeps,
  place: StorePlace,
  info: ObjectInfo,
  range: ContentRange | undefined,
): Promise<Response> {
  const object = await deps.objects.getObject(place.bucket, place.key, range);
  // It was there a moment ago: someone deleted it in between.
  if (object === undefined) {
    throw new ApiError("not-found", `Cannot find s3://${place.bucket}/${place.key}`);
  }
  const sizeBytes = range === undefined ? info.sizeBytes : range.end - range.start;
  const headers = {
    "content-type": HEADER_TEXT.test(info.contentType)
      ? info.contentType
      : "application/octet-stream",
    "content-length": String(sizeBytes),
    "accept-ranges": "bytes",
    etag: info.etag.startsWith('"') ? info.etag : `"${info.etag}"`,
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(baseName(place.key))}`,
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  };
  const body = toReadableStream(object.body, () => undefined);
  if (range === undefined) return new Response(body, { headers });
  return new Response(body, {
    status: 206,
    headers: {
      ...headers,
      "content-range": `bytes ${range.start}-${range.end - 1}/${info.sizeBytes}`,
    },
  });
}

/** Object stores take any text as a content type; a header holds less. */
const HEADER_TEXT = /^[\x21-\x7e][\x20-\x7e]{0,255}$/;

function locate(artifact: Artifact, path: string): StorePlace {
  const place = parseStoreUri(artifact.uri);
  if (place === undefined) {
    throw new ApiError(
      "failed-precondition",
      `Cannot read ${artifact.uri}: it is not in this store`,
    );
  }
  if (path === "") return place;
  return { bucket: place.bucket, key: `${place.key.replace(/\/$/, "")}/${path}` };
}

/** Says when the artifact is a folder, which has no bytes of its own. */
async function explainAbsent(
  deps: ApiDeps,
  place: StorePlace,
  artifact: Artifact,
): Promise<ApiError> {
  const prefix = `${place.key.replace(/\/$/, "")}/`;
  const bucket = await deps.objects.getBucket(place.bucket);
  const below =
    bucket === undefined
      ? undefined
      : await deps.objects.listObjects(place.bucket, { prefix, limit: 1 });
  if (below !== undefined && below.items.length > 0) {
    return new ApiError(
      "failed-precondition",
      `Cannot read ${artifact.uri}: it is a folder; name a file in it with path=`,
    );
  }
  return new ApiError("not-found", `Cannot find s3://${place.bucket}/${place.key}`);
}

function baseName(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1);
}
