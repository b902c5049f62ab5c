import type { DiskFile } from "@kelp/base";
import type { IndexFile } from "../index/index-file.ts";
import type { NeedleIndex } from "../index/needle-index.ts";
import type { Superblock } from "../superblock/superblock.ts";
import type { VolumeFiles } from "./open-files.ts";
import type { VolumeInfo } from "./volume-info.ts";

/** What a volume consists of at a moment, for jobs that read all of it. The volume goes on owning it. */
export interface VolumeContent {
  readonly data: DiskFile;
  /** Goes on changing with the volume. */
  readonly index: NeedleIndex;
  readonly indexFile: IndexFile;
  readonly superblock: Superblock;
  readonly info: VolumeInfo;
  /** Everything before is durable and in the index. */
  readonly endBytes: number;
}

/** With which files a volume goes on, and how. Files given are the volume's from then on. */
export type Exchange =
  | { readonly kind: "exchange"; readonly files: VolumeFiles }
  /** Reads go on with these files; changes are refused, since it is not sure which files a restart would take. */
  | { readonly kind: "exchange-and-fail"; readonly files: VolumeFiles; readonly cause: unknown }
  | { readonly kind: "keep-and-fail"; readonly cause: unknown };
