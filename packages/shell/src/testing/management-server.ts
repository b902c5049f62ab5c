import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import { text } from "node:stream/consumers";
import type { VolumeMessage } from "@kelp/wire/management";

/** The routes of `/api/v1` that the shell uses, in memory, on a port of their own. */
export interface ManagementServer extends AsyncDisposable {
  readonly baseUrl: string;
  readonly buckets: Map<string, FakeBucket>;
  readonly identities: Map<string, FakeIdentity>;
  readonly volumes: VolumeMessage[];
  /** Ids of volumes on which no job is done. */
  readonly refusing: Set<number>;
  /** Method and target of every call, in order. */
  readonly calls: string[];
  /** What came with the calls about volumes, in order. */
  readonly bodies: string[];
}

interface FakeBucket {
  quotaBytes: number | null;
  quotaObjects: number | null;
  readonly objects: Map<string, string>;
  /** What the bucket held, by the name of the snapshot. */
  readonly snapshots: Map<string, Map<string, string>>;
}

export function fakeBucket(objects: ReadonlyMap<string, string> = new Map()): FakeBucket {
  return {
    quotaBytes: null,
    quotaObjects: null,
    objects: new Map(objects),
    snapshots: new Map(),
  };
}

interface FakeIdentity {
  actions: readonly string[];
  isDisabled: boolean;
  /** Secrets by access key. */
  readonly keys: Map<string, string>;
}

export const TOKEN = "shell-test-token";
const TIME_MS = Date.UTC(2026, 0, 2, 3, 4, 5);
/** Small, so that tests turn pages. */
const PAGE_MAX = 3;

class Broken extends Error {}

class Refusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export async function openManagementServer(): Promise<ManagementServer> {
  const buckets = new Map<string, FakeBucket>();
  const identities = new Map<string, FakeIdentity>();
  const volumes = [...VOLUMES];
  const refusing = new Set<number>();
  const calls: string[] = [];
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    calls.push(`${request.method} ${request.url}`);
    const world = { buckets, identities, volumes, refusing, bodies };
    respond(request, response, answer(request, world)).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    baseUrl: `http://127.0.0.1:${address.port}`,
    buckets,
    identities,
    volumes,
    refusing,
    calls,
    bodies,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  result: Promise<unknown>,
): Promise<void> {
  try {
    const value = await result;
    response.end(typeof value === "string" ? value : JSON.stringify(value));
  } catch (error) {
    // The content of this object breaks off, as when a connection is lost.
    if (error instanceof Broken) {
      response.setHeader("content-length", "1000");
      response.write("begin");
      request.socket.end();
      return;
    }
    response.statusCode = error instanceof Refusal ? error.status : 500;
    const message = error instanceof Error ? error.message : "unknown";
    response.end(JSON.stringify({ error: { code: "refused", message } }));
  }
}

async function answer(
  request: IncomingMessage,
  known: Pick<ManagementServer, "buckets" | "identities" | "volumes" | "refusing" | "bodies">,
): Promise<unknown> {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) throw new Refusal(401, "Sign in first");
  const url = new URL(request.url ?? "", "http://localhost");
  const route = url.pathname.split("/").slice(3).map(decodeURIComponent);
  const method = request.method ?? "";
  const content = await text(request);
  const json = (): Record<string, unknown> =>
    content === "" ? {} : (JSON.parse(content) as Record<string, unknown>);
  const { buckets, identities, bodies } = known;
  if (route[0] === "buckets") return bucketRoute(buckets, method, route, url, content, json);
  if (route[0] === "identities") return identityRoute(identities, method, route, json);
  if (route[0] === "volumes") bodies.push(content);
  if (route[0] === "volumes") return volumeRoute(known, method, route, url, json);
  if (route[0] === "cluster") return CLUSTER;
  throw new Refusal(404, "There is no such route");
}

