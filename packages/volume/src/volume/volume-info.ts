import { type Disk, utf8Text } from "@kelp/base";
import { VolumeError } from "../errors.ts";

/**
 * What stands beside a volume's files and decides how they may be used: the information file of SeaweedFS
 * (`.vif`, JSON) and the marks of work that another program left unfinished.
 */
export interface VolumeInfo {
  readonly isReadOnly: boolean;
}

/** The part of an information file that matters here. `base` is the path without `.dat`. */
export async function readVolumeInfo(disk: Disk, base: string): Promise<VolumeInfo> {
  if (await disk.exists(`${base}.note`)) throw unsupported(base, "its copying never finished");
  const path = `${base}.vif`;
  if (!(await disk.exists(path))) return { isReadOnly: false };
  const info = parseInfo(utf8Text(await disk.readWhole(path)));
  if (info === undefined) throw unsupported(base, "its information file is no JSON object");
  const offsetBytes = info["bytesOffset"] ?? info["BytesOffset"] ?? 0;
  // Absent and 0 stand for the usual 4.
  if (offsetBytes !== 0 && offsetBytes !== 4) {
    throw unsupported(base, "its index file has offsets of another size than 4 bytes");
  }
  return { isReadOnly: info["readOnly"] === true };
}

function parseInfo(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? { ...value }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function unsupported(base: string, found: string): VolumeError {
  return new VolumeError("unsupported-format", `Cannot open volume ${base}.dat: ${found}`);
}
