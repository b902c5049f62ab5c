import { NO_TTL, type Ttl, type TtlUnit, ttlLengthMs } from "@kelp/wire";

export { ttlLengthMs } from "@kelp/wire";

/** By the unit byte of a stored TTL. */
const UNITS: readonly TtlUnit[] = ["none", "minute", "hour", "day", "week", "month", "year"];

/** A stored TTL in milliseconds; `undefined` is for ever, as is a unit that is not known. */
export function ttlMs(count: number, unit: number): number | undefined {
  return ttlLengthMs({ count, unit: UNITS[unit] ?? "none" });
}

/** From its two stored bytes. */
export function ttlOf(count: number, unit: number): Ttl {
  const ttl = { count, unit: UNITS[unit] ?? "none" };
  return ttlLengthMs(ttl) === undefined ? NO_TTL : ttl;
}

/** The unit byte of a TTL. */
export function ttlUnitByte(ttl: Ttl): number {
  return UNITS.indexOf(ttl.unit);
}