function bucketRoute(
  buckets: Map<string, FakeBucket>,
  method: string,
  route: readonly string[],
  url: URL,
  content: string,
  json: () => Record<string, unknown>,
): unknown {
  const [, name, what, info] = route;
  if (name === undefined) {
    if (method === "GET") return { buckets: [...buckets].map(bucketMessage) };
    const wanted = String(json()["name"]);
    if (!/^[a-z0-9-]{3,}$/.test(wanted)) throw new Refusal(400, "The bucket name is\nnot valid");
    if (buckets.has(wanted)) throw new Refusal(409, `The bucket ${wanted} exists`);
    buckets.set(wanted, fakeBucket());
    return {};
  }
  const bucket = buckets.get(name);
  if (bucket === undefined) throw new Refusal(404, `There is no bucket ${name}`);
  const key = url.searchParams.get("key") ?? "";
  if (what === "snapshots" || what === "clone") {
    return copyRoute(buckets, [name, bucket], method, what === "clone" ? "clone" : info, json);
  }
  const snapshot = url.searchParams.get("snapshot");
  if (snapshot !== null && method !== "GET") throw new Refusal(400, "It is a snapshot");
  const seen = snapshot === null ? bucket.objects : snapshotOf(bucket, snapshot);
  switch (`${method} ${[what, info].filter((part) => part !== undefined).join("/")}`) {
    case "DELETE ":
      if (
        bucket.objects.size + bucket.snapshots.size > 0 &&
        url.searchParams.get("force") !== "true"
      ) {
        throw new Refusal(409, `The bucket ${name} is not empty`);
      }
      buckets.delete(name);
      return {};
    case "PUT quota": {
      const { quota_bytes = bucket.quotaBytes, quota_objects = bucket.quotaObjects } = json();
      bucket.quotaBytes = quota_bytes as number | null;
      bucket.quotaObjects = quota_objects as number | null;
      return {};
    }
    case "GET objects":
      return page(seen, url.searchParams);
    case "DELETE objects": {
      const prefix = url.searchParams.get("prefix") ?? "";
      if (prefix === "") throw new Refusal(400, "The prefix is missing");
      for (const each of seen.keys()) if (each.startsWith(prefix)) seen.delete(each);
      return {};
    }
    case "GET object/info":
      return { ...item(key, stored(seen, key)), content_type: "text/plain", user_metadata: {} };
    case "GET object":
      if (key === "broken") throw new Broken();
      return stored(seen, key);
    case "PUT object":
      bucket.objects.set(key, content);
      return {};
    case "DELETE object":
      stored(bucket.objects, key);
      bucket.objects.delete(key);
      return {};
    case "POST rename": {
      const { source, target } = json();
      const moved = stored(bucket.objects, String(source));
      bucket.objects.delete(String(source));
      bucket.objects.set(String(target), moved);
      return {};
    }
    case "GET entry":
      return { path: key, size_bytes: stored(bucket.objects, key).length, chunks: [] };
    default:
      throw new Refusal(404, "There is no such route");
  }
}

function copyRoute(
  buckets: Map<string, FakeBucket>,
  [name, bucket]: readonly [string, FakeBucket],
  method: string,
  what: string | undefined,
  json: () => Record<string, unknown>,
): unknown {
  if (what === "clone") {
    const { name: target, snapshot } = json() as { name: string; snapshot?: string };
    if (buckets.has(target)) throw new Refusal(409, `The bucket ${target} exists`);
    const from = snapshot === undefined ? bucket.objects : snapshotOf(bucket, snapshot);
    const made = fakeBucket(from);
    buckets.set(target, made);
    return bucketMessage([target, made]);
  }
  if (method === "GET") return { snapshots: [...bucket.snapshots].map(snapshotMessage) };
  if (method === "POST") {
    const wanted = String(json()["name"]);
    if (bucket.snapshots.has(wanted)) throw new Refusal(409, `${name} has a snapshot ${wanted}`);
    bucket.snapshots.set(wanted, new Map(bucket.objects));
    return snapshotMessage([wanted, bucket.objects]);
  }
  snapshotOf(bucket, what ?? "");
  bucket.snapshots.delete(what ?? "");
  return {};
}

function snapshotOf(bucket: FakeBucket, name: string): Map<string, string> {
  const found = bucket.snapshots.get(name);
  if (found === undefined) throw new Refusal(404, `There is no snapshot ${name}`);
  return found;
}

function snapshotMessage([name, objects]: [string, ReadonlyMap<string, string>]): object {
  return {
    name,
    created_ms: TIME_MS,
    size_bytes: sizeOf(objects),
    object_count: objects.size,
  };
}

function sizeOf(objects: ReadonlyMap<string, string>): number {
  return [...objects.values()].reduce((sum, content) => sum + Buffer.byteLength(content), 0);
}

function identityRoute(
  identities: Map<string, FakeIdentity>,
  method: string,
  route: readonly string[],
  json: () => Record<string, unknown>,
): unknown {
  const [, name, , accessKey] = route;
  if (name === undefined) return { identities: [...identities].map(identityMessage) };
  const known = identities.get(name);
  if (method === "PUT" && route.length === 2) {
    const { actions, is_disabled } = json();
    identities.set(name, {
      actions: actions as readonly string[],
      isDisabled: is_disabled === true,
      keys: known?.keys ?? new Map<string, string>(),
    });
    return {};
  }
  if (known === undefined) throw new Refusal(404, `There is no identity ${name}`);
  if (method === "DELETE" && route.length === 2) identities.delete(name);
  else if (method === "POST") {
    const { access_key = "AKIAMADE", secret_key = "made-secret" } = json();
    if (known.keys.has(String(access_key))) throw new Refusal(409, "The key exists");
    known.keys.set(String(access_key), String(secret_key));
    return { access_key, secret_key };
  } else if (method === "DELETE" && known.keys.delete(accessKey ?? "")) return {};
  else throw new Refusal(404, "There is no such key");
  return {};
}

function damagedIn({ id }: VolumeMessage) {
  return id === 2 ? [{ volume_id: id, what: "1a", offset_bytes: 8, reason: "rot" }] : [];
}

