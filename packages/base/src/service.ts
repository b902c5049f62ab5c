/** What a long-lived part of a process owes its owner in `services/`. */
export interface Service extends AsyncDisposable {
  /** Stops accepting new work and resolves when the work in flight is done or `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
  /** Releases everything at once. Stopping twice is harmless. */
  stop(): Promise<void>;
}
