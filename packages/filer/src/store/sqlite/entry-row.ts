import type { EntryPath } from "@kelp/wire";
import type { SummedEntry } from "./row-sums.ts";

/** An entry without its content. Attributes are still text: most operations only pass them on. */
export interface EntryRow extends SummedEntry {
  readonly path: EntryPath;
  /** Of a row as it was read; null when it has none. What is written gets a new one. */
  readonly sum?: number | null;
}
