import type { Log, Service } from "@kelp/base";
import { systemClock, systemDisk, systemRandom, systemTcpNetwork } from "@kelp/base/platform";
import type { KeyManagement } from "@kelp/wire";
import { folderStaticFiles } from "@kelp/console";
import { openDoors } from "./doors/open-doors.ts";
import { loadCredentials } from "./folder/credentials.ts";
import { type DataFolder, openDataFolder } from "./folder/data-folder.ts";
import { isFullDisk } from "./folder/full-disk.ts";
import {
  type ServerState,
  processStartTicks,
  removeServerState,
  writeServerState,
} from "./folder/server-state.ts";
import { openFolderRing } from "./keys/master-keys.ts";
import { Gateways } from "./gateways/gateways.ts";
import { openPipelines } from "./pipelines.ts";
import type { Secrets } from "./secrets.ts";
import type { ServerSettings } from "./settings.ts";
import { openStore } from "./store.ts";

export interface ServerDeps {
  readonly version: string;
  readonly consoleFolder: string;
  /** How a gateway process is started. */
  readonly gatewayCommand: { readonly file: string; readonly args: readonly string[] };
  readonly log: Log;
  readonly secrets: Secrets;
  /** `undefined`: the folder is not sealed. */
  readonly masterKeys: KeyManagement | undefined;
}

/** The whole of Kelp, running. */
export interface Server extends Service {
  readonly dir: string;
  readonly accessKey: string;
  readonly s3Url: string;
  readonly consoleUrl: string;
  readonly masterUrl: string;
  readonly volumeUrl: string;
  readonly filerUrl: string;
  readonly s3Port: number;
  readonly consolePort: number;
}

/**
 * Opens everything from the disk up to the doors; when it resolves every door answers. What was opened is closed in
 * the opposite order, at `stop` or when a later part cannot be opened. Throws `StartError`.
 */
export async function startServer(settings: ServerSettings, deps: ServerDeps): Promise<Server> {
  const { log } = deps;
  const startedMs = systemClock.nowMs();
  await using opened = new AsyncDisposableStack();
  const folder = opened.use(
    await openDataFolder(settings.dir, { disk: systemDisk, clock: systemClock }),
  );
  const keyRing = await openFolderRing(folder, deps.masterKeys, {
    damagedLog: settings.damagedLog,
    log,
  });
  if (keyRing !== undefined) {
    log.info("What is written is sealed", { master_key_id: deps.masterKeys?.currentKeyId });
  }
  const credentials = await loadCredentials(
    folder.file("credentials"),
    {
      accessKey: settings.rootAccessKey,
      secretKey: settings.rootSecretKey,
      signingKeys: {
        jwt_signing_key: settings.signingKeys.needleWrite,
        jwt_signing_read_key: settings.signingKeys.needleRead,
        jwt_filer_signing_key: settings.signingKeys.pathWrite,
        jwt_filer_signing_read_key: settings.signingKeys.pathRead,
      },
    },
    { disk: systemDisk, random: systemRandom },
  );
  const gateways =
    settings.workers === 1
      ? undefined
      : new Gateways({
          settings,
          folder,
          credentials,
          keyRing,
          command: deps.gatewayCommand,
          network: systemTcpNetwork,
          clock: systemClock,
          log,
        });
  const store = opened.use(
    await openStore({ folder, credentials, settings, keyRing, gateways, log }),
  );
  const pipelines = opened.use(
    await openPipelines({
      folder,
      store,
      settings,
      secrets: deps.secrets,
      log,
      version: deps.version,
    }),
  );
  const doors = opened.use(
    await openDoors({
      settings,
      credentials,
      store,
      pipelines,
      gateways,
      log,
      version: deps.version,
      dir: folder.path,
      startedMs,
      staticFiles: folderStaticFiles(systemDisk, deps.consoleFolder),
    }),
  );

  opened.defer(() => removeServerState(folder.file("server")));
  await tellOthers(
    folder,
    {
      pid: process.pid,
      start_ticks: processStartTicks(process.pid) ?? "unknown",
      version: deps.version,
      started_ms: startedMs,
      s3_url: doors.s3Url,
      console_url: doors.consoleUrl,
      master_url: doors.masterUrl,
      volume_url: doors.volumeUrl,
      filer_url: doors.filerUrl,
      region: settings.s3Region,
    },
    log,
  );

  const owned = opened.move();
  const stop = (): Promise<void> => owned.disposeAsync();
  return {
    dir: folder.path,
    accessKey: credentials.access_key,
    s3Url: doors.s3Url,
    consoleUrl: doors.consoleUrl,
    masterUrl: doors.masterUrl,
    volumeUrl: doors.volumeUrl,
    filerUrl: doors.filerUrl,
    s3Port: doors.s3Port,
    consolePort: doors.consolePort,
    drain: async (signal) => {
      await Promise.all([doors.drain(signal), pipelines.drain(signal)]);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** A full disk does not keep a server from reading and deleting, which is how it may become less full. */
async function tellOthers(folder: DataFolder, state: ServerState, log: Log): Promise<void> {
  const path = folder.file("server");
  try {
    await writeServerState(path, state, systemDisk);
  } catch (error) {
    if (!isFullDisk(error)) throw error;
    log.error("The disk is full: other commands find this server by its address alone", {
      path,
      error,
    });
  }
}
