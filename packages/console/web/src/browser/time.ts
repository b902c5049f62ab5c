/** The only place of the app that reads the clock or starts timers. */

export function nowMs(): number {
  return Date.now();
}

/** Calls `run` once after `delayMs`; the result cancels it. */
export function later(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** Calls `run` every `periodMs` until the result is called. */
export function every(periodMs: number, run: () => void): () => void {
  const timer = setInterval(run, periodMs);
  return () => clearInterval(timer);
}
