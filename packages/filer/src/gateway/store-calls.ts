import { type Result, ok } from "@kelp/base";
import type { CompleteUpload, Entry, Part } from "@kelp/wire";
import type { CompleteParts, FilerStore, PutEntry } from "../store/filer-store.ts";

/**
 * What a gateway has done by the one process that writes: changes, and listings that take several looks. Their arguments and results are plain data, so that
 * they cross as they are; completing an upload, which calls back, has a message of its own.
 */
export const FORWARDED = [
  "createTree",
  "deleteTree",
  "setQuota",
  "setTreeAttributes",
  "putEntry",
  "extendEntry",
  "deleteEntry",
  "setEntryAttributes",
  "renameEntry",
  "renamePrefix",
  "deletePrefix",
  "createUpload",
  "putPart",
  "abortUpload",
  "addGarbage",
  "createSnapshot",
  "deleteSnapshot",
  "cloneTree",
  "listEntries",
  "listSnapshotEntries",
] as const satisfies readonly (keyof FilerStore)[];

export type Forwarded = (typeof FORWARDED)[number];

export const COMPLETE_UPLOAD = "completeUpload";

/** Name of the call for a method of the store. */
export function callName(change: Forwarded | typeof COMPLETE_UPLOAD): string {
  return `filer.${change}`;
}

/** What the writer decides of an entry that it puts. All else the gateway has said itself, and need not be told again. */
export type Stamp = Pick<Entry, "position" | "modifiedMs">;

export function stamped<Refusal>(result: Result<Entry, Refusal>): Result<Stamp, Refusal> {
  if (result.kind === "refused") return result;
  const { position, modifiedMs } = result.value;
  return ok({ position, modifiedMs });
}

/** The entry that was put, as the writer's store gives it. */
export function withStamp<Refusal>(
  request: Pick<PutEntry, "path" | "sizeBytes" | "etag" | "attributes" | "expiresMs" | "content">,
  stamp: Result<Stamp, Refusal>,
): Result<Entry, Refusal> {
  if (stamp.kind === "refused") return stamp;
  const { path, sizeBytes, etag, attributes, expiresMs = 0, content } = request;
  const { position, modifiedMs } = stamp.value;
  const entry = { path, sizeBytes, modifiedMs, etag, attributes, position, content };
  return ok(expiresMs > 0 ? { ...entry, expiresMs } : entry);
}

/** A completion whose description was made from parts as the gateway saw them. */
export interface CompleteDescribed extends Omit<CompleteParts, "describe"> {
  /** Absent when the gateway saw no such upload: only a repeated completion can succeed then. */
  readonly described:
    | {
        readonly description: ReturnType<CompleteUpload["describe"]>;
        readonly seen: readonly SeenPart[];
      }
    | undefined;
}

/** What tells one writing of a part from another. */
export type SeenPart = Pick<Part, "number" | "etag" | "sizeBytes" | "modifiedMs">;

export function seenPart({ number, etag, sizeBytes, modifiedMs }: Part): SeenPart {
  return { number, etag, sizeBytes, modifiedMs };
}

/** Parts were written between the gateway's look and the commit: describe them again. */
export const PARTS_CHANGED = "parts-changed";
