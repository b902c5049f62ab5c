import type { Ttl, TtlUnit } from "./ports/volume-client.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** A month has 30 days, a year 365. */
const UNIT_MS: Readonly<Record<TtlUnit, number>> = {
  none: 0,
  minute: MINUTE_MS,
  hour: HOUR_MS,
  day: DAY_MS,
  week: 7 * DAY_MS,
  month: 30 * DAY_MS,
  year: 365 * DAY_MS,
};

/** In milliseconds; `undefined` is for ever. */
export function ttlLengthMs(ttl: Ttl): number | undefined {
  const lengthMs = ttl.count * UNIT_MS[ttl.unit];
  return lengthMs === 0 ? undefined : lengthMs;
}
