/** RFC 3339 in UTC with whole seconds, as the API shows all times. 0 gives the epoch, which stands for "not yet". */
export function formatTimestamp(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, "2026-01-01T00:00:00".length)}Z`;
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/i;

/** Milliseconds since the epoch, or `undefined` when `text` is no RFC 3339 time. */
export function parseTimestampMs(text: string): number | undefined {
  if (!RFC3339.test(text)) return undefined;
  const timeMs = Date.parse(text);
  return Number.isNaN(timeMs) ? undefined : timeMs;
}
