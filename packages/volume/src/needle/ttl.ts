import { NO_TTL, type Ttl, type TtlUnit } from "@kelp/wire";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** By the unit byte of a stored TTL. A month has 30 days, a year 365. */
const UNITS: readonly { readonly name: TtlUnit; readonly ms: number }[] = [
  { name: "none", ms: 0 },
  { name: "minute", ms: MINUTE_MS },
  { name: "hour", ms: HOUR_MS },
  { name: "day", ms: DAY_MS },
  { name: "week", ms: 7 * DAY_MS },
  { name: "month", ms: 30 * DAY_MS },
  { name: "year", ms: 365 * DAY_MS },
];

/** A stored TTL in milliseconds; `undefined` is for ever, as is a unit that is not known. */
export function ttlMs(count: number, unit: number): number | undefined {
  const unitMs = UNITS[unit]?.ms ?? 0;
  return unitMs === 0 || count === 0 ? undefined : count * unitMs;
}

/** From its two stored bytes. */
export function ttlOf(count: number, unit: number): Ttl {
  const name = UNITS[unit]?.name;
  return ttlMs(count, unit) === undefined || name === undefined ? NO_TTL : { count, unit: name };
}

/** The unit byte of a TTL. */
export function ttlUnitByte(ttl: Ttl): number {
  return UNITS.findIndex((unit) => unit.name === ttl.unit);
}

/** In milliseconds; `undefined` is for ever. */
export function ttlLengthMs(ttl: Ttl): number | undefined {
  return ttlMs(ttl.count, ttlUnitByte(ttl));
}
