import type { ByteStream } from "@kelp/base";
import {
  CONTENT_POLICY,
  HttpError,
  type HttpReply,
  type HttpRequest,
  type ReadableContent,
  type ReplyHeaders,
  bytesContent,
  contentDisposition,
  contentReply,
  encodeHeaderText,
  httpDate,
  isHeaderSafe,
  mediaTypeOfName,
} from "@kelp/base/http";
import { type Fid, type NeedleStore, type StoredNeedle, formatFid } from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { acceptsGzip, inflate } from "./gzip.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { etagOf } from "./needle-etag.ts";
import type { NeedlePath } from "./needle-path.ts";
import type { OutstandingBytes } from "./outstanding-bytes.ts";

export interface ReadDeps {
  readonly needles: NeedleStore;
  readonly outstanding: OutstandingBytes;
}

/** GET and HEAD of a needle, its manifest resolved. Throws `HttpError` 404, 412, 416, 501 and `VolumeError`. */
export async function readNeedle(
  deps: ReadDeps,
  request: HttpRequest,
  path: NeedlePath,
): Promise<HttpReply> {
  if (request.rawQuery !== "") refuseImageWork(request);
  const isRemovedToo = request.rawQuery !== "" && request.query.isTrue("readDeleted");
  const needle = await deps.outstanding.read(() =>
    deps.needles.readNeedle(path.fid, isRemovedToo ? READ_REMOVED : undefined),
  );
  if (needle === undefined) throw new HttpError(404, `There is no file ${formatFid(path.fid)}`);
  if (needle.isChunkManifest === true && !request.query.isFalse("cm")) {
    return readManifest(deps, request, { path, needle });
  }
  return answerNeedle(deps, request, { path, needle });
}

const READ_REMOVED = { removed: "read" } as const;

interface Found {
  readonly path: NeedlePath;
  readonly needle: StoredNeedle;
}

async function answerNeedle(
  deps: ReadDeps,
  request: HttpRequest,
  { path, needle }: Found,
): Promise<HttpReply> {
  const headers = describe(request, {
    name: needle.name ?? fileNameOf(path),
    mediaType: needle.mediaType,
    ending: path.rawFileName,
    pairs: needle.pairs,
    lastModifiedSec: needle.lastModifiedSec,
    etag: etagOf(needle.checksum),
  });
  let bytes = needle.data;
  if (needle.isGzip === true) {
    headers["Vary"] = "Accept-Encoding";
    // A range is one of the content, not of how it is stored.
    if (acceptsGzip(request.headers["accept-encoding"]) && request.headers.range === undefined) {
      headers["Content-Encoding"] = "gzip";
    } else {
      bytes = await inflate(bytes);
    }
  }
  const release = deps.outstanding.hold(bytes.length);
  try {
    const reply = contentReply(request, bytesContent(bytes, validators(needle)), headers);
    return release === undefined ? reply : holding(reply, release);
  } catch (error) {
    release?.();
    throw error;
  }
}

/** Gives the memory back when it was sent, or the client is gone. */
function holding(reply: HttpReply, release: () => void): HttpReply {
  if (reply.kind === "bytes") return { ...reply, onSent: release };
  if (reply.kind === "stream") return { ...reply, stream: releasing(reply.stream, release) };
  return reply;
}

async function* releasing(stream: ByteStream, release: () => void): ByteStream {
  try {
    yield* stream;
  } finally {
    release();
  }
}

async function readManifest(
  deps: ReadDeps,
  request: HttpRequest,
  { path, needle }: Found,
): Promise<HttpReply> {
  const manifest = parseManifest(await inflated(needle));
  if (manifest === undefined) {
    throw new VolumeError(
      "needle-corrupt",
      `Cannot read ${formatFid(path.fid)}: its manifest is none`,
    );
  }
  const headers = describe(request, {
    name: manifest.name ?? needle.name ?? fileNameOf(path),
    mediaType: manifest.mediaType,
    ending: path.rawFileName,
    pairs: needle.pairs,
    lastModifiedSec: needle.lastModifiedSec,
    etag: etagOf(needle.checksum),
  });
  headers["X-File-Store"] = "chunked";
  const content: ReadableContent = {
    ...validators(needle),
    sizeBytes: manifest.sizeBytes,
    read: (range) => manifestBytes(deps, manifest, range),
  };
  return contentReply(request, content, headers);
}

