import type { Hashes, Log } from "@kelp/base";
import type { VolumeClient } from "@kelp/wire";
import type { FilerStore } from "../store/filer-store.ts";
import type { AppendDeps } from "./append-session.ts";
import type { ListLimits } from "./manifest-writer.ts";
import type { WriteBudget } from "./write-budget.ts";

/** What writing asks of the metadata store, in the writer's process as in a gateway. */
export type WriterStore = Pick<
  FilerStore,
  | "admits"
  | "getEntry"
  | "putEntry"
  | "extendEntry"
  | "putPart"
  | "getUpload"
  | "joinedParts"
  | "completeUpload"
  | "addGarbage"
>;

export interface FileWriterDeps extends AppendDeps {
  readonly store: WriterStore;
  readonly volumes: Pick<VolumeClient, "append" | "remove">;
  readonly hashes: Hashes;
  readonly budget: WriteBudget;
  readonly inlineBytesMax: number;
  readonly lists: ListLimits;
  readonly log: Log;
}
