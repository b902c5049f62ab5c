import { systemHashes } from "@kelp/base/platform";
import type { UploadId } from "@kelp/wire";

/** Content by what it is made from. */
export interface Value {
  readonly seed: number;
  readonly sizeBytes: number;
  readonly label: string;
}

export interface UploadState {
  readonly path: string;
  readonly parts: ReadonlyMap<number, Value>;
}

/**
 * What one worker's part of the namespace holds: nobody else changes it, so its states follow one another. Never changed in
 * place: each operation makes the next one.
 */
export interface WorkerState {
  readonly objects: ReadonlyMap<string, readonly Value[]>;
  readonly uploads: ReadonlyMap<UploadId, UploadState>;
}

export const EMPTY_STATE: WorkerState = { objects: new Map(), uploads: new Map() };

export function withObject(
  state: WorkerState,
  path: string,
  content: readonly Value[] | undefined,
): WorkerState {
  return { ...state, objects: changed(state.objects, path, content) };
}

/** The label of the last piece is that of the whole. */
export function withAppended(
  state: WorkerState,
  path: string,
  pieces: readonly Value[],
): WorkerState {
  const label = pieces.at(-1)?.label ?? "";
  const content = [...(state.objects.get(path) ?? []), ...pieces];
  return withObject(
    state,
    path,
    content.map((value) => ({ ...value, label })),
  );
}

export function withUpload(
  state: WorkerState,
  id: UploadId,
  upload: UploadState | undefined,
): WorkerState {
  return { ...state, uploads: changed(state.uploads, id, upload) };
}

export function changed<Key, Item>(
  map: ReadonlyMap<Key, Item>,
  key: Key,
  item: Item | undefined,
): ReadonlyMap<Key, Item> {
  const next = new Map(map);
  if (item === undefined) next.delete(key);
  else next.set(key, item);
  return next;
}

/** Bytes that follow from the value and are never all alike. */
export function bytesOf({ seed, sizeBytes }: Value): Uint8Array {
  const bytes = Buffer.alloc(sizeBytes);
  for (let at = 0; at + 4 <= sizeBytes; at += 4) {
    bytes.writeUInt32LE(Math.imul(seed + at, 0x9e37_79b1) >>> 0, at);
  }
  return bytes;
}

/**
 * One line for each object and each part, sorted: equal texts are equal states. An upload without parts is left out: nobody
 * knows its id before it is acknowledged.
 */
export function describeState(state: WorkerState): string {
  const lines: string[] = [];
  for (const [path, content] of state.objects) {
    const bytes = Buffer.concat(content.map(bytesOf));
    lines.push(describeObject(path, bytes, content[0]?.label ?? ""));
  }
  for (const [id, { path, parts }] of state.uploads) {
    for (const [number, part] of parts) {
      lines.push(
        describePart(path, { id, number, sizeBytes: part.sizeBytes, etag: `${part.seed}` }),
      );
    }
  }
  return lines.sort().join("\n");
}

export function describeObject(path: string, bytes: Uint8Array, label: string): string {
  return `object ${path} ${bytes.length} ${systemHashes.crc32(bytes)} ${label}`;
}

export function describePart(
  path: string,
  part: {
    readonly id: UploadId;
    readonly number: number;
    readonly sizeBytes: number;
    readonly etag: string;
  },
): string {
  return `part ${path} ${part.id} ${part.number} ${part.sizeBytes} ${part.etag}`;
}

/** What the state counts for in its tree. */
export function usageOf(state: WorkerState): { bytes: number; entries: number } {
  let bytes = 0;
  for (const content of state.objects.values()) {
    for (const value of content) bytes += value.sizeBytes;
  }
  for (const { parts } of state.uploads.values()) {
    for (const part of parts.values()) bytes += part.sizeBytes;
  }
  return { bytes, entries: state.objects.size };
}
