import { type Disk, utf8, utf8Text } from "@kelp/base";
import { VolumeError } from "../errors.ts";
import { VERSION } from "../superblock/superblock.ts";

/**
 * What stands beside a volume's files and decides how they may be used: the information file of SeaweedFS (`.vif`)
 * and the marks of work that another program left unfinished.
 *
 * A `.vif` is protobuf's JSON of `VolumeInfo`: lowerCamelCase names, 64-bit numbers as texts, indented by two spaces.
 * Fields that this program does not know are kept when it writes the file.
 *
 * | field               | here                                                               |
 * |---------------------|--------------------------------------------------------------------|
 * | files               | parts that live in a remote store                                  |
 * | version             | of the format                                                      |
 * | replication         | three digits; counts before the superblock's unless empty          |
 * | bytesOffset         | size of offsets in the index file: 4 (also when 0) or 5            |
 * | datFileSize         | size of the volume file before it was made into shards             |
 * | expireAtSec         | when the volume is over; older: DestroyTime                        |
 * | readOnly            | the volume takes no changes                                        |
 * | ecShardConfig       | numbers of data and parity shards                                  |
 * | readOnlyCanDelete   | while it is read-only, needles can still be removed                |
 */
export interface VolumeInfo {
  readonly isReadOnly: boolean;
  /** While it is read-only: removals are taken still. */
  readonly takesRemovals: boolean;
  /** Digits joined to one number, as in the superblock; `undefined`: the superblock's holds. */
  readonly replicaPlacement: number | undefined;
  /** Bytes of an offset in the index file. */
  readonly offsetBytes: 4 | 5;
  /** 0 when unknown. */
  readonly dataFileBytes: number;
  /** 0 is never. */
  readonly expiresSec: number;
  readonly files: readonly RemoteFile[];
  readonly shards: ShardConfig | undefined;
  /** The whole JSON object as it was read, for writing it again. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** How a volume was made into shards. */
export interface ShardConfig {
  readonly dataShards: number;
  readonly parityShards: number;
  /** When, in nanoseconds: tells one encoding from a later one. 0 when unknown. */
  readonly encodedNs: bigint;
}

/** A file of the volume that lives elsewhere. */
export interface RemoteFile {
  readonly backendType: string;
  readonly backendId: string;
  readonly key: string;
  readonly sizeBytes: number;
  readonly modifiedSec: number;
  readonly extension: string;
}

/** Reads the information file of a volume. `base` is the path without `.dat`. Throws `unsupported-format`. */
export async function readVolumeInfo(disk: Disk, base: string): Promise<VolumeInfo> {
  if (await disk.exists(`${base}.note`)) throw unsupported(base, "its copying never finished");
  const path = `${base}.vif`;
  if (!(await disk.exists(path))) return describe(base, {});
  const raw = parseObject(utf8Text(await disk.readWhole(path)));
  if (raw === undefined) throw unsupported(base, "its information file is no JSON object");
  return describe(base, raw);
}

/** Changes fields of the information file, made when absent; `undefined` leaves a field as it is. Durable. */
export async function writeVolumeInfo(
  disk: Disk,
  base: string,
  info: VolumeInfo,
  change: Partial<Omit<VolumeInfo, "raw" | "offsetBytes">> & { readonly version?: number },
): Promise<VolumeInfo> {
  const { raw } = info;
  const merged = { ...info, ...change };
  const { replicaPlacement } = merged;
  const known = {
    files: change.files === undefined ? (raw["files"] ?? []) : change.files.map(fileJson),
    version: change.version ?? raw["version"] ?? VERSION,
    replication: replicaPlacement === undefined ? "" : String(replicaPlacement).padStart(3, "0"),
    bytesOffset: merged.offsetBytes,
    datFileSize: String(merged.dataFileBytes),
    expireAtSec: String(merged.expiresSec),
    readOnly: merged.isReadOnly,
    ecShardConfig: "shards" in change ? shardsJson(change.shards) : (raw["ecShardConfig"] ?? null),
    readOnlyCanDelete: merged.takesRemovals,
  };
  const unknown = Object.entries(raw).filter(([name]) => !(name in known || OLD_NAMES.has(name)));
  const next = { ...known, ...Object.fromEntries(unknown) };
  await disk.writeWhole(`${base}.vif`, utf8(JSON.stringify(next, undefined, 2)));
  return describe(base, next);
}

/** Of a volume without an information file. */
export const NO_VOLUME_INFO: VolumeInfo = {
  isReadOnly: false,
  takesRemovals: false,
  replicaPlacement: undefined,
  offsetBytes: 4,
  dataFileBytes: 0,
  expiresSec: 0,
  files: [],
  shards: undefined,
  raw: {},
};

/** Spellings that are read and never written. */
const OLD_NAMES: ReadonlySet<string> = new Set([
  "BytesOffset",
  "DestroyTime",
  "bytes_offset",
  "dat_file_size",
  "expire_at_sec",
  "read_only",
  "ec_shard_config",
  "read_only_can_delete",
]);

function describe(base: string, raw: Readonly<Record<string, unknown>>): VolumeInfo {
  const offsetBytes = numberOf(raw["bytesOffset"] ?? raw["BytesOffset"] ?? raw["bytes_offset"]);
  if (offsetBytes !== 0 && offsetBytes !== 4 && offsetBytes !== 5) {
    throw unsupported(base, "its index file has offsets of another size than 4 or 5 bytes");
  }
  const replicaPlacement = placementOf(raw["replication"]);
  if (replicaPlacement === "bad") throw unsupported(base, "its replication is not three digits");
  return {
    isReadOnly: (raw["readOnly"] ?? raw["read_only"]) === true,
    takesRemovals: (raw["readOnlyCanDelete"] ?? raw["read_only_can_delete"]) === true,
    replicaPlacement,
    offsetBytes: offsetBytes === 5 ? 5 : 4,
    dataFileBytes: numberOf(raw["datFileSize"] ?? raw["dat_file_size"]),
    expiresSec: numberOf(raw["expireAtSec"] ?? raw["DestroyTime"] ?? raw["expire_at_sec"]),
    files: filesOf(raw["files"]),
    shards: shardsOf(raw["ecShardConfig"] ?? raw["ec_shard_config"]),
    raw,
  };
}

/** Protobuf's JSON writes 64-bit numbers as texts and takes both; 0 stands for absence. */
function numberOf(value: unknown): number {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number > 0 ? number : 0;
}

function placementOf(value: unknown): number | undefined | "bad" {
  if (value === undefined || value === null || value === "") return undefined;
  if (typeof value !== "string" || !/^[0-9]{3}$/.test(value)) return "bad";
  return Number(value) <= 255 ? Number(value) : "bad";
}

function filesOf(value: unknown): readonly RemoteFile[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject).map((file) => ({
    backendType: textOf(file["backendType"] ?? file["backend_type"]),
    backendId: textOf(file["backendId"] ?? file["backend_id"]),
    key: textOf(file["key"]),
    sizeBytes: numberOf(file["fileSize"] ?? file["file_size"]),
    modifiedSec: numberOf(file["modifiedTime"] ?? file["modified_time"]),
    extension: textOf(file["extension"]),
  }));
}

