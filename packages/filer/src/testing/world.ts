import { type SqlDatabase, silentLog } from "@kelp/base";
import { openDatabase, systemHashes, systemRandom } from "@kelp/base/platform";
import type { EntryPath, TreeName } from "@kelp/wire";
import { type FilerOptions, type OpenFiler, openFiler } from "../filer.ts";
import { ManualClock } from "./manual-clock.ts";
import { MemoryVolumes } from "./memory-volumes.ts";

/** A filer in memory with everything it stands on. */
export interface FilerWorld extends Disposable {
  readonly filer: OpenFiler;
  readonly volumes: MemoryVolumes;
  readonly clock: ManualClock;
  readonly database: SqlDatabase;
}

/** `using world = openFilerWorld();`. `options` replace parts of it. */
export function openFilerWorld(options: Partial<FilerOptions> = {}): FilerWorld {
  const database = options.database ?? openDatabase(":memory:");
  const volumes = new MemoryVolumes();
  const clock = new ManualClock();
  const filer = openFiler({
    volumes,
    master: volumes,
    clock,
    random: systemRandom,
    hashes: systemHashes,
    log: silentLog,
    ...options,
    database,
  });
  return {
    filer,
    volumes,
    clock,
    database,
    [Symbol.dispose]() {
      filer[Symbol.dispose]();
      database[Symbol.dispose]();
    },
  };
}

export const TREE = "tree" as TreeName;

export function pathOf(text: string): EntryPath {
  return text as EntryPath;
}
