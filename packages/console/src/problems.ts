import type { MasterStatus } from "@kelp/wire";

/** Below this share of free disk people should act before writes are refused. */
export const DISK_AVAILABLE_SHARE_MIN = 0.05;

/** What is wrong with the store, a sentence each; empty when all is well. */
export function storeProblems(status: MasterStatus): string[] {
  const failed = status.volumes.filter((volume) => volume.state === "failed");
  const problems = failed.map(
    (volume) =>
      `Volume ${volume.id} failed to write and takes no more data. Check the disk, then restart.`,
  );
  if (
    status.totalBytes > 0 &&
    status.availableBytes / status.totalBytes < DISK_AVAILABLE_SHARE_MIN
  ) {
    const percent = ((status.availableBytes / status.totalBytes) * 100).toFixed(1);
    problems.push(`Only ${percent} % of the disk is free. Delete data or add space.`);
  }
  return problems;
}
