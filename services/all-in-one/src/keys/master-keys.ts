import { dirname } from "node:path";
import { type Log, type SqlDatabase, must } from "@kelp/base";
import {
  openDatabase,
  systemAead,
  systemClock,
  systemDisk,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import {
  type KeyRing,
  LocalMasterKeys,
  SealingError,
  type SealingErrorCode,
  openKeyRing,
  ringMasterKeys,
} from "@kelp/filer";
import { type KeyManagement, KeyManagementError } from "@kelp/wire";
import { StartError, type StartErrorCode } from "../errors.ts";
import { type DataFolder, openDataFolder } from "../folder/data-folder.ts";
import { type DamagedLogChoice, openFolderDatabase } from "../folder/folder-database.ts";
import { readMasterKey } from "./key-source.ts";

/** Where the master keys of a folder are, as the operator named them. */
export interface KeySources {
  /** Wraps and unwraps. `undefined`: the folder is not sealed. */
  readonly current: string | undefined;
  /** The one before, which only unwraps: what stands under it is wrapped anew at the start. */
  readonly previous: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the keys. `undefined` when none is named. Throws `StartError` `master-key-unusable`. */
export function readMasterKeys(
  sources: KeySources,
  environment: Environment,
): KeyManagement | undefined {
  const { current, previous } = sources;
  if (current === undefined) {
    if (previous === undefined) return undefined;
    throw new StartError(
      "master-key-unusable",
      "Cannot use --encrypt.previous alone: --encrypt.at-rest names the key that takes its place",
    );
  }
  const keys = [current, previous]
    .filter((source) => source !== undefined)
    .map((source) => readMasterKey(source, environment));
  return new LocalMasterKeys({
    keys,
    aead: systemAead,
    hashes: systemHashes,
    random: systemRandom,
  });
}

/** The key ring of a folder, before anything else of it is opened. Throws `StartError`, with nothing changed. */
export async function openFolderRing(
  folder: DataFolder,
  masterKeys: KeyManagement | undefined,
  options: { readonly damagedLog: DamagedLogChoice; readonly log: Log },
): Promise<KeyRing | undefined> {
  using database = openFolderDatabase(folder, "filer", options);
  return await openRing(database, folder.path, masterKeys);
}

/** What a rotation did. */
export interface RotatedKeys {
  readonly from: readonly string[];
  readonly to: string;
}

/**
 * Puts the key ring of a folder that no server uses under another master key, in one transaction. What is stored
 * is not touched. Throws `StartError`.
 */
export async function rotateMasterKey(
  dir: string,
  sources: { readonly current: string; readonly next: string },
  environment: Environment,
  log: Log,
): Promise<RotatedKeys> {
  const masterKeys = must(
    readMasterKeys({ current: sources.next, previous: sources.current }, environment),
  );
  using folder = await openDataFolder(dir, { disk: systemDisk, clock: systemClock });
  using database = openFolderDatabase(folder, "filer", { damagedLog: "refuse", log });
  const from = await told(dir, async () => ringMasterKeys(database));
  if (from.length === 0) {
    throw new StartError(
      "not-sealed",
      `Cannot rotate the master key of ${dir}: the folder is not sealed; start the server with --encrypt.at-rest`,
    );
  }
  await openRing(database, dir, masterKeys);
  return { from, to: masterKeys.currentKeyId };
}

/** The master keys that the ring of a folder stands under, as ids; also while a server uses it. Throws `StartError`. */
export async function folderMasterKeys(filerDatabase: string): Promise<readonly string[]> {
  using database = openDatabase(filerDatabase, "read-only");
  return await told(dirname(filerDatabase), async () => ringMasterKeys(database));
}

function openRing(
  database: SqlDatabase,
  dir: string,
  masterKeys: KeyManagement | undefined,
): Promise<KeyRing | undefined> {
  return told(dir, () =>
    openKeyRing({
      database,
      masterKeys,
      aead: systemAead,
      hashes: systemHashes,
      random: systemRandom,
      clock: systemClock,
    }),
  );
}

/** What is wrong with the keys of a folder, as whoever starts a program on it is told. */
async function told<Value>(dir: string, work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SealingError) {
      const message = `Cannot open ${dir}: ${error.message}; ${ADVICE[error.code]}`;
      throw new StartError(START_CODES[error.code], message, { cause: error });
    }
    if (error instanceof KeyManagementError) {
      const message = `Cannot open ${dir}: ${error.message}`;
      throw new StartError("master-key-unusable", message, { cause: error });
    }
    throw error;
  }
}

const START_CODES = {
  "key-missing": "master-key-missing",
  "key-wrong": "master-key-wrong",
  "ring-damaged": "key-ring-damaged",
} as const satisfies Record<SealingErrorCode, StartErrorCode>;

const ADVICE = {
  "key-missing": "name it with --encrypt.at-rest",
  "key-wrong":
    "name the right one with --encrypt.at-rest, or after a change the old one with --encrypt.previous",
  "ring-damaged": "restore filer.db from a backup",
} as const satisfies Record<SealingErrorCode, string>;
