import type { LogFormat, LogLevel } from "../process/log.ts";

/** The first call of a gateway, with its process id; gives `GatewaySetup`. */
export const HELLO_CALL = "gateway.hello";
/** The door of the gateway answers. */
export const READY_CALL = "gateway.ready";
/** The door of the gateway cannot be opened. */
export const FAILED_CALL = "gateway.failed";
/** How many requests came to the gateway since the last such call: jobs on volumes give way to them. */
export const BUSY_CALL = "gateway.busy";
/** Of the server: identities have changed. Answered when the gateway goes by them. */
export const IDENTITIES_CALL = "gateway.identities";
/** Of the server: no new work. Answered when what was in flight has ended and volumes are given back. */
export const DRAIN_CALL = "gateway.drain";

/** Environment variable of a gateway: where its server listens for calls. */
export const SOCKET_VARIABLE = "KELP_GATEWAY_SOCKET";

/** What a gateway needs to know. It holds secrets, and goes through no file and no environment. */
export interface GatewaySetup {
  readonly dir: string;
  readonly filerFile: string;
  /** Of the volumes that hold what the filer stores. */
  readonly collection: string;
  readonly iamFile: string;
  readonly root: { readonly accessKeyId: string; readonly secret: string };
  /** `undefined`: the folder is not sealed. */
  readonly ringKeys: ReadonlyMap<number, Uint8Array> | undefined;
  readonly minFreeSpaceBytes: number;
  readonly address: string;
  readonly port: number;
  readonly region: string;
  readonly logLevel: LogLevel;
  readonly logFormat: LogFormat;
}

/** Why a gateway's door cannot be opened, as the system said it. */
export interface DoorFailure {
  readonly code: string | undefined;
  readonly message: string;
}
