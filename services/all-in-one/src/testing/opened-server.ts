import { join } from "node:path";
import { type TcpNetwork, must, silentLog } from "@kelp/base";
import { systemClock, systemDisk, systemRandom, systemTcpNetwork } from "@kelp/base/platform";
import { openDoors } from "../doors/open-doors.ts";
import { loadCredentials } from "../folder/credentials.ts";
import { openDataFolder } from "../folder/data-folder.ts";
import { Gateways } from "../gateways/gateways.ts";
import type { ServerSettings } from "../settings.ts";
import { type Store, openStore } from "../store.ts";

/** A store on a real disk with its doors on free ports, in this process: its background work can be asked for. */
export interface OpenedServer extends AsyncDisposable {
  readonly store: Store;
  readonly s3Url: string;
  readonly consoleUrl: string;
  readonly root: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly token: string;
  /** Of the processes that serve its S3 door, at the moment of asking; none without `workers`. */
  readonly gatewayPids: () => readonly number[];
}

/**
 * Everything but the pipelines. Its doors trust nobody for being a local user. With 2 `workers` or more gateways serve the S3 door, whose
 * port is tried on `network` first.
 */
export async function openTestServer(
  dir: string,
  options: {
    readonly workers?: number;
    readonly network?: TcpNetwork;
    readonly s3Port?: number;
  } = {},
): Promise<OpenedServer> {
  await using opened = new AsyncDisposableStack();
  const { workers = 1, network = systemTcpNetwork, s3Port = 0 } = options;
  const settings = { ...settingsFor(dir), workers, s3Port };
  const folder = opened.use(await openDataFolder(dir, { disk: systemDisk, clock: systemClock }));
  const credentials = await loadCredentials(
    folder.file("credentials"),
    {
      accessKey: undefined,
      secretKey: undefined,
      signingKeys: {
        jwt_signing_key: undefined,
        jwt_signing_read_key: undefined,
        jwt_filer_signing_key: undefined,
        jwt_filer_signing_read_key: undefined,
      },
    },
    { disk: systemDisk, random: systemRandom },
  );
  const log = silentLog;
  const gateways =
    workers === 1
      ? undefined
      : new Gateways({
          settings,
          folder,
          credentials,
          keyRing: undefined,
          command: {
            file: join(import.meta.dir, "..", "gateways", "testing", "kelp-gateway.ts"),
            args: [],
          },
          network,
          clock: systemClock,
          log,
        });
  const store = opened.use(
    await openStore({
      folder,
      credentials,
      settings,
      keyRing: undefined,
      gateways,
      log,
    }),
  );
  const doors = opened.use(
    await openDoors({
      settings,
      credentials,
      store,
      gateways,
      pipelines: { handler: () => Promise.resolve(new Response(null, { status: 404 })) },
      staticFiles: undefined,
      dir,
      startedMs: systemClock.nowMs(),
      version: "0.0.0-test",
      log,
    }),
  );
  const owned = opened.move();
  return {
    store,
    s3Url: doors.s3Url,
    consoleUrl: doors.consoleUrl,
    root: { accessKeyId: credentials.access_key, secretAccessKey: credentials.secret_key },
    token: must(credentials.console_token),
    gatewayPids: () => gateways?.pids() ?? [],
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function settingsFor(dir: string): ServerSettings {
  const anyPort = { port: 0, choice: "named" } as const;
  return {
    dir,
    bindAddress: "127.0.0.1",
    advertisedAddress: undefined,
    s3Port: 0,
    consolePort: 0,
    masterPort: anyPort,
    volumePort: anyPort,
    filerPort: anyPort,
    s3Region: "any",
    workers: 1,
    localUser: "signs-in",
    volumeSizeBytesMax: 1024 ** 3,
    volumeFolders: [{ path: join(dir, "volumes"), diskType: "", volumeCountMax: undefined }],
    volumeTiers: [],
    minFreeSpaceBytes: 0,
    maintenance: {
      garbageThreshold: 1,
      vacuumBytesPerSec: 1024 ** 3,
      scrubCycleMs: undefined,
    },
    pipelines: {
      python: "python3",
      parallelism: undefined,
      imagePolicy: "host",
      cache: "on",
      secretsFile: undefined,
    },
    encryption: { atRest: undefined, previous: undefined },
    damagedLog: "refuse",
    logLevel: "error",
    logFormat: "json",
    readyFile: undefined,
    rootAccessKey: undefined,
    rootSecretKey: undefined,
    signingKeys: {
      needleWrite: undefined,
      needleRead: undefined,
      pathWrite: undefined,
      pathRead: undefined,
    },
  };
}
