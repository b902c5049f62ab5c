import { silentLog } from "@kelp/base";
import { openFetchDoor } from "@kelp/base/http";
import { systemClock, systemTcpNetwork } from "@kelp/base/platform";
import type {
  AccessRequest,
  Admission,
  GateRequest,
  MasterStatus,
  PeopleGate,
  Principal,
} from "@kelp/wire";
import type { ConsoleDependencies } from "../dependencies.ts";
import { createConsoleHandler } from "../handler.ts";
import { MemoryIdentities } from "./memory-identities.ts";
import { MemoryConsoleVolumes } from "./memory-volumes.ts";
import { MemoryObjectStore } from "./memory-object-store.ts";

/** A console on a real socket over in-memory twins: `await using console = await startConsole();`. */
export interface TestConsole extends AsyncDisposable {
  readonly url: string;
  readonly objects: MemoryObjectStore;
  readonly identities: MemoryIdentities;
  readonly volumes: MemoryConsoleVolumes;
  /** What the routes asked the authoriser, in order. */
  readonly asked: readonly string[];
  /** What the gate says of the next requests. */
  admission: Admission;
  /** Actions that the authoriser denies from now on. */
  readonly denied: Set<string>;
  status: MasterStatus;
}

export const TEST_PAIR = { accessKey: "KELPROOT", secretKey: "open-sesame" } as const;

export async function startConsole(more: Partial<ConsoleDependencies> = {}): Promise<TestConsole> {
  const clock = testClock();
  const asked: string[] = [];
  const denied = new Set<string>();
  const test = {
    objects: new MemoryObjectStore(clock),
    identities: new MemoryIdentities(),
    volumes: new MemoryConsoleVolumes(),
    asked,
    denied,
    admission: admittedAs({ kind: "root", name: "root" }),
    status: { volumes: [], totalBytes: 1000, availableBytes: 900 } as MasterStatus,
  };
  const handler = createConsoleHandler({
    objects: test.objects,
    identities: test.identities,
    volumes: test.volumes,
    authorizer: {
      authorize(request: AccessRequest) {
        const reach = request.reach === "below" ? " below" : "";
        asked.push(`${request.action} ${request.resource}${reach}`);
        return denied.has(request.action)
          ? { kind: "deny", reason: "implicit" }
          : { kind: "allow" };
      },
    },
    gate: testGate(),
    master: {
      assign: () => Promise.reject(new Error("Cannot assign: the console has no need to")),
      status: () => Promise.resolve(test.status),
    },
    clock,
    log: silentLog,
    version: "0.0.0-test",
    info: () => ({
      endpoints: { s3: "http://127.0.0.1:1" },
      dir: "/data",
      startedMs: 5,
      memoryRssBytes: 7,
    }),
    entryFigures: () => ({ scrubCount: 2, damagedCount: 3 }),
    staticFiles: undefined,
    ...more,
  });
  const door = await openFetchDoor({
    handle: (request) => handler(request, test.admission, GATE_REQUEST),
    refuse: ({ status, message }) => new Response(message, { status }),
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
    clock: systemClock,
    log: silentLog,
  });
  return Object.assign(test, {
    url: `http://127.0.0.1:${door.port}`,
    [Symbol.asyncDispose]: () => door.stop(),
  });
}

export function admittedAs(principal: Principal): Admission {
  return { kind: "admitted", principal, via: "session" };
}

const GATE_REQUEST: GateRequest = {
  method: "GET",
  headers: {},
  remoteAddress: "127.0.0.1",
  remotePort: 1,
  localAddress: "127.0.0.1",
  localPort: 2,
};

function testGate(): PeopleGate {
  return {
    admit: () => Promise.reject(new Error("Cannot admit: the door has asked already")),
    signIn: async (pair) =>
      pair.accessKey === TEST_PAIR.accessKey && pair.secretKey === TEST_PAIR.secretKey
        ? { principal: { kind: "root", name: "root" }, cookie: "kelp_session=new; HttpOnly" }
        : undefined,
    signOut: () => ({ cookie: "kelp_session=; Max-Age=0" }),
  };
}

function testClock(): ConsoleDependencies["clock"] {
  let nowMs = 1_700_000_000_000;
  return {
    nowMs: () => (nowMs += 1),
    nowNs: () => BigInt(nowMs) * 1_000_000n,
    monotonicMs: () => (nowMs += 1),
    schedule: () => ({ cancel: () => undefined }),
    sleep: () => Promise.resolve(),
  };
}
