import type { TreeQuota, TreeUsage } from "@kelp/wire";

/** Whether a tree may grow so. What does not grow always may: a full tree can still be tidied up. */
export function fitsQuota(
  tree: {
    readonly usage: Pick<TreeUsage, "bytes" | "entries">;
    readonly quota: TreeQuota | undefined;
  },
  growth: { readonly bytes: number; readonly entries: number },
): boolean {
  const { usage, quota } = tree;
  if (quota === undefined) return true;
  return (
    fits(usage.bytes, growth.bytes, quota.bytes) &&
    fits(usage.entries, growth.entries, quota.entries)
  );
}

function fits(used: number, growth: number, bound: number | undefined): boolean {
  return bound === undefined || growth <= 0 || used + growth <= bound;
}
