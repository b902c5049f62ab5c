import { type SqlDatabase, silentLog } from "@kelp/base";
import {
  openDatabase,
  parseYamlDocuments,
  systemClock,
  systemFiles,
  systemHashes,
  systemRandom,
} from "@kelp/base/platform";
import { temporaryFolder } from "@kelp/base/testing";
import { type Lineage, openLineage } from "@kelp/lineage";
import type { AccessRequest, PeopleHandler } from "@kelp/wire";
import { type PipelinesEngine, createPipelinesEngine } from "../../index.ts";
import { MemoryObjectStore } from "../../testing/memory-object-store.ts";
import { createPipelinesHandler } from "../index.ts";
import { type StepScript, scriptedExecutor } from "./scripted-executor.ts";

/** The whole of pipelines in one test: the real handler and engine, steps that are scripts, objects in memory. */
export interface ApiWorld extends AsyncDisposable {
  readonly handler: PeopleHandler;
  readonly engine: PipelinesEngine;
  readonly database: SqlDatabase;
  readonly lineage: Lineage;
  readonly objects: MemoryObjectStore;
  /** Set to refuse requests. */
  isAllowed: (request: AccessRequest) => boolean;
  /** Sends a request as root. A body that is no text or form goes as JSON. */
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Response>;
  /** The same, with the answer's JSON. */
  call(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<Answer>;
}

export interface Answer {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers of every form
  readonly body: any;
}

export function openApiWorld(scripts: Readonly<Record<string, StepScript>> = {}): ApiWorld {
  const folder = temporaryFolder();
  const database = openDatabase(":memory:");
  const lineage = openLineage(database);
  const objects = new MemoryObjectStore();
  const ports = { database, lineage, objects, clock: systemClock, random: systemRandom };
  const engine = createPipelinesEngine(
    {
      ...ports,
      executor: scriptedExecutor(new Map(Object.entries(scripts))),
      files: systemFiles,
      hashes: systemHashes,
      log: silentLog,
    },
    { parallelism: 4, logFolder: folder.path },
  );
  const handler = createPipelinesHandler({
    ...ports,
    engine,
    authorizer: {
      authorize: (request) =>
        world.isAllowed(request) ? { kind: "allow" } : { kind: "deny", reason: "implicit" },
    },
    log: silentLog,
    version: "test",
    parseYaml: parseYamlDocuments,
  });
  const world: ApiWorld = {
    handler,
    engine,
    database,
    lineage,
    objects,
    isAllowed: () => true,
    send: (method, path, body, headers) => send(handler, method, path, body, headers),
    async call(method, path, body, headers) {
      const response = await send(handler, method, path, body, headers);
      return { status: response.status, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await engine.stop();
      database[Symbol.dispose]();
      folder[Symbol.dispose]();
    },
  };
  return world;
}

async function send(
  handler: PeopleHandler,
  method: string,
  path: string,
  body: unknown,
  headers: Record<string, string> | undefined,
): Promise<Response> {
  const isRaw = body === undefined || typeof body === "string" || body instanceof FormData;
  const request = new Request(`http://door${path}`, {
    method,
    ...(headers === undefined ? {} : { headers }),
    ...(body === undefined ? {} : { body: isRaw ? body : JSON.stringify(body) }),
  });
  const principal = { kind: "root", name: "root" } as const;
  return handler(request, { kind: "admitted", principal, via: "token" }, GATE_REQUEST);
}

const GATE_REQUEST = {
  method: "GET",
  headers: {},
  remoteAddress: "127.0.0.1",
  remotePort: 1,
  localAddress: "127.0.0.1",
  localPort: 2,
};
