import type { Entry } from "@kelp/wire";
import { formatFid } from "@kelp/wire";
import { extendedJson, mediaTypeOf, modeOf } from "./attributes.ts";
import { nameOf } from "./filer-path.ts";

/** Bit of a folder in a file mode, and what its owner and group may do. */
const FOLDER_MODE = 0o20000000000 + 0o770;
/** The time of what never happened. */
const NEVER = "0001-01-01T00:00:00Z";

/** Entries in the names of SeaweedFS. `fullPath` is the whole path without a slash at its end. */
export function fileJson(fullPath: string, entry: Entry): Record<string, unknown> {
  const modified = new Date(entry.modifiedMs).toISOString();
  const { expiresMs, attributes } = entry;
  return {
    FullPath: fullPath,
    Mtime: modified,
    Crtime: modified,
    Ctime: modified,
    Atime: modified,
    Mode: modeOf(attributes),
    ...OWNERLESS,
    Mime: mediaTypeOf(attributes, nameOf(fullPath)),
    TtlSec: expiresMs === undefined ? 0 : Math.ceil((expiresMs - entry.modifiedMs) / 1000),
    UserName: "",
    GroupNames: null,
    SymlinkTarget: "",
    // The hash of several parts is none of the content.
    Md5: /^[0-9a-f]{32}$/.test(entry.etag)
      ? Buffer.from(entry.etag, "hex").toString("base64")
      : null,
    FileSize: entry.sizeBytes,
    ...PLAIN,
    Extended: extendedJson(attributes),
  };
}

/** With what only a question about this one entry is told: its chunks, or its content where that is kept inline. */
export function fileMetadataJson(fullPath: string, entry: Entry): Record<string, unknown> {
  const json = fileJson(fullPath, entry);
  if (entry.content.kind === "inline") {
    return { ...json, Content: Buffer.from(entry.content.bytes).toString("base64") };
  }
  let offset = 0;
  const chunks = entry.content.chunks.map((chunk) => {
    const told = {
      file_id: formatFid(chunk.fid),
      offset,
      size: chunk.sizeBytes,
      modified_ts_ns: entry.modifiedMs * 1_000_000,
      is_chunk_manifest: chunk.isManifest === true,
    };
    offset += chunk.sizeBytes;
    return told;
  });
  return { ...json, chunks };
}

/** A folder is there because something is in it; `marker` is its own entry where it has one. */
export function folderJson(fullPath: string, marker: Entry | undefined): Record<string, unknown> {
  const modified = marker === undefined ? NEVER : new Date(marker.modifiedMs).toISOString();
  return {
    FullPath: fullPath,
    Mtime: modified,
    Crtime: modified,
    Ctime: modified,
    Atime: modified,
    Mode: FOLDER_MODE,
    ...OWNERLESS,
    Mime: "",
    TtlSec: 0,
    UserName: "",
    GroupNames: null,
    SymlinkTarget: "",
    Md5: null,
    FileSize: 0,
    ...PLAIN,
    Extended: marker === undefined ? null : extendedJson(marker.attributes),
  };
}

const OWNERLESS = { Uid: 0, Gid: 0 } as const;

const PLAIN = {
  Rdev: 0,
  Inode: 0,
  HardLinkId: null,
  HardLinkCounter: 0,
  Content: null,
  Remote: null,
  Quota: 0,
  WORMEnforcedAtTsNs: 0,
} as const;