function volumeRoute(
  { volumes, refusing }: Pick<ManagementServer, "volumes" | "refusing">,
  method: string,
  route: readonly string[],
  url: URL,
  json: () => Record<string, unknown>,
): unknown {
  const [, id, what] = route;
  if (id === undefined) return { volumes };
  const volume = volumes.find((each) => `${each.id}` === id);
  if (volume === undefined) throw new Refusal(404, `There is no volume ${id}`);
  if (method === "POST" && refusing.has(volume.id)) {
    throw new Refusal(500, `Cannot ${what} it: its index may be wrong`);
  }
  switch (`${method} ${what ?? ""}`) {
    case "POST vacuum": {
      const damaged = damagedIn(volume);
      return { bytes_before: volume.size_bytes, bytes_after: 100, live_count: 2, damaged };
    }
    case "POST scrub": {
      const damaged = damagedIn(volume);
      return { checked_count: 2, checked_bytes: 100, repaired: [], damaged };
    }
    case "POST encode":
      if (volume.id === 1) throw new Refusal(409, "Mark it read-only first");
      return {};
    case "POST rebuild":
      return { rebuilt: volume.shards?.missing ?? [] };
    case "POST upload":
      if (json()["backend"] !== "cold") throw new Refusal(404, "No such remote store");
      return {};
    case "POST decode":
    case "POST download":
      return {};
    case "PUT state":
      if (json()["state"] === "writable" && volume.id === 2) throw new Refusal(409, "Not that one");
      return {};
    case "DELETE ":
      if (url.searchParams.get("force") !== "true") throw new Refusal(409, "Needles live in it");
      return {};
    default:
      throw new Refusal(404, "There is no such route");
  }
}

function page(objects: ReadonlyMap<string, string>, query: URLSearchParams): unknown {
  const prefix = query.get("prefix") ?? "";
  const after = query.get("after") ?? "";
  const limit = Math.min(Number(query.get("limit") ?? PAGE_MAX), PAGE_MAX);
  const found = new Map<string, unknown>();
  for (const key of [...objects.keys()].sort()) {
    if (!key.startsWith(prefix)) continue;
    const slash = query.get("delimiter") === "/" ? key.indexOf("/", prefix.length) : -1;
    const name = slash < 0 ? key : key.slice(0, slash + 1);
    if (name <= after || (after.endsWith("/") && key.startsWith(after))) continue;
    found.set(name, slash < 0 ? item(key, stored(objects, key)) : { kind: "prefix", prefix: name });
  }
  const names = [...found.keys()];
  const isCut = names.length > limit;
  return {
    items: [...found.values()].slice(0, limit),
    next: isCut ? names[limit - 1] : null,
  };
}

function stored(objects: ReadonlyMap<string, string>, key: string): string {
  const content = objects.get(key);
  if (content === undefined) throw new Refusal(404, `There is no object ${key}`);
  return content;
}

function item(key: string, content: string): object {
  return {
    kind: "object",
    key,
    size_bytes: Buffer.byteLength(content),
    modified_ms: TIME_MS,
    etag: "etag",
    chunk_count: content === "" ? 0 : 1,
  };
}

function bucketMessage([name, bucket]: [string, FakeBucket]): object {
  const contents = [...bucket.objects.values()];
  return {
    name,
    owner: "root",
    created_ms: TIME_MS,
    size_bytes: sizeOf(bucket.objects),
    object_count: contents.length,
    chunk_count: contents.filter((content) => content !== "").length,
    quota_bytes: bucket.quotaBytes,
    quota_objects: bucket.quotaObjects,
  };
}

function identityMessage([name, { actions, isDisabled, keys }]: [string, FakeIdentity]): object {
  return {
    name,
    is_disabled: isDisabled,
    actions,
    created_ms: TIME_MS,
    keys: [...keys.keys()].map((access_key) => ({
      access_key,
      is_active: true,
      created_ms: TIME_MS,
    })),
  };
}

const VOLUMES: readonly VolumeMessage[] = [
  { id: 1, collection: "", size_bytes: 300, state: "writable" },
  { id: 2, collection: "cold", size_bytes: 500, state: "sealed" },
].map((volume) => ({
  ...volume,
  live_count: 2,
  live_bytes: 100,
  deleted_count: 1,
  deleted_bytes: 50,
  garbage_ratio: volume.id === 1 ? 0.1 : 0.5,
  holder: null,
  form: "plain",
  shards: null,
  backend: null,
  version: 3,
  compaction_revision: 0,
  disk: 0,
  disk_type: "",
  damaged_count: volume.id - 1,
}));

const CLUSTER = {
  version: "0.1.0",
  started_ms: TIME_MS,
  endpoints: { s3: "http://127.0.0.1:8333" },
  dir: "/data",
  disk_total_bytes: 1000,
  disk_available_bytes: 400,
  volume_count: 2,
  healthy: true,
};
