import type { TreeQuota } from "@kelp/wire";

/** Whether content may grow by `growthBytes`. What does not grow always may: a full tree can still be tidied up. */
export function fitsQuota(
  tree: { readonly usage: { readonly bytes: number }; readonly quota: TreeQuota | undefined },
  growthBytes: number,
): boolean {
  if (tree.quota === undefined || growthBytes <= 0) return true;
  return tree.usage.bytes + growthBytes <= tree.quota.bytes;
}
