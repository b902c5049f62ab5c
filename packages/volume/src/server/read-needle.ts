import type { ByteStream } from "@kelp/base";
import {
  CONTENT_POLICY,
  HttpError,
  type HttpReply,
  type HttpRequest,
  type ReadableContent,
  type ReplyHeaders,
  BytesContent,
  contentDisposition,
  contentReply,
  encodeHeaderText,
  httpDate,
  isHeaderSafe,
  mediaTypeOfName,
  overrideHeaders,
} from "@kelp/base/http";
import {
  type Fid,
  type NeedleStore,
  type ReadNeedle,
  type StoredNeedle,
  formatFid,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import { acceptsGzip, inflate, inflatedLength } from "./gzip.ts";
import { type Manifest, parseManifest } from "./manifest.ts";
import { etagOf } from "./needle-etag.ts";
import type { NeedlePath } from "./needle-path.ts";
import { addPairs } from "./pair-headers.ts";
import {
  type HeldContent,
  type OutstandingBytes,
  type Reservation,
  expansionsOf,
} from "./outstanding-bytes.ts";

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
  const isResolved = (needle: StoredNeedle): boolean =>
    needle.isChunkManifest === true && !request.query.isFalse("cm");
  // A range is one of the content, not of how it is stored.
  const isPassedOn = (needle: StoredNeedle): boolean =>
    request.headers.range === undefined &&
    acceptsGzip(request.headers["accept-encoding"]) &&
    !isResolved(needle);
  const removed = isRemovedToo ? "read" : "refuse";
  const taken = await takeNeedle(deps, path.fid, { removed, isPassedOn });
  if (taken === undefined) throw new HttpError(404, `There is no file ${formatFid(path.fid)}`);
  try {
    return isResolved(taken.needle)
      ? readManifest(deps, request, path, taken)
      : answerNeedle(request, path, taken);
  } catch (error) {
    taken.share?.release();
    throw error;
  }
}

/** A needle, its content as it is sent, and how to give back the memory of it. */
interface Taken extends HeldContent {
  readonly needle: StoredNeedle;
}

interface TakeOptions {
  readonly removed?: ReadNeedle["removed"];
  readonly isPassedOn?: (needle: StoredNeedle) => boolean;
}

/** Reads a needle, and expands it within the same bounds unless it is passed on as it is stored. */
async function takeNeedle(
  deps: ReadDeps,
  fid: Fid,
  how: TakeOptions = {},
): Promise<Taken | undefined> {
  const share = deps.outstanding.reservation(how.removed);
  try {
    const needle = await deps.needles.readNeedle(fid, share);
    if (needle === undefined) {
      share.release();
      return undefined;
    }
    if (needle.isGzip === true && how.isPassedOn?.(needle) !== true) {
      return await expandNeedle(deps, fid, { needle, share });
    }
    return { needle, bytes: needle.data, share: heldOf(share) };
  } catch (error) {
    share.release();
    throw error;
  }
}

function heldOf(share: Reservation): Reservation | undefined {
  return share.isHeld ? share : undefined;
}

/** The share grows to both forms of the content. While it waits for that it holds nothing: a large needle is read again. */
async function expandNeedle(
  { needles, outstanding }: ReadDeps,
  fid: Fid,
  found: { needle: StoredNeedle; readonly share: Reservation },
): Promise<Taken | undefined> {
  const { share } = found;
  for (const expandedBytes of expansionsOf(inflatedLength(found.needle.data))) {
    const waiting = share.admit(found.needle.data.length + expandedBytes);
    if (waiting !== undefined) {
      await waiting;
      const again = await needles.readNeedle(fid, share);
      if (again === undefined) return undefined;
      found.needle = again;
    }
    const { needle } = found;
    const bytes = await outstanding.expand(() => inflate(needle.data, expandedBytes));
    if (bytes !== "larger") return { needle, bytes, share: heldOf(share) };
  }
  throw new VolumeError(
    "needle-corrupt",
    `Cannot read needle ${formatFid(fid)}: its compressed content is too large`,
  );
}

