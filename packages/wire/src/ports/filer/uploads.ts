import type { Body, Result } from "@kelp/base";
import type { EntryPath, TreeName, UploadId } from "../../ids.ts";
import type { Attributes, Condition, ConditionFailed, Entry } from "./entries.ts";
import type { BodySummary, EntryDescription } from "./files.ts";

export interface Uploads {
  createUpload(request: CreateUpload): Promise<Result<Upload, "no-such-tree">>;
  getUpload(
    tree: TreeName,
    id: UploadId,
  ): Promise<Result<Upload, "no-such-tree" | "no-such-upload">>;
  /** Replaces a part of the same number. */
  writePart(
    request: WritePart,
  ): Promise<Result<Part, "no-such-tree" | "no-such-upload" | "quota-exceeded">>;
  /** In order of number, those above `afterNumber`. */
  listParts(
    tree: TreeName,
    id: UploadId,
    query: { readonly afterNumber: number; readonly limit: number },
  ): Promise<
    Result<
      { readonly parts: readonly Part[]; readonly isTruncated: boolean },
      "no-such-tree" | "no-such-upload"
    >
  >;
  /** By path in byte order, then by time of creation. */
  listUploads(
    tree: TreeName,
    query: ListUploadsQuery,
  ): Promise<Result<ListUploadsPage, "no-such-tree">>;
  /**
   * Makes one entry of the named parts, in the given order, and closes the upload; parts not named are freed.
   * Completing again with the same parts while the entry still stands returns that entry (lost answers are retried).
   */
  completeUpload(request: CompleteUpload): Promise<Result<Entry, CompleteRefusal>>;
  abortUpload(
    tree: TreeName,
    id: UploadId,
  ): Promise<Result<void, "no-such-tree" | "no-such-upload">>;
}

export interface CreateUpload {
  readonly tree: TreeName;
  readonly path: EntryPath;
  readonly owner: string;
  readonly attributes: Attributes;
}

export interface Upload {
  readonly id: UploadId;
  readonly path: EntryPath;
  readonly owner: string;
  readonly createdMs: number;
  readonly attributes: Attributes;
}

export interface WritePart {
  readonly tree: TreeName;
  readonly id: UploadId;
  readonly number: number;
  /** As in `WriteFile`. */
  readonly body: Body;
  readonly describe: (body: BodySummary) => EntryDescription;
  readonly signal?: AbortSignal;
}

export interface Part {
  readonly number: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly attributes: Attributes;
}

export interface ListUploadsQuery {
  readonly prefix?: string;
  readonly delimiter?: string;
  readonly afterPath?: string;
  /** With `afterPath`: uploads of that very path that come after this id are still included. */
  readonly afterId?: string;
  readonly limit: number;
}

export interface ListUploadsPage {
  readonly items: readonly (
    | { readonly kind: "upload"; readonly upload: Upload }
    | { readonly kind: "prefix"; readonly prefix: string }
  )[];
  readonly next: { readonly path: string; readonly id: string } | undefined;
}

export interface CompleteUpload {
  readonly tree: TreeName;
  readonly id: UploadId;
  /** Ascending numbers; an etag that differs from the stored part refuses. */
  readonly parts: readonly { readonly number: number; readonly etag: string }[];
  /** Smallest size of all parts but the last, in bytes. */
  readonly partBytesMin: number;
  /** Called with the stored parts before the commit. A lifetime that the caller noted when it made the upload is told here. */
  readonly describe: (
    parts: readonly Part[],
    upload: Upload,
  ) => Required<Pick<EntryDescription, "etag" | "attributes">> &
    Pick<EntryDescription, "expiresMs">;
  readonly condition?: Condition;
}

export type CompleteRefusal =
  | "no-such-tree"
  | "no-such-upload"
  | "quota-exceeded"
  | { readonly kind: "invalid-part"; readonly number: number }
  | { readonly kind: "part-too-small"; readonly number: number; readonly sizeBytes: number }
  /** The parts together are more than `OBJECT_BYTES_MAX`. */
  | { readonly kind: "too-large"; readonly sizeBytes: number }
  | ConditionFailed;
