/** Dates as S3 writes them, to the whole second, without a Date object for each. */

const DAY_MS = 86_400_000;
const TWO_DIGITS = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, "0"));

let isoDay = -1;
let isoDayText = "";
let httpDay = -1;
let httpDayText = "";

/** `2026-01-02T03:04:05.000Z`. The last day's text is remembered: neighbours in a listing are often of one day. */
export function isoDate(timeMs: number): string {
  const day = Math.floor(timeMs / DAY_MS);
  if (day !== isoDay) {
    isoDayText = new Date(day * DAY_MS).toISOString().slice(0, 11);
    isoDay = day;
  }
  return `${isoDayText}${timeOfDay(timeMs - day * DAY_MS)}.000Z`;
}

/** `Fri, 02 Jan 2026 03:04:05 GMT` (RFC 9110 §5.6.7). */
export function httpDate(timeMs: number): string {
  const day = Math.floor(timeMs / DAY_MS);
  if (day !== httpDay) {
    httpDayText = new Date(day * DAY_MS).toUTCString().slice(0, 17);
    httpDay = day;
  }
  return `${httpDayText}${timeOfDay(timeMs - day * DAY_MS)} GMT`;
}

function timeOfDay(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes]}:${TWO_DIGITS[seconds % 60]}`;
}

/** Milliseconds of an HTTP date; `undefined` when it is none: a recipient then ignores the header (RFC 9110 §13.1). */
export function parseHttpDate(text: string): number | undefined {
  if (!/^[A-Z][a-z]{2,8},? /.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
