import type { Log } from "@kelp/base";

/** A supervisor that sends SIGTERM usually waits 10 s or more before it kills. */
const DRAIN_MS_MAX = 8_000;
/** Whatever still holds on after that is left: ended in disorder is safe, ended too late is killed anyway. */
const END_MS_MAX = 9_500;

/** Something that runs until it is told to end. */
export interface Running {
  /** No new work; what is in flight ends, or is left resumable when `signal` aborts. */
  drain(signal: AbortSignal): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts listening for SIGTERM and SIGINT; call before anybody can know that the process runs. Resolves with the first.
 * A bug or an unhandled failure ends the process from now on: everything acknowledged is on disk, so to stop is safe,
 * and to go on with broken state is not.
 */
export function watchProcess(log: Log): Promise<NodeJS.Signals> {
  const crash = (error: unknown): void => {
    log.error("Ending after a failure that nothing handled", { error });
    process.exit(1);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  return firstSignal();
}

/** Waits for the signal, drains, stops, and returns the exit status. A second signal ends the process at once. */
export async function runUntilSignal(
  running: Running,
  ending: Promise<NodeJS.Signals>,
  log: Log,
): Promise<number> {
  const signal = await ending;
  log.info("Ending: requests in flight are finished first", { signal });
  const onSecond = (): void => {
    log.warn("Ended at once by a second signal");
    process.exit(1);
  };
  process.once("SIGTERM", onSecond);
  process.once("SIGINT", onSecond);
  const watchdog = setTimeout(() => {
    log.warn("Ended although something did not stop in time");
    process.exit(1);
  }, END_MS_MAX);
  await running.drain(AbortSignal.timeout(DRAIN_MS_MAX));
  await running.stop();
  clearTimeout(watchdog);
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