function fileJson(file: RemoteFile): Readonly<Record<string, unknown>> {
  return {
    backendType: file.backendType,
    backendId: file.backendId,
    key: file.key,
    offset: "0",
    fileSize: String(file.sizeBytes),
    modifiedTime: String(file.modifiedSec),
    extension: file.extension,
  };
}

function shardsOf(value: unknown): VolumeInfo["shards"] {
  if (!isObject(value)) return undefined;
  const dataShards = numberOf(value["dataShards"] ?? value["data_shards"]);
  const parityShards = numberOf(value["parityShards"] ?? value["parity_shards"]);
  const encoded = value["encodeTsNs"] ?? value["encode_ts_ns"];
  const encodedNs =
    typeof encoded === "string" && /^\d{1,19}$/.test(encoded) ? BigInt(encoded) : 0n;
  return dataShards === 0 ? undefined : { dataShards, parityShards, encodedNs };
}

function shardsJson(shards: VolumeInfo["shards"]): Readonly<Record<string, unknown>> | null {
  if (shards === undefined) return null;
  const { dataShards, parityShards, encodedNs } = shards;
  return { dataShards, parityShards, encodeTsNs: String(encodedNs) };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  // SeaweedFS leaves an empty file when it ran out of space.
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function unsupported(base: string, found: string): VolumeError {
  return new VolumeError("unsupported-format", `Cannot open volume ${base}.dat: ${found}`);
}
