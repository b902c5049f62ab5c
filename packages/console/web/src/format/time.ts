/** Time of the API to milliseconds; the epoch itself means "not yet" there. */
export function parseTime(text: string | null | undefined): number | undefined {
  if (text === null || text === undefined || text === "") return undefined;
  const timeMs = Date.parse(text);
  return Number.isFinite(timeMs) && timeMs > 0 ? timeMs : undefined;
}

/** `just now`, `5 min ago`, `3 h ago`, then the date. */
export function formatAge(timeMs: number, nowMs: number): string {
  const seconds = Math.round((nowMs - timeMs) / 1000);
  if (seconds < 10) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`;
  if (seconds < 7 * 86_400) return `${Math.floor(seconds / 86_400)} d ago`;
  return formatDate(timeMs);
}

export function formatDate(timeMs: number): string {
  return new Date(timeMs).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
  });
}

export function formatDateTime(timeMs: number): string {
  return new Date(timeMs).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** `< 1 s` (times of the pipelines API are whole seconds), `840 ms`, `4.2 s`, `3 min 20 s`, `2 h 5 min`, `1 d 3 h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs <= 0) return "< 1 s";
  if (durationMs < 1000) return `${Math.max(0, Math.round(durationMs))} ms`;
  const seconds = durationMs / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return pair(Math.floor(whole / 60), "min", whole % 60, "s");
  if (whole < 86_400)
    return pair(Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min");
  return pair(Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3600), "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