/** One chunk in memory at a time. An absent chunk ends the stream: never fewer bytes under a success. */
async function* manifestBytes(
  deps: ReadDeps,
  manifest: Manifest,
  range: { readonly start: number; readonly end: number },
): ByteStream {
  for (const { fid, offsetBytes, sizeBytes } of manifest.chunks) {
    const start = Math.max(range.start - offsetBytes, 0);
    const end = Math.min(range.end - offsetBytes, sizeBytes);
    if (start >= end) continue;
    const bytes = await chunkBytes(deps, fid);
    if (bytes.length !== sizeBytes) {
      throw new VolumeError(
        "needle-corrupt",
        `Cannot read chunk ${formatFid(fid)}: it has ${bytes.length} bytes, its manifest says ${sizeBytes}`,
      );
    }
    const release = deps.outstanding.hold(bytes.length);
    try {
      yield bytes.subarray(start, end);
    } finally {
      release?.();
    }
  }
}

async function chunkBytes(deps: ReadDeps, fid: Fid): Promise<Uint8Array> {
  const needle = await deps.outstanding.read(() => deps.needles.readNeedle(fid));
  if (needle === undefined) {
    throw new VolumeError("needle-corrupt", `Cannot read chunk ${formatFid(fid)}: it is absent`);
  }
  return inflated(needle);
}

function inflated(needle: StoredNeedle): Promise<Uint8Array> {
  return needle.isGzip === true ? inflate(needle.data) : Promise.resolve(needle.data);
}

function validators(needle: StoredNeedle): { readonly etag: string; readonly modifiedMs: number } {
  // Without a date no condition on dates can hold against it.
  const modifiedMs = (needle.lastModifiedSec ?? Number.NaN) * 1000;
  return { etag: etagOf(needle.checksum), modifiedMs };
}

interface Description {
  readonly name: string | undefined;
  readonly mediaType: string | undefined;
  readonly ending: string | undefined;
  readonly pairs: Readonly<Record<string, string>> | undefined;
  readonly lastModifiedSec: number | undefined;
  readonly etag: string;
}

function describe(request: HttpRequest, about: Description): ReplyHeaders {
  const { name, pairs, lastModifiedSec } = about;
  const headers: ReplyHeaders = {
    ETag: `"${about.etag}"`,
    "Content-Type": typeOf(about),
    "Content-Security-Policy": CONTENT_POLICY,
  };
  if (lastModifiedSec !== undefined) headers["Last-Modified"] = httpDate(lastModifiedSec * 1000);
  if (pairs !== undefined) addPairs(headers, pairs);
  const isAttachment = request.rawQuery !== "" && request.query.isTrue("dl");
  if (name !== undefined || isAttachment) {
    const kind = isAttachment ? "attachment" : "inline";
    headers["Content-Disposition"] = contentDisposition(kind, name ?? "file");
  }
  if (request.rawQuery !== "") override(request, headers);
  return headers;
}

function typeOf({ mediaType, name, ending }: Description): string {
  if (mediaType !== undefined && isHeaderSafe(mediaType)) return encodeHeaderText(mediaType);
  const guessed = name === undefined ? undefined : mediaTypeOfName(name);
  return guessed ?? mediaTypeOfName(ending ?? "") ?? "application/octet-stream";
}

/** Only what this door stores: a volume from elsewhere may hold names that would change what an answer means. */
function addPairs(headers: ReplyHeaders, pairs: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(pairs)) {
    if (/^Seaweed-[\w-]+$/i.test(name) && isHeaderSafe(value))
      headers[name] = encodeHeaderText(value);
  }
}

const OVERRIDES = [
  "Cache-Control",
  "Content-Disposition",
  "Content-Encoding",
  "Content-Language",
  "Content-Type",
  "Expires",
] as const;

function override(request: HttpRequest, headers: ReplyHeaders): void {
  for (const name of OVERRIDES) {
    const value = request.query.text(`response-${name.toLowerCase()}`);
    if (value === undefined) continue;
    if (!isHeaderSafe(value))
      throw new HttpError(400, `response-${name.toLowerCase()} cannot be sent`);
    headers[name] = encodeHeaderText(value);
  }
}

const IMAGE_PARAMETERS = ["width", "height", "crop_x1", "crop_x2", "crop_y1", "crop_y2"] as const;

/** Whoever asked for a thumbnail shall not take the whole picture for one. */
function refuseImageWork(request: HttpRequest): void {
  for (const name of IMAGE_PARAMETERS) {
    if (request.query.text(name) === undefined) continue;
    throw new HttpError(501, `Pictures are not scaled or cropped here: leave out ${name}`);
  }
}

function fileNameOf(path: NeedlePath): string | undefined {
  const { rawFileName } = path;
  if (rawFileName === undefined || rawFileName.startsWith(".")) return undefined;
  try {
    return decodeURIComponent(rawFileName);
  } catch (error) {
    if (error instanceof URIError) return undefined;
    throw error;
  }
}
