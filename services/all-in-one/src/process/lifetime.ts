import type { Log } from "@kelp/base";

/** A supervisor that sends SIGTERM usually waits 10 s or more before it kills. */
const DRAIN_MS_MAX = 8_000;

/** Something that runs until it is told to end. */
export interface Running {
  /** No new work; what is in flight ends, or is left resumable when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Waits for SIGTERM or SIGINT, drains, stops, and returns the exit status. A second signal ends the process at once.
 * A bug or an unhandled failure ends it, too: everything acknowledged is on disk, so to stop is safe, and to go on
 * with broken state is not.
 */
export async function runUntilSignal(running: Running, log: Log): Promise<number> {
  const crash = (error: unknown): void => {
    log.error("Ending after a failure that nothing handled", { error });
    process.exit(1);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);

  const signal = await firstSignal();
  log.info("Ending: requests in flight are finished first", { signal });
  const onSecond = (): void => {
    log.warn("Ended at once by a second signal");
    process.exit(1);
  };
  process.once("SIGTERM", onSecond);
  process.once("SIGINT", onSecond);
  await running.drain(AbortSignal.timeout(DRAIN_MS_MAX));
  await running.stop();
  log.info("Ended");
  return 0;
}

function firstSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      process.off("SIGTERM", onSignal);
      process.off("SIGINT", onSignal);
      resolve(signal);
    };
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}
