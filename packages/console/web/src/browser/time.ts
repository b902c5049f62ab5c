/** The only place of the app that reads the clock. */

export function nowMs(): number {
  return Date.now();
}
