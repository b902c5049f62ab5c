import { type VolumeId, volumeId } from "@kelp/wire";
import { isCollection } from "../volume/file-name.ts";

/** `.ec00`, `.ec01` … */
export function shardExtension(shard: number): string {
  return `.ec${String(shard).padStart(2, "0")}`;
}

/** What is being written has this behind its name, and is dropped when the store is opened. */
export const UNFINISHED = ".tmp";

/** A file of an erasure-coded volume, by its name. */
export interface ErasureFileName {
  readonly collection: string;
  readonly id: VolumeId;
  readonly part: "index" | "journal" | "checksums" | "unfinished" | number;
}

/** `undefined` when `name` is no file of an erasure-coded volume. `.vif` belongs to volumes of every form and is not told. */
export function parseErasureFileName(name: string): ErasureFileName | undefined {
  const match = /^(?:(.+)_)?([1-9]\d{0,9})\.ec(x|j|sum|\d\d)(\.tmp)?$/.exec(name);
  const [, collection = "", idText = "", part = "", unfinished] = match ?? [];
  if (match === null || !isCollection(collection)) return undefined;
  const id = Number(idText);
  if (id > 0xffff_ffff) return undefined;
  return {
    collection,
    id: volumeId(id),
    part: unfinished === undefined ? partOf(part) : "unfinished",
  };
}

function partOf(text: string): ErasureFileName["part"] {
  if (text === "x") return "index";
  if (text === "j") return "journal";
  return text === "sum" ? "checksums" : Number(text);
}
