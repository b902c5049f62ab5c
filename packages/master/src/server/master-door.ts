import { type Clock, type Log, type TcpNetwork, assert } from "@kelp/base";
import {
  type HttpDoor,
  HttpError,
  type HttpHandler,
  type HttpReply,
  type HttpRequest,
  type Query,
  emptyReply,
  jsonReply,
  openHttpDoor,
  textReply,
} from "@kelp/base/http";
import {
  type Authorizer,
  type DoorCaller,
  type DoorGate,
  type Fid,
  type MasterAdmin,
  type MasterClient,
  type NeedleTokens,
  type VolumeAdmin,
  type VolumeClient,
  type VolumeStatus,
  admitCaller,
  formatFid,
  mayAccess,
  parseFid,
  requireAccess,
  serviceArn,
} from "@kelp/wire";
import { explainMasterError } from "./explain-error.ts";
import { ASSIGN_COUNT_MAX, GARBAGE_THRESHOLD_DEFAULT, GROW_COUNT_MAX } from "./limits.ts";
import { parametersOf } from "./parameters.ts";
import { type Placement, placementOf, refuseFilers } from "./placement.ts";
import { masterPage } from "./status-page.ts";
import {
  type Topology,
  collectionDetailJson,
  collectionJson,
  topologyJson,
  volumesJson,
} from "./topology.ts";

export interface MasterDoorOptions {
  readonly master: Pick<MasterClient, "assign">;
  readonly growth: MasterAdmin;
  readonly volumes: Pick<VolumeClient, "volumes">;
  readonly admin: Pick<VolumeAdmin, "disks" | "deleteCollection" | "vacuum">;
  /** Takes the body of a request into a needle: the volume server's part of `/submit`. */
  readonly receive: (request: HttpRequest, fid: Fid) => Promise<ReceivedFile>;
  /** An error of the volumes as an answer. */
  readonly explainVolumes: (error: unknown) => HttpError | undefined;
  readonly gate: DoorGate;
  readonly tokens: NeedleTokens;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
  readonly topologyId: string;
  readonly startedMs: number;
  readonly volumeSizeBytesMax: number;
  /** `host:port` of the volume server, as clients are told. */
  readonly volumeNode: string;
  /** Host that clients are told; the port is the one that is listened on. */
  readonly host: string;
  readonly network: TcpNetwork;
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
}

export interface ReceivedFile {
  readonly name: string | undefined;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** Opens the HTTP interface of a master. Rejects with the system's error when the port cannot be had. */
export function openMasterDoor(options: MasterDoorOptions): Promise<HttpDoor> {
  const { network, address, port, clock, log } = options;
  const handler = new MasterHandler(options);
  return openHttpDoor({ handler, network, address, port, clock, log });
}

type Effect = "reads" | "changes";

/** A call that was let in: what it says, who says it. */
interface Call {
  readonly request: HttpRequest;
  readonly query: Query;
  readonly caller: DoorCaller;
}

interface Route {
  readonly methods: readonly string[];
  readonly effect: Effect;
  readonly handle: (call: Call) => Promise<HttpReply>;
}

const READ = ["GET", "HEAD"];
const READ_OR_POST = ["GET", "HEAD", "POST"];

class MasterHandler implements HttpHandler {
  readonly #options: MasterDoorOptions;
  readonly #routes: ReadonlyMap<string, Route>;
  #vacuuming: Promise<void> | undefined;

