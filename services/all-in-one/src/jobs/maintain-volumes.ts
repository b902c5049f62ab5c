import type { Clock, Log } from "@kelp/base";
import type { VolumeStore } from "@kelp/volume";
import type { ServerSettings } from "../settings.ts";
import { RepeatingJob } from "./repeating-job.ts";

/** Looking for something to do costs a few counters of each volume; garbage does not pile up in seconds. */
const VACUUM_PAUSE_MS = 60_000;
const SCRUB_PAUSE_MS = 60_000;

/** Vacuums and scrubs in the background for as long as it is not disposed. */
export function maintainVolumes(options: {
  readonly volumes: Pick<VolumeStore, "vacuumRound" | "scrubRound">;
  readonly settings: Pick<ServerSettings, "maintenance">;
  readonly clock: Clock;
  readonly log: Log;
}): AsyncDisposable {
  const { volumes, clock, log } = options;
  const { garbageThreshold, vacuumBytesPerSec, scrubCycleMs } = options.settings.maintenance;
  const jobs = new AsyncDisposableStack();
  jobs.use(
    new RepeatingJob({
      name: "vacuum",
      pauseMs: VACUUM_PAUSE_MS,
      round: async (signal) => {
        await volumes.vacuumRound({ garbageThreshold, bytesPerSec: vacuumBytesPerSec, signal });
      },
      clock,
      log,
    }),
  );
  if (scrubCycleMs === undefined) return jobs;
  jobs.use(
    new RepeatingJob({
      name: "scrub",
      pauseMs: SCRUB_PAUSE_MS,
      round: async (signal) => {
        while (await volumes.scrubRound({ cycleMs: scrubCycleMs, signal })) {
          if (signal.aborted) return;
        }
      },
      clock,
      log,
    }),
  );
  return jobs;
}
