import { type Hashes, type Semaphore, base64, parseBase64, utf8 } from "@kelp/base";
import {
  type FormPart,
  HttpError,
  type HttpRequest,
  decodeHeaderText,
  formBoundary,
  headerText,
  isHeaderSafe,
  mediaTypeOfName,
  parseForm,
} from "@kelp/base/http";
import { VolumeError } from "../errors.ts";
import { NEEDLE_DATA_BYTES_MAX } from "../limits.ts";
import { inflate, inflatedLength, isGzip } from "./gzip.ts";
import { FORM_OVERHEAD_BYTES_MAX, INFLATED_BYTES_MAX } from "./limits.ts";
import { type OutstandingBytes, expansionsOf } from "./outstanding-bytes.ts";
import { pairsOf } from "./pair-headers.ts";

/** What a client sends to be kept as one needle. */
export interface Upload {
  readonly data: Uint8Array;
  readonly name: string | undefined;
  readonly mediaType: string | undefined;
  readonly isGzip: boolean;
  /** `Seaweed-*` headers. */
  readonly pairs: Readonly<Record<string, string>> | undefined;
  /** Base64 of what was sent. */
  readonly md5: string;
}

export interface UploadDeps {
  readonly hashes: Hashes;
  /** Bounds the bodies in memory. */
  readonly uploads: Semaphore;
  /** Bounds what compressed bodies become. */
  readonly outstanding: OutstandingBytes;
}

/**
 * Receives the body of a POST or PUT, a form's file or the body itself, checks it, and holds it while `store` runs.
 * Throws `HttpError` 400, 413, 503.
 */
export async function withUpload<Value>(
  deps: UploadDeps,
  request: HttpRequest,
  store: (upload: Upload) => Promise<Value>,
): Promise<Value> {
  const contentType = headerText(request.headers, "content-type");
  const boundary = formBoundary(contentType);
  const limitBytes = NEEDLE_DATA_BYTES_MAX + (boundary === undefined ? 0 : FORM_OVERHEAD_BYTES_MAX);
  using body = await request.body.whole(limitBytes, deps.uploads);
  const part = boundary === undefined ? undefined : chooseFile(parseForm(body.bytes, boundary));
  const data = part === undefined ? body.bytes : part.content;
  const coding =
    part?.headers.get("content-encoding") ?? headerText(request.headers, "content-encoding");
  const isCompressed = coding?.trim().toLowerCase() === "gzip";
  if (isCompressed) checkCompressed(data);
  const md5 = base64(deps.hashes.digest("md5", data));
  const promised = headerText(request.headers, "content-md5") ?? part?.headers.get("content-md5");
  if (promised !== undefined) await checkMd5(deps, promised, { data, md5, isCompressed });
  const name = part?.fileName;
  // Awaited here: the memory is held until it is stored.
  return await store({
    data,
    name,
    mediaType: mediaTypeOf(part === undefined ? contentType : part.mediaType, name),
    isGzip: isCompressed,
    pairs: pairsOf(request),
    md5,
  });
}

/** Whoever stores what nobody could read is told so at once, as far as the content tells it of itself. */
function checkCompressed(data: Uint8Array): void {
  if (!isGzip(data)) {
    throw new HttpError(400, "The body says that it is compressed by gzip, and is not");
  }
  if (inflatedLength(data) > INFLATED_BYTES_MAX) {
    throw new HttpError(
      413,
      `The content is larger than ${INFLATED_BYTES_MAX} bytes when it is expanded`,
    );
  }
}

/** The first part, or, where that is no file, the first that is one. */
function chooseFile(parts: readonly FormPart[]): FormPart {
  const chosen = parts.find(({ fileName }) => fileName !== undefined) ?? parts[0];
  if (chosen === undefined) throw new HttpError(400, "The form has no parts");
  return chosen;
}

async function checkMd5(
  { hashes, outstanding }: UploadDeps,
  promised: string,
  sent: { readonly data: Uint8Array; readonly md5: string; readonly isCompressed: boolean },
): Promise<void> {
  if (parseBase64(promised)?.length !== 16) throw new HttpError(400, "Content-MD5 is no MD5");
  if (promised === sent.md5) return;
  if (sent.isCompressed) {
    // Some clients tell the hash of what they compressed.
    if (promised === (await md5OfExpanded({ hashes, outstanding }, sent.data))) return;
  }
  throw new HttpError(400, "Content-MD5 is not that of the body");
}

/** `undefined` when it cannot be expanded within the bounds. */
async function md5OfExpanded(
  { hashes, outstanding }: Pick<UploadDeps, "hashes" | "outstanding">,
  data: Uint8Array,
): Promise<string | undefined> {
  const share = outstanding.reservation();
  try {
    for (const expandedBytes of expansionsOf(inflatedLength(data))) {
      await share.admit(expandedBytes);
      const bytes = await outstanding.expand(() => inflate(data, expandedBytes));
      if (bytes !== "larger") return base64(hashes.digest("md5", bytes));
    }
    return undefined;
  } catch (error) {
    // It is no content of which a hash could be right.
    if (error instanceof VolumeError && error.code === "needle-corrupt") return undefined;
    throw error;
  } finally {
    share.release();
  }
}

/** What clients say when they have nothing to say. */
const MEANINGLESS: ReadonlySet<string> = new Set([
  "application/octet-stream",
  "application/x-www-form-urlencoded",
]);

/** What the name tells already is not stored. */
function mediaTypeOf(given: string | undefined, name: string | undefined): string | undefined {
  if (given === undefined || given === "") return undefined;
  const type = decodeHeaderText(given);
  if (MEANINGLESS.has(type.toLowerCase())) return undefined;
  if (!isHeaderSafe(type) || utf8(type).length > 255) {
    throw new HttpError(400, "The content type cannot be kept");
  }
  return name !== undefined && mediaTypeOfName(name) === type ? undefined : type;
}