  constructor(options: MasterDoorOptions) {
    this.#options = options;
    const status = (handle: Route["handle"]): Route => ({ methods: READ, effect: "reads", handle });
    const change = (handle: Route["handle"]): Route => ({
      methods: READ_OR_POST,
      effect: "changes",
      handle,
    });
    this.#routes = new Map<string, Route>([
      ["/", status((call) => this.#page(call))],
      ["/ui", status((call) => this.#page(call))],
      ["/ui/index.html", status((call) => this.#page(call))],
      ["/dir/assign", change((call) => this.#assign(call))],
      ["/dir/lookup", { ...status((call) => this.#lookup(call)), methods: READ_OR_POST }],
      ["/dir/status", status((call) => this.#tell(call, topologyJson))],
      ["/vol/status", status((call) => this.#tell(call, volumesJson))],
      ["/vol/grow", change((call) => this.#grow(call))],
      ["/vol/vacuum", change((call) => this.#vacuum(call))],
      ["/col/delete", change((call) => this.#deleteCollection(call))],
      ["/collection/info", status((call) => this.#collectionInfo(call))],
      ["/submit", { methods: ["POST"], effect: "changes", handle: (call) => this.#submit(call) }],
      ["/cluster/status", status((call) => this.#clusterStatus(call))],
    ]);
  }

  explain(error: unknown): HttpError | undefined {
    return explainMasterError(error) ?? this.#options.explainVolumes(error);
  }

  async handle(request: HttpRequest): Promise<HttpReply> {
    const { rawPath, method } = request;
    if (HEALTH.has(rawPath)) return textReply(200, "ok\n");
    const route = this.#routes.get(rawPath) ?? this.#redirectRoute(rawPath);
    if (route === undefined) throw new HttpError(404, "There is no such page");
    if (!route.methods.includes(method)) {
      throw new HttpError(405, "Method not allowed", {
        headers: { Allow: route.methods.join(", ") },
      });
    }
    const { gate } = this.#options;
    const caller = await admitCaller(gate, request, { effect: route.effect, tokens: "none" });
    const query = await parametersOf(request);
    return route.handle({ request, query, caller });
  }

  #require(call: Call, action: string, path: string): void {
    const resource = serviceArn("seaweed", path);
    requireAccess(this.#options.authorizer, call.caller, { action, resource });
  }

  #requireStatus(call: Call): void {
    this.#require(call, "seaweed:GetStatus", "status");
  }

  async #assign(call: Call): Promise<HttpReply> {
    const { tokens, volumeNode } = this.#options;
    const { query } = call;
    const placement = placementOf(query, volumeNode);
    this.#require(call, "seaweed:Assign", `collection/${placement.collection}`);
    const count = query.count("count", { min: 1, max: ASSIGN_COUNT_MAX, absent: 1 });
    const fid = formatFid(await this.#assignFid(query, placement, count));
    const body = { fid, url: volumeNode, publicUrl: volumeNode, count };
    const token = tokens.signNeedle({ fid, count, access: "write" });
    return jsonReply(call.request, 200, body, { Authorization: `Bearer ${token}` });
  }

  #assignFid(query: Query, placement: Placement, count: number): Promise<Fid> {
    const sizeBytes = query.count("dataSize", { min: 0, max: Number.MAX_SAFE_INTEGER, absent: 0 });
    const { collection, ttl, diskType } = placement;
    return this.#options.master.assign({
      collection,
      sizeBytes,
      count,
      ...(ttl !== undefined && { ttl }),
      ...(diskType !== undefined && { diskType }),
    });
  }

  async #lookup(call: Call): Promise<HttpReply> {
    const { query, request } = call;
    const { volumeNode, volumes } = this.#options;
    this.#require(call, "seaweed:Lookup", "status");
    const asked = query.text("fileId") ?? query.text("volumeId");
    if (asked === undefined) throw new HttpError(400, "volumeId or fileId is missing");
    const [volumeText = ""] = asked.split(",");
    const id = /^\d{1,10}$/.test(volumeText) ? Number(volumeText) : undefined;
    const collection = query.text("collection");
    const found = (await volumes.volumes()).find(
      (volume) =>
        volume.id === id && (collection === undefined || volume.collection === collection),
    );
    if (found === undefined) {
      const error = `volume id ${volumeText} not found`;
      return jsonReply(request, 404, { volumeOrFileId: volumeText, error });
    }
    if (found.state === "missing") {
      const error = `volume id ${volumeText} is on a disk that is missing`;
      return jsonReply(request, 503, { volumeOrFileId: volumeText, error }, { "Retry-After": "1" });
    }
    const location = { url: volumeNode, publicUrl: volumeNode, dataCenter: "DefaultDataCenter" };
    const body = { volumeOrFileId: volumeText, locations: [location] };
    return jsonReply(request, 200, body, this.#lookupToken(call, asked));
  }

  /** A token for the file that was asked for, to those who may do with it what the token is for. */
  #lookupToken(call: Call, asked: string): Record<string, string> {
    const match = /^(.*?)(?:_(\d{1,9}))?$/.exec(asked);
    const fid = parseFid(match?.[1] ?? "");
    if (fid === undefined) return {};
    const isRead = call.query.text("read") === "yes";
    const resource = serviceArn("seaweed", `volume/${fid.volumeId}`);
    // With a token for writing, the volume server lets its bearer delete as well.
    const actions = isRead
      ? ["seaweed:ReadNeedle"]
      : ["seaweed:WriteNeedle", "seaweed:DeleteNeedle"];
    const { authorizer } = this.#options;
    if (!actions.every((action) => mayAccess(authorizer, call.caller, { action, resource }))) {
      return {};
    }
    const count = Number(match?.[2] ?? 0) + 1;
    const access = isRead ? "read" : "write";
    const token = this.#options.tokens.signNeedle({ fid: formatFid(fid), count, access });
    return { Authorization: `Bearer ${token}` };
  }

  async #tell(call: Call, json: (topology: Topology) => unknown): Promise<HttpReply> {
    this.#requireStatus(call);
    return jsonReply(call.request, 200, json(await this.#topology()));
  }

  async #page(call: Call): Promise<HttpReply> {
    this.#requireStatus(call);
    const { clock, startedMs } = this.#options;
    return masterPage(await this.#topology(), clock.nowMs() - startedMs);
  }

  async #grow(call: Call): Promise<HttpReply> {
    const { query, request } = call;
    const placement = placementOf(query, this.#options.volumeNode);
    this.#require(call, "seaweed:Grow", `collection/${placement.collection}`);
    if (query.text("count") === undefined) throw new HttpError(406, "count is missing");
    const count = query.count("count", { min: 1, max: GROW_COUNT_MAX, absent: 1 });
    const { collection, ttl, diskType } = placement;
    const grown = await this.#options.growth.grow(count, {
      collection,
      ...(ttl !== undefined && { ttl }),
      ...(diskType !== undefined && { diskType }),
    });
    return jsonReply(request, 200, { count: grown.length });
  }

  async #vacuum(call: Call): Promise<HttpReply> {
    this.#require(call, "seaweed:Vacuum", "volumes");
    const text = call.query.text("garbageThreshold");
    const threshold = text === undefined ? GARBAGE_THRESHOLD_DEFAULT : Number(text);
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new HttpError(406, "garbageThreshold must be a number from 0 to 1");
    }
    // Whoever asks while it runs waits for the same: two would only wait for each other's volumes.
    this.#vacuuming ??= this.#vacuumAll(threshold).finally(() => {
      this.#vacuuming = undefined;
    });
    await this.#vacuuming;
    return jsonReply(call.request, 200, topologyJson(await this.#topology()));
  }

  async #vacuumAll(threshold: number): Promise<void> {
    const { volumes, admin, log } = this.#options;
    for (const volume of await volumes.volumes()) {
      if (!isWorthVacuuming(volume, threshold)) continue;
      try {
        await admin.vacuum(volume.id);
      } catch (error) {
        // Another job has it, or the volume refuses: the others are not to wait for it.
        log.warn("a volume was not vacuumed", { volume: volume.id, error });
      }
    }
  }

  async #deleteCollection(call: Call): Promise<HttpReply> {
    const collection = call.query.text("collection");
    // Whoever leaves the name out by mistake shall not lose the one without a name.
    if (collection === undefined) throw new HttpError(400, "collection is missing");
    this.#require(call, "seaweed:DeleteCollection", `collection/${collection}`);
    refuseFilers(collection);
    const count = await this.#options.admin.deleteCollection(collection);
    if (count === 0) throw new HttpError(400, `collection ${collection} does not exist`);
    return emptyReply(204);
  }

  async #collectionInfo(call: Call): Promise<HttpReply> {
    const collection = call.query.text("collection") ?? "";
    this.#requireStatus(call);
    const json = call.query.isTrue("detail") ? collectionDetailJson : collectionJson;
    const told = json(await this.#topology(), collection);
    if (told === undefined) throw new HttpError(400, `collection ${collection} does not exist`);
    return jsonReply(call.request, 200, told);
  }

  async #submit(call: Call): Promise<HttpReply> {
    const { receive, volumeNode } = this.#options;
    const placement = placementOf(call.query, volumeNode);
    this.#require(call, "seaweed:Assign", `collection/${placement.collection}`);
    const fid = await this.#assignFid(call.query, placement, 1);
    const file = await receive(call.request, fid);
    const text = formatFid(fid);
    return jsonReply(call.request, 201, {
      fileName: file.name ?? "",
      fid: text,
      fileUrl: `${volumeNode}/${text}`,
      size: file.sizeBytes,
      eTag: file.etag,
    });
  }

  async #clusterStatus(call: Call): Promise<HttpReply> {
    this.#requireStatus(call);
    const { host } = this.#options;
    const name = host.includes(":") ? `[${host}]` : host;
    const volumes = await this.#options.volumes.volumes();
    return jsonReply(call.request, 200, {
      IsLeader: true,
      Leader: `${name}:${call.request.localPort}`,
      Peers: [],
      MaxVolumeId: volumes.reduce((max, { id }) => Math.max(max, id), 0),
    });
  }

  /** `/<fileId>`: sends readers on to the volume server. */
  #redirectRoute(rawPath: string): Route | undefined {
    if (!/^\/\d{1,10}[,/][0-9a-fA-F]{9,24}/.test(rawPath)) return undefined;
    const handle = async (call: Call): Promise<HttpReply> => {
      this.#require(call, "seaweed:Lookup", "status");
      const id = Number(/\d+/.exec(rawPath)?.[0]);
      const volumes = await this.#options.volumes.volumes();
      if (!volumes.some((volume) => volume.id === id)) {
        throw new HttpError(404, `volume id ${id} not found`);
      }
      const query = call.request.rawQuery === "" ? "" : `?${call.request.rawQuery}`;
      assert(rawPath.startsWith("/"), "a path cannot change the host");
      const location = `http://${this.#options.volumeNode}${rawPath}${query}`;
      return emptyReply(308, { Location: location });
    };
    return { methods: READ, effect: "reads", handle };
  }

  async #topology(): Promise<Topology> {
    const { version, topologyId, volumeNode, volumeSizeBytesMax } = this.#options;
    const [volumes, disks] = await Promise.all([
      this.#options.volumes.volumes(),
      this.#options.admin.disks(),
    ]);
    return { version, topologyId, node: volumeNode, volumes, disks, volumeSizeBytesMax };
  }
}

/** They tell whether the master serves, and nothing else. */
const HEALTH: ReadonlySet<string> = new Set(["/cluster/healthz", "/healthz", "/readyz"]);

function isWorthVacuuming(volume: VolumeStatus, threshold: number): boolean {
  if (volume.form.kind !== "plain" || volume.state === "missing") return false;
  return volume.deletedBytes > 0 && volume.deletedBytes / volume.sizeBytes >= threshold;
}
