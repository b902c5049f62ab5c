import type { Ttl } from "@kelp/wire";
import { EXPIRY_DATE_MS_MIN, EXPIRY_MARGIN_MS_MAX } from "../limits.ts";
import { ttlLengthMs } from "../needle/ttl.ts";

/**
 * Whether nothing in a volume can be read any more: its newest needle is older than the TTL of the volume and a tenth
 * of that, at most `EXPIRY_MARGIN_MS_MAX`, for clocks that differ. One that never held a needle is not, nor one
 * whose newest date is unknown, or from before `EXPIRY_DATE_MS_MIN`: that was told by a clock that nobody had set.
 */
export function isVolumeExpired(
  volume: { readonly ttl: Ttl; readonly newestNeedleMs: number },
  nowMs: number,
): boolean {
  const { ttl, newestNeedleMs } = volume;
  const lifetimeMs = ttlLengthMs(ttl);
  if (lifetimeMs === undefined || newestNeedleMs < EXPIRY_DATE_MS_MIN) return false;
  const marginMs = Math.min(lifetimeMs / 10, EXPIRY_MARGIN_MS_MAX);
  return nowMs > newestNeedleMs + lifetimeMs + marginMs;
}
