import type { Clock, Log } from "@kelp/base";
import type {
  Authorizer,
  BucketCopies,
  Entries,
  IdentityAdmin,
  MasterClient,
  ObjectStore,
  PeopleGate,
  VolumeAdmin,
} from "@kelp/wire";
import type { StaticFiles } from "./static-files.ts";

/** What the console needs of the rest of the program. */
export interface ConsoleDependencies {
  readonly objects: ObjectStore;
  /** Without it the routes of snapshots and copies answer 501. */
  readonly copies?: BucketCopies;
  /** For the page of a single entry, as the filer keeps it. Without it that one route answers 501. */
  readonly entries?: Pick<Entries, "getEntry">;
  readonly identities: IdentityAdmin;
  readonly authorizer: Authorizer;
  readonly gate: PeopleGate;
  readonly master: MasterClient;
  readonly volumes: ConsoleVolumes;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  /** Asked on every overview, so that ports chosen at start are shown. */
  readonly info: () => ConsoleInfo;
  /** What the scrubs of entries showed: how many there were, and how many entries the newest found to be damaged. */
  readonly entryFigures: () => { readonly scrubCount: number; readonly damagedCount: number };
  /** The built web app. `undefined` when it was not built: the door then says so in plain text. */
  readonly staticFiles: StaticFiles | undefined;
}

/** What operators may do to volumes, and what is told of them. */
export type ConsoleVolumes = Pick<
  VolumeAdmin,
  | "vacuum"
  | "scrubVolume"
  | "setWritable"
  | "deleteVolume"
  | "encodeVolume"
  | "decodeVolume"
  | "rebuildVolume"
  | "moveToRemote"
  | "moveFromRemote"
  | "quarantined"
  | "figures"
  | "disks"
>;

export interface ConsoleInfo {
  /** Door name to URL, such as `s3: http://127.0.0.1:8333`. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** The data directory. */
  readonly dir: string;
  readonly startedMs: number;
  /** Resident memory of this process. */
  readonly memoryRssBytes: number;
}
