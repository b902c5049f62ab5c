import type { Ttl } from "@kelp/wire";
import { EXPIRY_MARGIN_MS_MAX } from "../limits.ts";
import { ttlLengthMs } from "../needle/ttl.ts";

/**
 * Whether nothing in a volume can be read any more: its newest needle is older than the TTL of the volume and a tenth
 * of that, at most `EXPIRY_MARGIN_MS_MAX`, for clocks that differ. One that never held a needle is not.
 */
export function isVolumeExpired(
  volume: { readonly ttl: Ttl; readonly newestNeedleMs: number },
  nowMs: number,
): boolean {
  const { ttl, newestNeedleMs } = volume;
  const lifetimeMs = ttlLengthMs(ttl);
  if (lifetimeMs === undefined || newestNeedleMs === 0) return false;
  const marginMs = Math.min(lifetimeMs / 10, EXPIRY_MARGIN_MS_MAX);
  return nowMs > newestNeedleMs + lifetimeMs + marginMs;
}
