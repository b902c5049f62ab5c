/** What is read of a `.vif` file. */
export interface VolumeInfo {
  readonly version: number | undefined;
  /** Bytes of an offset in the index: 4 or 5. */
  readonly bytesOffset: number;
  readonly dataFileBytes: number | undefined;
  readonly dataShards: number;
  readonly parityShards: number;
}

/** Old spellings are understood. Throws for what is no JSON object. */
export function parseVolumeInfo(text: string): VolumeInfo {
  const parsed: unknown = JSON.parse(text);
  if (!isRecord(parsed)) throw new Error("Cannot read the info file: it is no JSON object");
  const shards = isRecord(parsed["ecShardConfig"]) ? parsed["ecShardConfig"] : {};
  const bytesOffset = numberOf(parsed["bytesOffset"] ?? parsed["BytesOffset"]);
  return {
    version: numberOf(parsed["version"]),
    bytesOffset: bytesOffset === 5 ? 5 : 4,
    dataFileBytes: numberOf(parsed["datFileSize"]),
    dataShards: numberOf(shards["dataShards"]) || 10,
    parityShards: numberOf(shards["parityShards"]) || 4,
  };
}

/** 64-bit numbers stand in JSON as text. */
function numberOf(value: unknown): number | undefined {
  return typeof value === "number" || typeof value === "string" ? Number(value) : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
