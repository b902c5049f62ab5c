import { hostname } from "node:os";
import { systemClock, systemHashes, systemRandom } from "@kelp/base/platform";
import {
  type BackupTarget,
  TARGET_LOCK_RENEW_MS,
  TargetLock,
  type TargetUse,
  type TargetUser,
} from "@kelp/filer";
import { isAlive } from "./live-process.ts";

/** A use of a target that is renewed until it is disposed. */
export interface HeldTarget extends AsyncDisposable {
  /** Throws `BackupError` when others took this process for dead. */
  assure(): Promise<void>;
}

/** Throws `BackupError` `target-in-use`. */
export async function holdTarget(target: BackupTarget, use: TargetUse): Promise<HeldTarget> {
  const host = hostname();
  const lock = await TargetLock.take(target, use, {
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    user: { host, pid: process.pid },
    hasEnded: (user: TargetUser) => user.host === host && !isAlive(user.pid),
  });
  const renewing = setInterval(() => {
    lock.renew().catch(() => undefined);
  }, TARGET_LOCK_RENEW_MS);
  return {
    assure: () => lock.assure(),
    [Symbol.asyncDispose]: async () => {
      clearInterval(renewing);
      await lock[Symbol.asyncDispose]();
    },
  };
}
