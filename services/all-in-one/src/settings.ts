import type { DamagedLogChoice } from "./folder/folder-database.ts";
import type { VolumeFolderSettings } from "./folder/volume-folders.ts";
import type { LogFormat, LogLevel } from "./process/log.ts";

/** A remote store that is a folder. */
export interface VolumeTierSettings {
  /** Volumes remember it by this name. */
  readonly name: string;
  /** Absolute path. */
  readonly folder: string;
}

/** What an operator decides about a server, checked. `docs/operations.md` tells what each means. */
export interface ServerSettings {
  readonly dir: string;
  readonly bindAddress: string;
  readonly advertisedAddress: string | undefined;
  /** 0 lets the system choose, here and below. */
  readonly s3Port: number;
  readonly consolePort: number;
  readonly masterPort: PortChoice;
  readonly volumePort: PortChoice;
  readonly filerPort: PortChoice;
  readonly s3Region: string;
  /** Processes that serve the S3 door; with 1 the server does it itself. */
  readonly workers: number;
  readonly localUser: "trusted" | "signs-in";
  readonly volumeSizeBytesMax: number;
  readonly volumeFolders: readonly VolumeFolderSettings[];
  /** Remote stores that volume files can be moved to. */
  readonly volumeTiers: readonly VolumeTierSettings[];
  /** What new content leaves free on the file system of `dir` and of each folder of volumes. */
  readonly minFreeSpaceBytes: number;
  readonly maintenance: {
    /** From 0 to 1: volumes with a larger share of garbage are vacuumed. */
    readonly garbageThreshold: number;
    readonly vacuumBytesPerSec: number;
    /** `undefined`: no scrubbing. */
    readonly scrubCycleMs: number | undefined;
  };
  readonly pipelines: {
    readonly python: string;
    /** `undefined`: one per processor. */
    readonly parallelism: number | undefined;
    readonly imagePolicy: "host" | "refuse";
    readonly cache: "on" | "off";
    readonly secretsFile: string | undefined;
  };
  /** Where the master keys are: `file:/PATH` or `env:NAME`. */
  readonly encryption: {
    readonly atRest: string | undefined;
    readonly previous: string | undefined;
  };
  /** What happens when a database's log has rotted. */
  readonly damagedLog: DamagedLogChoice;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
  readonly readyFile: string | undefined;
  readonly rootAccessKey: string | undefined;
  readonly rootSecretKey: string | undefined;
  /** Keys that signed tokens are signed with; those not given are made at the first start. */
  readonly signingKeys: {
    readonly needleWrite: string | undefined;
    readonly needleRead: string | undefined;
    readonly pathWrite: string | undefined;
    readonly pathRead: string | undefined;
  };
}

/** A port, and whether it may be another one: clients of these doors are told their addresses. */
export interface PortChoice {
  readonly port: number;
  /** `named`: somebody counts on this very port. `usual`: where it is taken, a free one serves as well. */
  readonly choice: "named" | "usual";
}
