import type { ChangeLog } from "../../filer-store.ts";
import { reading } from "./reading.ts";
import type { StoreParts } from "./store-parts.ts";

export function logCalls({ tables, watchers }: StoreParts): ChangeLog {
  return {
    async readChanges(query) {
      return reading(() => tables.changes.read(query));
    },
    changeBounds: () => ({
      newest: tables.changes.position,
      keptAfter: tables.changes.prunedPosition,
    }),
    watchCommits(listener) {
      // A function of its own, so that one listener may watch twice.
      const watcher = (): void => listener();
      watchers.add(watcher);
      return { [Symbol.dispose]: () => void watchers.delete(watcher) };
    },
  };
}
