import { unreachable } from "@kelp/base";
import {
  type Content,
  type Entry,
  formatFid,
  objectArn,
  parseBucketName,
  parseEntryPath,
} from "@kelp/wire";
import type { EntryMessage } from "@kelp/wire/management";
import { requireAccess } from "../access.ts";
import type { ConsoleDependencies } from "../dependencies.ts";
import { ConsoleError } from "../errors.ts";
import { noSuchObject } from "./objects.ts";
import { type Api, objectKey, segment } from "./routes.ts";
import { refuseSnapshot } from "./snapshots.ts";

export function addEntryRoutes(api: Api, { entries, authorizer }: ConsoleDependencies): void {
  api.get("/buckets/:bucket/entry", async (context) => {
    const bucket = segment(context, "bucket");
    const key = objectKey(context);
    requireAccess(authorizer, context, {
      action: "kelp:GetEntry",
      resource: objectArn(bucket, key),
    });
    refuseSnapshot(context);
    if (entries === undefined) {
      throw new ConsoleError("not-implemented", "This server does not show entries");
    }
    const tree = parseBucketName(bucket);
    const path = parseEntryPath(key);
    if (tree === undefined || path === undefined) throw noSuchObject(bucket, key);
    const found = await entries.getEntry(tree, path);
    if (found.kind === "ok") return context.json(entryMessage(found.value));
    throw found.refusal === "no-such-tree"
      ? new ConsoleError("no-such-bucket", `There is no bucket ${bucket}`)
      : noSuchObject(bucket, key);
  });
}

function entryMessage(entry: Entry): EntryMessage {
  return {
    path: entry.path,
    size_bytes: entry.sizeBytes,
    modified_ms: entry.modifiedMs,
    etag: entry.etag,
    position: entry.position,
    attributes: entry.attributes,
    ...contentMessage(entry.content),
  };
}

function contentMessage(content: Content): Pick<EntryMessage, "inline_bytes" | "chunks"> {
  switch (content.kind) {
    case "inline":
      return { inline_bytes: content.bytes.length, chunks: [] };
    case "chunks":
      return {
        inline_bytes: 0,
        chunks: content.chunks.map((chunk) => ({
          fid: formatFid(chunk.fid),
          size_bytes: chunk.sizeBytes,
        })),
      };
    default:
      return unreachable(content);
  }
}
