const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Unit byte of a stored TTL: none, minute, hour, day, week, month of 30 days, year of 365 days. */
const UNIT_MS: readonly (number | undefined)[] = [
  undefined,
  MINUTE_MS,
  HOUR_MS,
  DAY_MS,
  7 * DAY_MS,
  30 * DAY_MS,
  365 * DAY_MS,
];

/** A stored TTL in milliseconds; `undefined` is forever. */
export function ttlMs(count: number, unit: number): number | undefined {
  const unitMs = UNIT_MS[unit];
  return unitMs === undefined || count === 0 ? undefined : count * unitMs;
}
