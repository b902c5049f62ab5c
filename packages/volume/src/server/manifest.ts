import { utf8Text } from "@kelp/base";
import { type Fid, parseFid } from "@kelp/wire";
import { MANIFEST_BYTES_MAX, MANIFEST_CHUNKS_MAX, MANIFEST_TEXT_LENGTH_MAX } from "./limits.ts";

/** A large file as a needle that names the needles of its pieces. */
export interface Manifest {
  readonly name: string | undefined;
  readonly mediaType: string | undefined;
  readonly sizeBytes: number;
  /** By offset, one after the other: no gap, no overlap. */
  readonly chunks: readonly ManifestChunk[];
}

export interface ManifestChunk {
  readonly fid: Fid;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
}

/** `undefined` for what is no manifest: whoever wrote it is refused, whoever reads it is told that it is corrupt. */
export function parseManifest(bytes: Uint8Array): Manifest | undefined {
  if (bytes.length > MANIFEST_BYTES_MAX) return undefined;
  const value = parseJson(utf8Text(bytes));
  if (!isObject(value)) return undefined;
  const { name, mime, size, chunks } = value;
  if (!isCount(size) || !Array.isArray(chunks) || chunks.length > MANIFEST_CHUNKS_MAX)
    return undefined;
  const parsed: ManifestChunk[] = [];
  for (const chunk of chunks) {
    const known = parseChunk(chunk);
    if (known === undefined) return undefined;
    parsed.push(known);
  }
  parsed.sort((left, right) => left.offsetBytes - right.offsetBytes);
  let endBytes = 0;
  for (const { offsetBytes, sizeBytes } of parsed) {
    if (offsetBytes !== endBytes) return undefined;
    endBytes += sizeBytes;
  }
  if (endBytes !== size) return undefined;
  return { name: text(name), mediaType: text(mime), sizeBytes: size, chunks: parsed };
}

function parseChunk(value: unknown): ManifestChunk | undefined {
  if (!isObject(value)) return undefined;
  const { fid: fidText, offset, size } = value;
  const fid = typeof fidText === "string" ? parseFid(fidText) : undefined;
  if (fid === undefined || !isCount(offset) || !isCount(size)) return undefined;
  return { fid, offsetBytes: offset, sizeBytes: size };
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** What becomes a header. One that is too long says nothing. */
function text(value: unknown): string | undefined {
  if (typeof value !== "string" || value === "") return undefined;
  return value.length <= MANIFEST_TEXT_LENGTH_MAX ? value : undefined;
}
