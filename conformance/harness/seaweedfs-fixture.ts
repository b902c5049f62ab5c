import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { silentLog } from "@kelp/base";
import { systemDisk, systemHashes } from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type VolumeStore, openVolumeStore } from "@kelp/volume";
import { type Fid, type NeedleStore, type StoredNeedle, parseFid } from "@kelp/wire";

/** The data folder that the real SeaweedFS wrote, and its record of every needle; see `fixtures/seaweedfs/README.md`. */

const FIXTURE = join(import.meta.dir, "../fixtures/seaweedfs");

export interface RecordedNeedle {
  readonly fid: string;
  readonly kind: string;
  readonly collection: string;
  readonly ttl: string;
  readonly name: string;
  readonly mime: string | null;
  /** Of the content as a reader gets it. */
  readonly size: number;
  readonly md5: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly state: "live" | "deleted";
  /** In quotes. */
  readonly etag: string | null;
  readonly content_type: string | null;
}

export function recordedNeedles(): readonly RecordedNeedle[] {
  return JSON.parse(readFileSync(join(FIXTURE, "needles.json"), "utf8"));
}

export function fidOf(needle: Pick<RecordedNeedle, "fid">): Fid {
  const fid = parseFid(needle.fid);
  if (fid === undefined) throw new Error(`${needle.fid} is no fid`);
  return fid;
}

/** A copy of the folder, unpacked to be changed. */
export function unpackFixture(): { readonly path: string } & Disposable {
  const folder = temporaryFolder();
  const unpacked = Bun.spawnSync([
    "tar",
    "xzf",
    join(FIXTURE, "volumes.tar.gz"),
    "-C",
    folder.path,
  ]);
  if (unpacked.exitCode !== 0) throw new Error(unpacked.stderr.toString());
  return folder;
}

/** The day after the folder was written, when nothing in it has expired yet. */
const FIXTURE_MS = Date.UTC(2026, 10, 21);

export function openFixture(folder: string, nowMs = FIXTURE_MS): Promise<VolumeStore> {
  const clock = {
    nowMs: () => nowMs,
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    monotonicMs: () => performance.now(),
    schedule: () => ({ cancel: () => undefined }),
    sleep: async () => undefined,
  };
  const deps = { disk: systemDisk, hashes: systemHashes, log: silentLog, clock };
  return openVolumeStore({ ...deps, folder });
}

export interface ReadContent {
  readonly needle: StoredNeedle;
  readonly size: number;
  readonly md5: string;
}

/** The content of a needle as a reader gets it: unzipped, its manifest resolved. */
export async function readContent(
  store: Pick<NeedleStore, "readNeedle">,
  fid: Fid,
): Promise<ReadContent | undefined> {
  const needle = await store.readNeedle(fid);
  if (needle === undefined) return undefined;
  const stored = needle.isGzip === true ? gunzipSync(needle.data) : needle.data;
  const content = needle.isChunkManifest === true ? await resolve(store, stored) : stored;
  const md5 = Buffer.from(systemHashes.digest("md5", content)).toString("hex");
  return { needle, size: content.length, md5 };
}

interface ChunkManifest {
  readonly chunks: readonly {
    readonly fid: string;
    readonly offset: number;
    readonly size: number;
  }[];
}

async function resolve(
  store: Pick<NeedleStore, "readNeedle">,
  json: Uint8Array,
): Promise<Uint8Array> {
  const { chunks }: ChunkManifest = JSON.parse(Buffer.from(json).toString());
  const parts: Uint8Array[] = [];
  for (const chunk of chunks.toSorted((left, right) => left.offset - right.offset)) {
    const needle = await store.readNeedle(fidOf(chunk));
    if (needle?.data.length !== chunk.size) throw new Error(`chunk ${chunk.fid} is incomplete`);
    parts.push(needle.data);
  }
  return Buffer.concat(parts);
}
