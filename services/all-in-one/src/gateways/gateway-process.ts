import { type CallHandlers, type CallPeer, Foreground, type Log, assert } from "@kelp/base";
import {
  openDatabase,
  systemAead,
  systemCallNetwork,
  systemClock,
  systemDisk,
  systemHashes,
  systemRandom,
  systemTcpNetwork,
} from "@kelp/base/platform";
import { KeyRing, openGatewayFiler } from "@kelp/filer";
import { openIamReader } from "@kelp/iam";
import { GatewayMaster } from "@kelp/master";
import { type S3Server, openS3Server } from "@kelp/s3";
import { GatewayVolumes } from "@kelp/volume";
import { RELEASE_MEMORY_PAUSE_MS, releaseMemory } from "../jobs/release-memory.ts";
import { RepeatingJob } from "../jobs/repeating-job.ts";
import { openLog } from "../process/log.ts";
import {
  BUSY_CALL,
  DRAIN_CALL,
  type DoorFailure,
  FAILED_CALL,
  type GatewaySetup,
  HELLO_CALL,
  IDENTITIES_CALL,
  READY_CALL,
  SOCKET_VARIABLE,
} from "./gateway-calls.ts";
import { BUSY_PAUSE_MS, REFRESH_PAUSE_MS } from "./limits.ts";

/**
 * The life of a gateway: it serves the S3 door until its server has it end, or is gone. It must not live longer than its connection to
 * the server, which takes back the volumes that this process writes.
 */
export async function runGateway(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<never> {
  process.umask(0o077);
  // A terminal and a supervisor signal the whole group: the server decides when its gateways end.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => undefined);
  const address = environment[SOCKET_VARIABLE];
  assert(address !== undefined, "a gateway is started by its server");
  const handlers: Handlers = {};
  const server = await systemCallNetwork.connect(address, handlers);
  server.closed.then(
    () => process.exit(0),
    () => process.exit(1),
  );
  const setup = (await server.call(HELLO_CALL, process.pid)) as GatewaySetup;
  const log = openLog({ level: setup.logLevel, format: setup.logFormat }).child({
    gateway: process.pid,
  });
  const crash = (error: unknown): void => {
    log.error("A gateway ends after a failure that nothing handled", { error });
    process.exit(1);
  };
  process.on("uncaughtException", crash);
  process.on("unhandledRejection", crash);
  await serve(setup, server, handlers, log);
  await server.closed;
  return process.exit(0);
}

/** What the server may call, as soon as there is something to answer it. */
type Handlers = Record<string, (argument: unknown) => unknown>;

async function serve(
  setup: GatewaySetup,
  server: CallPeer,
  handlers: Handlers,
  log: Log,
): Promise<void> {
  const common = { clock: systemClock, random: systemRandom, hashes: systemHashes };
  const keyRing =
    setup.ringKeys === undefined
      ? undefined
      : new KeyRing({ ...common, aead: systemAead }, setup.ringKeys);
  const volumes = new GatewayVolumes(
    { ...common, disk: systemDisk, log: log.child({ room: "volume" }) },
    server,
  );
  const filer = openGatewayFiler({
    ...common,
    database: openDatabase(setup.filerFile, "read-only"),
    collection: setup.collection,
    writer: server,
    volumes,
    master: new GatewayMaster({ volumes, owner: server, random: systemRandom }),
    reserve: { disk: systemDisk, folder: setup.dir, bytes: setup.minFreeSpaceBytes },
    ...(keyRing === undefined ? {} : { keyRing }),
    log: log.child({ room: "filer" }),
  });
  const iam = openIamReader({
    ...common,
    database: openDatabase(setup.iamFile, "read-only"),
    root: setup.root,
    ...(keyRing === undefined ? {} : { secretSealer: keyRing }),
    log: log.child({ room: "iam" }),
  });
  let door: S3Server | undefined;
  const refreshing = new RepeatingJob({
    name: "look after followed volumes",
    pauseMs: REFRESH_PAUSE_MS,
    round: () => volumes.refresh(),
    clock: systemClock,
    log,
  });
  const releasing = new RepeatingJob({
    name: "release memory",
    pauseMs: RELEASE_MEMORY_PAUSE_MS,
    round: () => releaseMemory(filer),
    clock: systemClock,
    log,
  });
  const foreground = new Foreground(systemClock);
  let toldCount = 0;
  const telling = new RepeatingJob({
    name: "tell of requests",
    pauseMs: BUSY_PAUSE_MS,
    round: async () => {
      const count = foreground.totalCount - toldCount;
      toldCount += count;
      if (count > 0) await server.call(BUSY_CALL, count);
    },
    clock: systemClock,
    log,
  });
  // Before the door opens: what is read from then on can be asked for.
  Object.assign(handlers, {
    ...volumes.handlers,
    ...filer.handlers,
    [IDENTITIES_CALL]: () => iam.reload(),
    [DRAIN_CALL]: async (withinMs) => {
      await door?.drain(AbortSignal.timeout(withinMs as number));
      await door?.stop();
      await refreshing[Symbol.asyncDispose]();
      await releasing[Symbol.asyncDispose]();
      await telling[Symbol.asyncDispose]();
      await volumes.close();
    },
  } satisfies CallHandlers);
  try {
    door = await openS3Server({
      ...common,
      filer,
      authorizer: iam,
      keys: iam,
      log: log.child({ door: "s3" }),
      foreground,
      network: systemTcpNetwork,
      host: setup.address,
      port: setup.port,
      sharing: "shared",
      region: setup.region === "any" ? { kind: "any" } : { kind: "strict", name: setup.region },
    });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
    const message = error instanceof Error ? error.message : "it failed";
    await server.call(FAILED_CALL, { code, message } satisfies DoorFailure);
    return;
  }
  // What changed between the opening of the directory and its first notice.
  iam.reload();
  await server.call(READY_CALL, door.port);
}
