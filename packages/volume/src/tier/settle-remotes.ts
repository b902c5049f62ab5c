import type { Disk } from "@kelp/base";
import type { DiskFolder } from "../store/disk-folder.ts";
import { parseVolumeFileName } from "../volume/file-name.ts";
import type { VolumeDeps } from "../volume/open-files.ts";
import { type VolumeInfo, readVolumeInfo, writeVolumeInfo } from "../volume/volume-info.ts";
import type { RemoteVolumePlace } from "./open-remote.ts";

/**
 * The volumes of a folder whose file lives elsewhere. Where a volume file is here as well a move was cut short: it counts, and
 * the information file forgets the remote one, which is named in the log.
 */
export async function settleRemotes(
  deps: VolumeDeps,
  disk: DiskFolder,
): Promise<RemoteVolumePlace[]> {
  const found: RemoteVolumePlace[] = [];
  const names = new Set(await deps.disk.list(disk.folder));
  for (const name of names) {
    const parsed = parseVolumeFileName(name, "vif");
    if (parsed === undefined) continue;
    const base = `${disk.folder}/${name.slice(0, -".vif".length)}`;
    const info = await tryRead(deps, base);
    if (info === undefined || info.files.length === 0) continue;
    if (names.has(`${name.slice(0, -".vif".length)}.dat`)) {
      await forgetRemote(deps, base, info);
    } else {
      found.push({ ...parsed, disk });
    }
  }
  return found;
}

async function forgetRemote(deps: VolumeDeps, base: string, info: VolumeInfo): Promise<void> {
  deps.log.warn("a volume file is here and in a remote store: the one here counts", {
    path: `${base}.dat`,
    backend: info.files[0]?.backendId,
    key: info.files[0]?.key,
  });
  // Before it takes changes: from now on the remote file is behind it.
  await writeVolumeInfo(deps.disk, base, info, { files: [] });
}

/** What cannot be understood is told when the volume is opened. */
async function tryRead(
  deps: { readonly disk: Disk },
  base: string,
): Promise<VolumeInfo | undefined> {
  try {
    return await readVolumeInfo(deps.disk, base);
  } catch {
    return undefined;
  }
}