function answerNeedle(request: HttpRequest, path: NeedlePath, taken: Taken): HttpReply {
  const { needle, bytes, share } = taken;
  const etag = etagOf(needle.checksum);
  const headers = describe(request, {
    name: needle.name ?? fileNameOf(path),
    mediaType: needle.mediaType,
    ending: path.rawFileName,
    pairs: needle.pairs,
    lastModifiedSec: needle.lastModifiedSec,
    etag,
  });
  if (needle.isGzip === true) {
    headers["Vary"] = "Accept-Encoding";
    if (bytes === needle.data) headers["Content-Encoding"] = "gzip";
  }
  const content = new BytesContent(bytes, etag, modifiedMs(needle));
  const reply = contentReply(request, content, headers);
  return share === undefined ? reply : holding(reply, share);
}

/** Gives the memory back when it was sent, or the client is gone. */
function holding(reply: HttpReply, share: Reservation): HttpReply {
  const release = (): void => share.release();
  if (reply.kind === "bytes") return { ...reply, share, onSent: release };
  if (reply.kind === "stream") return { ...reply, share, stream: releasing(reply.stream, release) };
  return reply;
}

/** Releases also when nobody ever asks for a first piece, as with HEAD: a generator that never began ends in silence. */
function releasing(stream: ByteStream, release: () => void): ByteStream {
  async function* pieces(): AsyncGenerator<Uint8Array> {
    try {
      yield* stream;
    } finally {
      release();
    }
  }
  return {
    [Symbol.asyncIterator]() {
      const iterator = pieces();
      return {
        next: () => iterator.next(),
        return: async () => {
          release();
          return iterator.return(undefined);
        },
      };
    },
  };
}

// oxlint-disable-next-line max-params -- the same three as its sibling, and what it reads with
function readManifest(
  deps: ReadDeps,
  request: HttpRequest,
  path: NeedlePath,
  taken: Taken,
): HttpReply {
  const { needle } = taken;
  const etag = etagOf(needle.checksum);
  const manifest = parseManifest(taken.bytes);
  taken.share?.release();
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
    etag,
  });
  headers["X-File-Store"] = "chunked";
  const content: ReadableContent = {
    etag,
    modifiedMs: modifiedMs(needle),
    sizeBytes: manifest.sizeBytes,
    read: (range) => manifestBytes(deps, manifest, range),
  };
  const reply = contentReply(request, content, headers);
  if (reply.kind !== "stream") return reply;
  const sizeBytes = manifest.chunks.reduce((most, chunk) => Math.max(most, chunk.sizeBytes), 0);
  return { ...reply, share: { sizeBytes, isWanted: () => deps.outstanding.isWanted } };
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
    const { bytes, share } = await takeChunk(deps, fid);
    try {
      if (bytes.length !== sizeBytes) {
        throw new VolumeError(
          "needle-corrupt",
          `Cannot read chunk ${formatFid(fid)}: it has ${bytes.length} bytes, its manifest says ${sizeBytes}`,
        );
      }
      yield bytes.subarray(start, end);
    } finally {
      share?.release();
    }
  }
}

async function takeChunk(deps: ReadDeps, fid: Fid): Promise<HeldContent> {
  const taken = await takeNeedle(deps, fid);
  if (taken === undefined) {
    throw new VolumeError("needle-corrupt", `Cannot read chunk ${formatFid(fid)}: it is absent`);
  }
  return taken;
}

/** Without a date no condition on dates can hold against it. */
function modifiedMs(needle: StoredNeedle): number {
  return (needle.lastModifiedSec ?? Number.NaN) * 1000;
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
  overrideHeaders(request, headers);
  return headers;
}

function typeOf({ mediaType, name, ending }: Description): string {
  if (mediaType !== undefined && isHeaderSafe(mediaType)) return encodeHeaderText(mediaType);
  const guessed = name === undefined ? undefined : mediaTypeOfName(name);
  return guessed ?? mediaTypeOfName(ending ?? "") ?? "application/octet-stream";
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
