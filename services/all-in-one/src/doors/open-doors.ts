import type { Log, Service } from "@kelp/base";
import {
  systemClock,
  systemHashes,
  systemPeerUsers,
  systemRandom,
  systemTcpNetwork,
} from "@kelp/base/platform";
import { type StaticFiles, createConsoleHandler } from "@kelp/console";
import { type LocalUserTrust, openPeopleGate } from "@kelp/iam/server";
import { openS3Server } from "@kelp/s3";
import type { PeopleGate, PeopleHandler } from "@kelp/wire";
import { BackupDoor } from "../backup/backup-door.ts";
import { BACKUP_PATH } from "../backup/messages.ts";
import type { Credentials } from "../folder/credentials.ts";
import type { ServerSettings } from "../settings.ts";
import type { Store } from "../store.ts";
import type { Gateways } from "../gateways/gateways.ts";
import { advertisedAddress, doorUrl, isLoopback } from "./addresses.ts";
import { listenError } from "./listen-error.ts";
import { openStoreDoors } from "./store-doors.ts";
import { openPeopleDoor } from "./people-door.ts";

/** Every listening port of the process. */
export interface Doors extends Service {
  readonly s3Port: number;
  readonly s3Url: string;
  readonly consolePort: number;
  readonly consoleUrl: string;
  readonly masterUrl: string;
  readonly volumeUrl: string;
  readonly filerUrl: string;
}

export interface DoorsOptions {
  readonly settings: ServerSettings;
  readonly credentials: Credentials;
  readonly store: Store;
  readonly pipelines: { readonly handler: PeopleHandler };
  /** Who serves the S3 door; `undefined`: this process. */
  readonly gateways: Gateways | undefined;
  readonly staticFiles: StaticFiles | undefined;
  readonly dir: string;
  readonly startedMs: number;
  readonly version: string;
  readonly log: Log;
}

/** Opens the S3 door and the people's door. When it resolves, both answer. Throws `StartError`. */
export async function openDoors(options: DoorsOptions): Promise<Doors> {
  const { settings } = options;
  const host = advertisedAddress(settings.bindAddress, settings.advertisedAddress);
  await using opened = new AsyncDisposableStack();
  const s3 = opened.use(await openS3Door(options));
  const s3Url = doorUrl(host, s3.port);

  const gate = openGate(options, host);
  // The console tells its own address, which is known once it listens; nobody can ask before.
  const endpoints: Record<string, string> = { s3: s3Url };
  const consoleHandler = createConsoleHandler({
    objects: options.store.objects,
    copies: options.store.copies,
    entries: options.store.filer,
    identities: options.store.iam,
    authorizer: options.store.iam,
    gate,
    master: options.store.master,
    volumes: options.store.volumes,
    clock: systemClock,
    log: options.log,
    version: options.version,
    info: () => ({
      endpoints,
      dir: options.dir,
      startedMs: options.startedMs,
      memoryRssBytes: process.memoryUsage.rss(),
    }),
    entryFigures: () => options.store.entryScrubs.figures(),
    staticFiles: options.staticFiles,
  });
  const backup = opened.use(
    new BackupDoor({
      filer: options.store.filer,
      volumes: options.store.volumes,
      authorizer: options.store.iam,
      clock: systemClock,
      random: systemRandom,
      hashes: systemHashes,
      log: options.log.child({ door: "backup" }),
    }),
  );
  const people = opened.use(
    await openPeopleDoor({
      gate,
      route: (path) => {
        if (path.startsWith("/apis/")) return options.pipelines.handler;
        return path.startsWith(BACKUP_PATH) ? backup.handler : consoleHandler;
      },
      network: systemTcpNetwork,
      clock: systemClock,
      address: settings.bindAddress,
      port: settings.consolePort,
      log: options.log.child({ door: "console" }),
    }),
  );
  const consoleUrl = doorUrl(host, people.port);
  endpoints["console"] = consoleUrl;
  endpoints["pipelines"] = consoleUrl;
  const stores = opened.use(await openStoreDoors({ ...options, gate, host }));
  endpoints["filer"] = stores.filerUrl;
  endpoints["master"] = stores.masterUrl;
  endpoints["volume"] = stores.volumeUrl;

  const owned = opened.move();
  const stop = (): Promise<void> => owned.disposeAsync();
  return {
    s3Port: s3.port,
    s3Url,
    consolePort: people.port,
    consoleUrl,
    masterUrl: stores.masterUrl,
    volumeUrl: stores.volumeUrl,
    filerUrl: stores.filerUrl,
    drain: async (signal) => {
      await Promise.all([s3.drain(signal), people.drain(signal), stores.drain(signal)]);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

interface S3Door extends Service {
  readonly port: number;
}

async function openS3Door(options: DoorsOptions): Promise<S3Door> {
  const { settings, store, gateways } = options;
  const place = { address: settings.bindAddress, port: settings.s3Port };
  try {
    if (gateways !== undefined) {
      const { port, pool } = await gateways.open(store);
      const stop = (): Promise<void> => pool.stop();
      return { port, drain: (signal) => pool.drain(signal), stop, [Symbol.asyncDispose]: stop };
    }
    return await openS3Server({
      filer: store.filer,
      authorizer: store.iam,
      keys: store.iam,
      clock: systemClock,
      random: systemRandom,
      hashes: systemHashes,
      log: options.log.child({ door: "s3" }),
      foreground: store.foreground,
      network: systemTcpNetwork,
      host: place.address,
      port: place.port,
      region:
        settings.s3Region === "any" ? { kind: "any" } : { kind: "strict", name: settings.s3Region },
    });
  } catch (error) {
    throw listenError(error, { ...place, name: "S3", flag: "--s3.port" });
  }
}

function openGate(options: DoorsOptions, host: string): PeopleGate {
  return openPeopleGate({
    database: options.store.iamDatabase,
    keys: options.store.iam,
    token: options.credentials.console_token,
    localUser: localUserTrust(options.settings),
    advertisedHosts: isLoopback(host) ? [] : [host],
    scheme: "http",
    clock: systemClock,
    random: systemRandom,
    hashes: systemHashes,
    log: options.log.child({ room: "gate" }),
  });
}

/** Only where the system tells who is at the other end. */
function localUserTrust(settings: ServerSettings): LocalUserTrust {
  const userId = process.geteuid?.();
  if (settings.localUser !== "trusted" || userId === undefined) return { kind: "off" };
  return {
    kind: "same-user",
    boundAddress: settings.bindAddress,
    userId,
    peers: systemPeerUsers,
  };
}
