import { type Log, type Service, hex, utf8 } from "@kelp/base";
import { systemClock, systemHashes, systemTcpNetwork } from "@kelp/base/platform";
import { openFilerDoor } from "@kelp/filer/server";
import { type OpenDoorGate, openDoorGate } from "@kelp/iam/server";
import { openMasterDoor } from "@kelp/master/server";
import { explainVolumeError, openVolumeDoor } from "@kelp/volume/server";
import type { PeopleGate } from "@kelp/wire";
import type { Credentials } from "../folder/credentials.ts";
import type { PortChoice, ServerSettings } from "../settings.ts";
import type { Store } from "../store.ts";
import { doorUrl } from "./addresses.ts";
import { openOnPort } from "./open-on-port.ts";

/** The doors that SeaweedFS clients know: master, volume server and filer. */
export interface StoreDoors extends Service {
  readonly masterUrl: string;
  readonly volumeUrl: string;
  readonly filerUrl: string;
}

export interface StoreDoorsOptions {
  readonly settings: ServerSettings;
  readonly credentials: Credentials;
  readonly store: Store;
  readonly gate: PeopleGate;
  /** What clients are told. */
  readonly host: string;
  readonly startedMs: number;
  readonly version: string;
  readonly log: Log;
}

/** Opens the three doors. When it resolves, all answer. Throws `StartError`. */
export async function openStoreDoors(options: StoreDoorsOptions): Promise<StoreDoors> {
  const { settings, store, host, version, startedMs, credentials } = options;
  const gate = openGate(options);
  // Not the master's: what waits for a job there is nobody that the job has to give way to.
  const { volumes, foreground } = store;
  const address = settings.bindAddress;
  const network = systemTcpNetwork;
  const common = {
    gate,
    authorizer: store.iam,
    clock: systemClock,
    version,
    startedMs,
    network,
    address,
  };
  await using opened = new AsyncDisposableStack();

  const volume = opened.use(
    await onPort(options, { name: "volume", choice: settings.volumePort }, (port, log) =>
      openVolumeDoor({
        ...common,
        needles: volumes,
        volumes,
        disks: volumes,
        hashes: systemHashes,
        foreground,
        log,
        port,
      }),
    ),
  );
  const volumeUrl = doorUrl(host, volume.port);
  const master = opened.use(
    await onPort(options, { name: "master", choice: settings.masterPort }, (port, log) =>
      openMasterDoor({
        ...common,
        master: store.master,
        growth: store.master,
        volumes,
        admin: volumes,
        receive: (request, fid) => volume.receive(request, fid),
        explainVolumes: explainVolumeError,
        tokens: gate,
        topologyId: topologyId(credentials),
        volumeSizeBytesMax: settings.volumeSizeBytesMax,
        volumeNode: volumeUrl.slice("http://".length),
        host,
        log,
        port,
      }),
    ),
  );
  const filer = opened.use(
    await onPort(options, { name: "filer", choice: settings.filerPort }, (port, log) =>
      openFilerDoor({ ...common, filer: store.filer, foreground, log, port }),
    ),
  );

  const owned = opened.move();
  const stop = (): Promise<void> => owned.disposeAsync();
  return {
    masterUrl: doorUrl(host, master.port),
    volumeUrl,
    filerUrl: doorUrl(host, filer.port),
    drain: async (signal) => {
      await Promise.all([master.drain(signal), volume.drain(signal), filer.drain(signal)]);
    },
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function openGate(options: StoreDoorsOptions): OpenDoorGate {
  const { credentials } = options;
  return openDoorGate({
    people: options.gate,
    keys: options.store.iam,
    signingKeys: {
      needleWrite: credentials.jwt_signing_key,
      needleRead: credentials.jwt_signing_read_key,
      pathWrite: credentials.jwt_filer_signing_key,
      pathRead: credentials.jwt_filer_signing_read_key,
    },
    clock: systemClock,
    hashes: systemHashes,
    log: options.log.child({ room: "gate" }),
  });
}

function onPort<Door>(
  options: StoreDoorsOptions,
  door: { readonly name: "volume" | "master" | "filer"; readonly choice: PortChoice },
  open: (port: number, log: Log) => Promise<Door>,
): Promise<Door> {
  const { name, choice } = door;
  const log = options.log.child({ door: name });
  const place = { name, address: options.settings.bindAddress, flag: `--${name}.port` };
  return openOnPort({ ...place, choice, log }, (port) => open(port, log));
}

/** Tells this data folder from others in the form of a UUID, without telling what it is made from. */
function topologyId(credentials: Credentials): string {
  const digest = hex(systemHashes.hmacSha256(utf8(credentials.jwt_signing_key), "topology"));
  return digest.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
