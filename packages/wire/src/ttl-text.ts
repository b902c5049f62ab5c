import { NO_TTL, type Ttl, type TtlUnit } from "./ports/volume-client.ts";

/** Lifetimes as SeaweedFS writes them: `3m 4h 5d 6w 7M 8y`; digits alone are minutes. A month has 30 days, a year 365. */
const UNITS: readonly { readonly unit: TtlUnit; readonly letter: string; readonly sec: number }[] =
  [
    { unit: "minute", letter: "m", sec: 60 },
    { unit: "hour", letter: "h", sec: 3600 },
    { unit: "day", letter: "d", sec: 86_400 },
    { unit: "week", letter: "w", sec: 7 * 86_400 },
    { unit: "month", letter: "M", sec: 30 * 86_400 },
    { unit: "year", letter: "y", sec: 365 * 86_400 },
  ];

/**
 * The lifetime that a text means, in the largest unit that divides it and leaves a count below 256; where none divides
 * it, in the smallest unit that fits, rounded down. `undefined` when the text is no lifetime or too long for one.
 */
export function parseTtl(text: string): Ttl | undefined {
  const match = /^(\d{1,6})([mhdwMy]?)$/.exec(text);
  const [, countText = "", letter] = match ?? [];
  if (match === null) return undefined;
  const given = UNITS.find((unit) => unit.letter === (letter === "" ? "m" : letter));
  const seconds = Number(countText) * (given?.sec ?? 0);
  if (seconds === 0) return NO_TTL;
  const exact = UNITS.findLast(({ sec }) => seconds % sec === 0 && seconds / sec < 256);
  const chosen = exact ?? UNITS.find(({ sec }) => seconds / sec < 256);
  if (chosen === undefined) return undefined;
  return { count: Math.floor(seconds / chosen.sec), unit: chosen.unit };
}

/** Empty for ever. */
export function formatTtl(ttl: Ttl): string {
  const found = UNITS.find(({ unit }) => unit === ttl.unit);
  return found === undefined || ttl.count === 0 ? "" : `${ttl.count}${found.letter}`;
}

/** `undefined` for ever. */
export function ttlSeconds(ttl: Ttl): number | undefined {
  const found = UNITS.find(({ unit }) => unit === ttl.unit);
  return found === undefined || ttl.count === 0 ? undefined : ttl.count * found.sec;
}

/** In milliseconds; `undefined` for ever. */
export function ttlLengthMs(ttl: Ttl): number | undefined {
  const seconds = ttlSeconds(ttl);
  return seconds === undefined ? undefined : seconds * 1000;
}
