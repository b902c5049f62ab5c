import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type ByteSource, openSource } from "./byte-source.ts";
import type { NeedleRecord } from "./needle-record.ts";
import { checkShards } from "./shards.ts";
import { checkVolume } from "./volume.ts";
import { type VolumeInfo, parseVolumeInfo } from "./volume-info.ts";

export interface FolderReport {
  /** Each begins with the volume's name. */
  readonly problems: readonly string[];
  readonly volumeCount: number;
  readonly recordCount: number;
  readonly liveCount: number;
}

/**
 * Checks every volume in a folder, written from the description of the format alone. Nobody may be writing to it: the index
 * of a running server is behind its volume.
 */
export function checkVolumeFolder(
  folder: string,
  onRecord: (volume: string, record: NeedleRecord) => void = () => undefined,
): FolderReport {
  const problems: string[] = [];
  let recordCount = 0;
  let liveCount = 0;
  const names = readdirSync(folder);
  const volumes = names.flatMap((name) => /^((?:.+_)?\d+)\.dat$/.exec(name)?.[1] ?? []);
  for (const volume of volumes) {
    using data = openSource(join(folder, `${volume}.dat`));
    using index = openIfThere(join(folder, `${volume}.idx`));
    if (index === undefined) problems.push(`${volume}: no index`);
    const info = infoOf(join(folder, `${volume}.vif`));
    const report = checkVolume({
      data,
      index,
      info,
      onRecord: (record) => onRecord(volume, record),
    });
    problems.push(...report.problems.map((problem) => `${volume}: ${problem}`));
    recordCount += report.recordCount;
    liveCount += report.live.size;
  }
  const coded = names.flatMap((name) => /^((?:.+_)?\d+)\.ecx$/.exec(name)?.[1] ?? []);
  for (const volume of coded) problems.push(...checkCoded(folder, names, volume));
  return { problems, volumeCount: volumes.length + coded.length, recordCount, liveCount };
}

function checkCoded(folder: string, names: readonly string[], volume: string): string[] {
  using opened = new DisposableStack();
  const open = (suffix: string): (ByteSource & Disposable) | undefined =>
    opened.use(openIfThere(join(folder, `${volume}.${suffix}`)));
  const shards = new Map<number, ByteSource>();
  for (const name of names) {
    const number = name.startsWith(`${volume}.ec`) ? /\.ec(\d\d)$/.exec(name)?.[1] : undefined;
    const shard = number === undefined ? undefined : open(`ec${number}`);
    if (shard !== undefined) shards.set(Number(number), shard);
  }
  const index = open("ecx");
  const info = infoOf(join(folder, `${volume}.vif`)) ?? parseVolumeInfo("{}");
  if (index === undefined) return [];
  const files = { shards, index, journal: open("ecj"), sums: open("ecsum"), info };
  return checkShards(files).map((problem) => `${volume}: ${problem}`);
}

function infoOf(path: string): VolumeInfo | undefined {
  return existsSync(path) ? parseVolumeInfo(readFileSync(path, "utf8")) : undefined;
}

function openIfThere(path: string): (ByteSource & Disposable) | undefined {
  return existsSync(path) ? openSource(path) : undefined;
}
