import {
  HttpError,
  type HttpReply,
  type HttpRequest,
  emptyReply,
  jsonReply,
} from "@kelp/base/http";
import { type Fid, type NeedleContent, type NeedleStore, formatFid, parseTtl } from "@kelp/wire";
import type { Clock } from "@kelp/base";
import { inflatedLength } from "./gzip.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { etagOf } from "./needle-etag.ts";
import type { NeedlePath } from "./needle-path.ts";
import { type Upload, type UploadDeps, withUpload } from "./upload.ts";

export interface WriteDeps extends UploadDeps {
  readonly needles: NeedleStore;
  readonly clock: Pick<Clock, "nowMs">;
}

/** What the client is told of a needle that is now on stable storage. */
export interface WrittenNeedle {
  readonly state: "written" | "unchanged";
  readonly name: string | undefined;
  /** Of the content, also where it is stored compressed. */
  readonly sizeBytes: number;
  readonly etag: string;
  readonly mediaType: string | undefined;
  readonly md5: string;
}

/** POST and PUT of a needle. `checkChunk` throws for a chunk that the writer of a manifest may not name. */
export async function writeNeedle(
  deps: WriteDeps,
  request: HttpRequest,
  place: { readonly path: NeedlePath; readonly checkChunk: (fid: Fid) => void },
): Promise<HttpReply> {
  const { path, checkChunk } = place;
  const written = await storeUpload(deps, request, { fid: path.fid, checkChunk });
  const headers = { ETag: `"${written.etag}"`, "Content-MD5": written.md5 };
  if (written.state === "unchanged") return emptyReply(204, headers);
  return jsonReply(
    request,
    201,
    {
      name: written.name,
      size: written.sizeBytes,
      eTag: written.etag,
      mime: written.mediaType,
      contentMd5: written.md5,
    },
    headers,
  );
}

/** Receives the body and stores it under `fid`, with what the query says of it: `ts`, `ttl`, `cm`. Durable when resolved. */
export async function storeUpload(
  deps: WriteDeps,
  request: HttpRequest,
  place: { readonly fid: Fid; readonly checkChunk: (fid: Fid) => void },
): Promise<WrittenNeedle> {
  const { query } = request;
  const isManifest = query.isTrue("cm");
  const nowSec = Math.floor(deps.clock.nowMs() / 1000);
  const lastModifiedSec = query.count("ts", { min: 1, max: 2 ** 40 - 1, absent: nowSec });
  const ttl = ttlOf(query.text("ttl"));
  return withUpload(deps, request, async (upload) => {
    if (isManifest) checkManifest(upload, place);
    const checksum = deps.hashes.crc32c(upload.data);
    const needle: { -readonly [Field in keyof NeedleContent]: NeedleContent[Field] } = {
      data: upload.data,
      checksum,
      lastModifiedSec,
    };
    if (upload.name !== undefined) needle.name = upload.name;
    if (upload.mediaType !== undefined) needle.mediaType = upload.mediaType;
    if (ttl !== undefined) needle.ttl = ttl;
    if (upload.pairs !== undefined) needle.pairs = upload.pairs;
    if (upload.isGzip) needle.isGzip = true;
    if (isManifest) needle.isChunkManifest = true;
    const state = await deps.needles.writeNeedle(place.fid, needle);
    return {
      state,
      name: upload.name,
      sizeBytes: upload.isGzip ? inflatedLength(upload.data) : upload.data.length,
      etag: etagOf(checksum),
      mediaType: upload.mediaType,
      md5: upload.md5,
    };
  });
}

function ttlOf(text: string | undefined): NeedleContent["ttl"] {
  if (text === undefined) return undefined;
  const ttl = parseTtl(text);
  if (ttl === undefined)
    throw new HttpError(400, "ttl is no lifetime such as 3m, 4h, 5d, 6w, 7M, 8y");
  return ttl.count === 0 ? undefined : ttl;
}

/** A manifest speaks for its chunks from now on: whoever may read or delete it does so with them. */
function checkManifest(
  upload: Upload,
  place: { readonly fid: Fid; readonly checkChunk: (fid: Fid) => void },
): Manifest {
  const manifest = upload.isGzip ? undefined : parseManifest(upload.data);
  if (manifest === undefined) {
    throw new HttpError(
      400,
      "The body is no chunk manifest: its chunks must follow each other without gaps",
    );
  }
  const own = formatFid(place.fid);
  for (const { fid } of manifest.chunks) {
    if (formatFid(fid) === own) throw new HttpError(400, "A manifest cannot be its own chunk");
    place.checkChunk(fid);
  }
  return manifest;
}

/** DELETE of a needle, and of the chunks that its manifest names. */
export async function deleteNeedle(
  deps: Pick<WriteDeps, "needles" | "outstanding">,
  request: HttpRequest,
  place: { readonly path: NeedlePath; readonly checkChunk: (fid: Fid) => void },
): Promise<HttpReply> {
  const { fid } = place.path;
  const share = deps.outstanding.reservation();
  let sizeBytes: number | undefined;
  try {
    const needle = await deps.needles.readNeedle(fid, share);
    if (needle === undefined) return jsonReply(request, 404, { size: 0 });
    if (needle.isChunkManifest === true && !request.query.isFalse("cm")) {
      sizeBytes = await deleteChunks(deps, needle.data, place);
    }
  } finally {
    share.release();
  }
  const removed = await deps.needles.removeNeedle(fid);
  if (removed === undefined) return jsonReply(request, 404, { size: 0 });
  return jsonReply(request, 202, { size: sizeBytes ?? removed });
}

/** Chunks first: were the manifest gone and the rest failed, nobody could name them again. Absent ones are gone already. */
async function deleteChunks(
  deps: Pick<WriteDeps, "needles">,
  json: Uint8Array,
  place: { readonly path: NeedlePath; readonly checkChunk: (fid: Fid) => void },
): Promise<number> {
  const manifest = parseManifest(json);
  if (manifest === undefined) {
    throw new HttpError(
      500,
      `The manifest ${formatFid(place.path.fid)} cannot be read, so that its chunks are not known; cm=false deletes it alone`,
    );
  }
  for (const chunk of manifest.chunks) place.checkChunk(chunk.fid);
  for (const chunk of manifest.chunks) await deps.needles.removeNeedle(chunk.fid);
  return manifest.sizeBytes;
}
