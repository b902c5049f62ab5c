import { type Result, assert, ok, refused } from "@kelp/base";
import type { CreateUpload, Part, TreeName, Upload, UploadId } from "@kelp/wire";
import { encodeAttributes } from "../../entry/attributes.ts";
import { encodeChunks } from "../../entry/chunk-list.ts";
import { fitsQuota } from "../../tree/quota.ts";
import { newUploadId } from "../../upload/upload-id.ts";
import type { PutPart } from "../filer-store.ts";
import type { StoreTables } from "./store-tables.ts";
import type { TreeState } from "./tree-rows.ts";
import { type UploadRow, partOf, uploadOf } from "./upload-rows.ts";

type UploadRefusal = "no-such-tree" | "no-such-upload";

/** Writes of uploads but their completion. Every method runs inside a transaction and refuses before its first change. */
export class UploadWrites {
  readonly #tables: StoreTables;

  constructor(tables: StoreTables) {
    this.#tables = tables;
  }

  create(request: CreateUpload): Result<Upload, "no-such-tree"> {
    const { trees, uploads, clock, random } = this.#tables;
    const tree = trees.find(request.tree);
    if (tree === undefined) return refused("no-such-tree");
    const createdMs = clock.nowMs();
    const id = newUploadId(random, createdMs);
    const { path, owner, attributes } = request;
    uploads.insert(tree.id, {
      id,
      path,
      owner,
      createdMs,
      attributes: encodeAttributes(attributes),
    });
    return ok({ id, path, owner, createdMs, attributes });
  }

  find(
    name: TreeName,
    id: UploadId,
  ): Result<{ readonly tree: TreeState; readonly upload: UploadRow }, UploadRefusal> {
    const tree = this.#tables.trees.find(name);
    if (tree === undefined) return refused("no-such-tree");
    const upload = this.#tables.uploads.find(tree.id, id);
    return upload === undefined ? refused("no-such-upload") : ok({ tree, upload });
  }

  get(name: TreeName, id: UploadId): Result<Upload, UploadRefusal> {
    const found = this.find(name, id);
    return found.kind === "ok" ? ok(uploadOf(found.value.upload)) : found;
  }

  listParts(
    name: TreeName,
    id: UploadId,
    query: { readonly afterNumber: number; readonly limit: number },
  ): Result<{ readonly parts: readonly Part[]; readonly isTruncated: boolean }, UploadRefusal> {
    assert(query.limit >= 0, "a limit is a count");
    const found = this.find(name, id);
    if (found.kind === "refused") return found;
    const { number } = found.value.upload;
    const rows = this.#tables.uploads.parts(number, query.afterNumber, query.limit + 1);
    const isTruncated = rows.length > query.limit;
    if (isTruncated) rows.pop();
    return ok({ parts: rows.map(partOf), isTruncated });
  }

  putPart(request: PutPart): Result<Part, UploadRefusal | "quota-exceeded"> {
    const { trees, uploads, contents, clock } = this.#tables;
    const found = this.find(request.tree, request.id);
    if (found.kind === "refused") return found;
    const { tree, upload } = found.value;
    const replaced = uploads.findPart(upload.number, request.number);
    const growthBytes = request.sizeBytes - (replaced?.sizeBytes ?? 0);
    if (!fitsQuota(tree, { bytes: growthBytes, entries: 0 })) return refused("quota-exceeded");

    const nowMs = clock.nowMs();
    if (replaced !== undefined) contents.freeList(replaced.chunks, nowMs);
    const { number, sizeBytes, etag, attributes } = request;
    const modifiedMs = request.modifiedMs ?? nowMs;
    const chunks = encodeChunks(request.chunks);
    contents.refer(request.chunks, chunks);
    contents.referListed(request.listed);
    uploads.putPart(upload.number, {
      number,
      sizeBytes,
      modifiedMs,
      etag,
      chunkCount: request.chunks.length,
      attributes: encodeAttributes(attributes),
      chunks,
    });
    trees.countParts(tree, {
      bytes: growthBytes,
      chunks: request.chunks.length - (replaced?.chunkCount ?? 0),
    });
    return ok({ number, sizeBytes, modifiedMs, etag, attributes });
  }

  abort(name: TreeName, id: UploadId): Result<void, UploadRefusal> {
    const found = this.find(name, id);
    if (found.kind === "refused") return found;
    const { tree, upload } = found.value;
    const { bytes, chunks } = this.#tables.uploads.sumParts(upload.number);
    this.#tables.trees.countParts(tree, { bytes: -bytes, chunks: -chunks });
    this.bury(upload);
    return ok(undefined);
  }

  /** The upload is gone with the transaction, its parts with later ones. */
  bury(upload: { readonly number: number }): void {
    this.#tables.uploads.delete(upload.number);
    this.#tables.jobs.add("drop-parts", upload.number);
  }
}
