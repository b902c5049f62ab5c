import type { Clock, Log, TcpNetwork } from "@kelp/base";
import { type KeyRing, type OtherBodies, bodiesOfGateways } from "@kelp/filer";
import { serveMaster } from "@kelp/master";
import { type Borrower, serveVolumes } from "@kelp/volume";
import { filerCollection } from "@kelp/wire";
import type { Credentials } from "../folder/credentials.ts";
import type { DataFolder } from "../folder/data-folder.ts";
import type { ServerSettings } from "../settings.ts";
import type { Store } from "../store.ts";
import { BUSY_CALL, type GatewaySetup } from "./gateway-calls.ts";
import { GatewayPool } from "./gateway-pool.ts";
import { isPortShared } from "../doors/port-holder.ts";
import { PORT_ATTEMPTS_MAX } from "./limits.ts";
import { probePort } from "./free-port.ts";

export interface GatewaysOptions {
  readonly settings: ServerSettings;
  readonly folder: DataFolder;
  readonly credentials: Credentials;
  readonly keyRing: KeyRing | undefined;
  readonly command: { readonly file: string; readonly args: readonly string[] };
  /** Where the port is tried before the gateways open it. */
  readonly network: TcpNetwork;
  readonly clock: Clock;
  readonly log: Log;
}

/** An S3 door that other processes serve. */
export interface GatewayDoor {
  readonly port: number;
  readonly pool: GatewayPool;
}

/** The gateways of a server, before and after they run: the store asks them from its beginning, and they need the store. */
export class Gateways {
  readonly #options: GatewaysOptions;
  #pool: GatewayPool | undefined;

  constructor(options: GatewaysOptions) {
    this.#options = options;
  }

  /** What they have in hand. While none runs that is nothing. */
  readonly bodies: OtherBodies = bodiesOfGateways(() => this.#pool?.peers() ?? []);

  /** Of the processes that run at the moment. */
  pids(): readonly number[] {
    return this.#pool?.pids() ?? [];
  }

  /** See `GatewayPool`. */
  readonly identitiesChanged = async (): Promise<void> => {
    await this.#pool?.identitiesChanged();
  };

  /**
   * Starts them; resolves when every one of them serves. Throws the system's error when the port cannot be used, `EADDRINUSE` also
   * when others listen on it.
   */
  async open(store: Store): Promise<GatewayDoor> {
    const { settings, network } = this.#options;
    for (let attempt = 1; ; attempt += 1) {
      const port = await probePort(network, settings.bindAddress, settings.s3Port);
      try {
        return { port, pool: await this.#openOn(port, store) };
      } catch (error) {
        const isLast = settings.s3Port !== 0 || attempt >= PORT_ATTEMPTS_MAX;
        if (isLast || !isTaken(error)) throw error;
      }
    }
  }

  async #openOn(port: number, store: Store): Promise<GatewayPool> {
    const { settings, folder, command, clock, log } = this.#options;
    const pool = await GatewayPool.open({
      count: settings.workers,
      command,
      socket: folder.file("gateways"),
      setup: () => this.#setup(port, filerCollection(store.filer.storeId())),
      serve: (borrower: Borrower) => ({
        ...store.filer.gatewayCalls(),
        ...serveMaster(store.master),
        ...serveVolumes({ volumes: store.volumes, master: store.master, borrower }),
        [BUSY_CALL]: (count) => store.foreground.came(count as number),
      }),
      onDied: (borrower) => store.abandoned.note(store.volumes.heldBy(borrower)),
      onStarted: (started) => {
        this.#pool = started;
      },
      clock,
      log: log.child({ room: "gateways" }),
    });
    // Between the probe and the gateways somebody else may have opened it, in a way that lets them share it.
    if (isPortShared(port, pool.pids())) {
      await pool.stop();
      throw Object.assign(new Error(`another process listens on ${port}`), { code: "EADDRINUSE" });
    }
    return pool;
  }

  #setup(port: number, collection: string): GatewaySetup {
    const { settings, folder, credentials, keyRing } = this.#options;
    return {
      dir: folder.path,
      filerFile: folder.file("filer"),
      collection,
      iamFile: folder.file("iam"),
      root: { accessKeyId: credentials.access_key, secret: credentials.secret_key },
      ringKeys: keyRing?.keys,
      minFreeSpaceBytes: settings.minFreeSpaceBytes,
      address: settings.bindAddress,
      port,
      region: settings.s3Region,
      logLevel: settings.logLevel,
      logFormat: settings.logFormat,
    };
  }
}

function isTaken(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EADDRINUSE";
}
