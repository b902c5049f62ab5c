import { ok, refused } from "@kelp/base";
import type { UploadCalls } from "../../filer-store.ts";
import { DescribeFailure, completeUpload, joinedParts } from "../upload-completion.ts";
import { listUploads } from "../upload-listing.ts";
import { reading } from "./reading.ts";
import type { StoreParts } from "./store-parts.ts";

export function uploadCalls({ tables, commit, uploads, entries }: StoreParts): UploadCalls {
  return {
    createUpload: (request) => commit.run(() => uploads.create(request)),
    async getUpload(name, id) {
      return reading(() => uploads.get(name, id));
    },
    putPart: (request) => commit.run(() => uploads.putPart(request)),
    async listParts(name, id, query) {
      return reading(() => uploads.listParts(name, id, query));
    },
    async listUploads(name, query) {
      return reading(() => {
        const tree = tables.trees.find(name);
        if (tree === undefined) return refused("no-such-tree");
        return ok(listUploads(tables.uploads, tree.id, query));
      });
    },
    async joinedParts(request, recordsMax) {
      return reading(() => joinedParts(tables, request, recordsMax));
    },
    async completeUpload(request) {
      const outcome = await commit.run(() => completeUpload(tables, entries, request));
      if (outcome instanceof DescribeFailure) throw outcome.error;
      return outcome;
    },
    abortUpload: (name, id) => commit.run(() => uploads.abort(name, id)),
  };
}
