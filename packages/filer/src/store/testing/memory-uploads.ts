import { must, ok, refused } from "@kelp/base";
import { OBJECT_BYTES_MAX, type Part, type TreeName, type Upload, type UploadId } from "@kelp/wire";
import { newUploadId } from "../../upload/upload-id.ts";
import type { UploadCalls } from "../filer-store.ts";
import { listMemoryUploads } from "./memory-listing.ts";
import type { MemoryPart, MemoryTree, MemoryUpload } from "./memory-state.ts";
import { memoryEntryOf } from "./memory-state.ts";
import { type MemoryParts, admitted, fits } from "./memory-parts.ts";

/** The calls of uploads. */
export function memoryUploads(parts: MemoryParts): UploadCalls {
  const { state, clock, random, committed } = parts;
  const find = (
    name: TreeName,
    id: UploadId,
  ):
    | { readonly tree: MemoryTree; readonly upload: MemoryUpload }
    | "no-such-tree"
    | "no-such-upload" => {
    const tree = state.trees.get(name);
    if (tree === undefined) return "no-such-tree";
    const upload = tree.uploads.get(id);
    return upload === undefined ? "no-such-upload" : { tree, upload };
  };
  return {
    async createUpload({ tree: name, path, owner, attributes }) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      const createdMs = clock.nowMs();
      const id = newUploadId(random, createdMs);
      tree.uploads.set(id, { id, path, owner, createdMs, attributes, parts: new Map() });
      return ok({ id, path, owner, createdMs, attributes });
    },
    async getUpload(name, id) {
      const found = find(name, id);
      return typeof found === "string" ? refused(found) : ok(uploadOf(found.upload));
    },
    async putPart({
      tree: name,
      id,
      number,
      chunks,
      listed = [],
      sizeBytes,
      etag,
      attributes,
      ...rest
    }) {
      const found = find(name, id);
      if (typeof found === "string") return refused(found);
      const { tree, upload } = found;
      const replaced = upload.parts.get(number);
      const bytes = sizeBytes - (replaced?.sizeBytes ?? 0);
      if (!fits(tree, { bytes, entries: 0 })) return refused("quota-exceeded");
      const nowMs = clock.nowMs();
      if (replaced !== undefined) state.free(replaced.chunks, nowMs);
      state.refer(chunks);
      state.refer(listed);
      const { modifiedMs = nowMs } = rest;
      const part = { number, sizeBytes, modifiedMs, etag, attributes, chunks, listed };
      upload.parts.set(number, part);
      return ok(partOf(part));
    },
    async listParts(name, id, { afterNumber, limit }) {
      const found = find(name, id);
      if (typeof found === "string") return refused(found);
      const all = sortedParts(found.upload).filter(({ number }) => number > afterNumber);
      return ok({ parts: all.slice(0, limit).map(partOf), isTruncated: all.length > limit });
    },
    async listUploads(name, query) {
      const tree = state.trees.get(name);
      if (tree === undefined) return refused("no-such-tree");
      return ok(listMemoryUploads([...tree.uploads.values()], query));
    },
    async abortUpload(name, id) {
      const found = find(name, id);
      if (typeof found === "string") return refused(found);
      for (const part of found.upload.parts.values()) state.free(part.chunks, clock.nowMs());
      found.tree.uploads.delete(id);
      return ok(undefined);
    },
    async joinedParts({ tree, id, parts: wanted }, recordsMax) {
      const found = find(tree, id);
      if (typeof found === "string") return undefined;
      const chosen = wanted.map(({ number }) => found.upload.parts.get(number));
      const chunks = chosen.flatMap((part) => part?.chunks ?? []);
      if (chunks.length <= recordsMax) return undefined;
      return { chunks, partsDigest: digestOf(chosen) };
    },
    async completeUpload(request) {
      const found = find(request.tree, request.id);
      if (found === "no-such-tree") return refused(found);
      const named = request.parts.map(({ number, etag }) => `${number} ${etag}`).join("\n");
      if (found === "no-such-upload") return completeAgain(parts, request, named);
      const { tree, upload } = found;
      const chosen: MemoryPart[] = [];
      let previous = 0;
      for (const { number, etag } of request.parts) {
        const part = upload.parts.get(number);
        if (part?.etag !== etag || number <= previous) {
          return refused({ kind: "invalid-part", number });
        }
        chosen.push(part);
        previous = number;
      }
      for (const { number, sizeBytes } of chosen.slice(0, -1)) {
        if (sizeBytes < request.partBytesMin) {
          return refused({ kind: "part-too-small", number, sizeBytes });
        }
      }
      const sizeBytes = chosen.reduce((sum, part) => sum + part.sizeBytes, 0);
      if (sizeBytes > OBJECT_BYTES_MAX) return refused({ kind: "too-large", sizeBytes });
      const { folded } = request;
      if (folded !== undefined && folded.partsDigest !== digestOf(chosen)) {
        return refused("parts-changed");
      }
      const { path } = upload;
      const nowMs = clock.nowMs();
      const { condition } = request;
      const countedBytes = sizeBytes;
      // The bytes of the parts are counted already, so completing cannot exceed a quota of bytes.
      const verdict = admitted(tree, { path, sizeBytes, condition, nowMs, countedBytes });
      if (verdict.kind === "refused") return verdict;
      const { etag, attributes } = request.describe(chosen.map(partOf), uploadOf(upload));
      for (const part of upload.parts.values()) {
        if (!chosen.includes(part)) state.free(part.chunks, nowMs);
      }
      const chunks = folded?.chunks ?? chosen.flatMap((part) => part.chunks);
      state.refer(folded?.manifests ?? []);
      const listed = chosen.flatMap((part) => part.listed);
      const content =
        chunks.length === 0
          ? ({ kind: "inline", bytes: new Uint8Array(0) } as const)
          : ({ kind: "chunks", chunks } as const);
      const held = { content, listed, holders: 1 };
      const described = { etag, attributes, modifiedMs: nowMs, expiresMs: 0 };
      const entry = parts.put(tree, { ...described, path, content, sizeBytes, held });
      tree.uploads.delete(request.id);
      tree.completed.set(request.id, { parts: named, held, path });
      committed();
      return ok(entry);
    },
  };
}

function completeAgain(
  { state }: MemoryParts,
  request: Parameters<UploadCalls["completeUpload"]>[0],
  named: string,
): Awaited<ReturnType<UploadCalls["completeUpload"]>> {
  const tree = must(state.trees.get(request.tree));
  const completed = tree.completed.get(request.id);
  const row = completed && tree.rows.get(completed.path);
  if (row === undefined || row.held !== completed?.held || completed.parts !== named) {
    return refused("no-such-upload");
  }
  return ok(memoryEntryOf(row));
}

function digestOf(parts: readonly (MemoryPart | undefined)[]): string {
  return parts.map((part) => part?.chunks[0]?.fid.needleId).join();
}

function sortedParts(upload: MemoryUpload): MemoryPart[] {
  return [...upload.parts.values()].sort((left, right) => left.number - right.number);
}

function uploadOf({ parts: _parts, id, ...upload }: MemoryUpload): Upload {
  return { ...upload, id: id as UploadId };
}

function partOf({ chunks: _chunks, listed: _listed, ...part }: MemoryPart): Part {
  return part;
}
