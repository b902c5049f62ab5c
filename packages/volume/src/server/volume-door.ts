import {
  type Clock,
  type Foreground,
  type Hashes,
  type Log,
  Semaphore,
  type Service,
  type TcpNetwork,
} from "@kelp/base";
import {
  HttpError,
  type HttpHandler,
  type HttpReply,
  type HttpRequest,
  emptyReply,
  jsonReply,
  openHttpDoor,
  textReply,
} from "@kelp/base/http";
import {
  type Authorizer,
  type DoorCaller,
  type DoorGate,
  type DoorGrant,
  type Fid,
  type NeedleStore,
  type VolumeAdmin,
  type VolumeClient,
  admitCaller,
  formatFid,
  isFilerCollection,
  parseFid,
  requireAccess,
  serviceArn,
} from "@kelp/wire";
import { explainVolumeError } from "./explain-error.ts";
import { UPLOAD_BUDGET_BYTES } from "./limits.ts";
import { type NeedlePath, parseNeedlePath } from "./needle-path.ts";
import { OutstandingBytes } from "./outstanding-bytes.ts";
import { readNeedle } from "./read-needle.ts";
import { volumePage, volumeStatus } from "./status.ts";
import { type WrittenNeedle, deleteNeedle, storeUpload, writeNeedle } from "./write-needle.ts";

export interface VolumeDoorOptions {
  readonly needles: NeedleStore;
  readonly volumes: Pick<VolumeClient, "volumes">;
  readonly disks: Pick<VolumeAdmin, "disks">;
  readonly gate: DoorGate;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly version: string;
  readonly startedMs: number;
  readonly network: TcpNetwork;
  readonly address: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Told of each request. */
  readonly foreground?: Foreground | undefined;
}

/** A listening volume door. */
export interface VolumeDoor extends Service {
  readonly port: number;
  /**
   * Takes the body of a request that another door admitted, and stores it under `fid`, with the bounds and answers of
   * this door. Durable when resolved. Throws `HttpError` and `VolumeError`.
   */
  receive(request: HttpRequest, fid: Fid): Promise<WrittenNeedle>;
}

/** Opens the HTTP interface of a volume server. Rejects with the system's error when the port cannot be had. */
export async function openVolumeDoor(options: VolumeDoorOptions): Promise<VolumeDoor> {
  const { network, address, port, clock, log, foreground } = options;
  const handler = new VolumeHandler(options);
  const door = await openHttpDoor({ handler, network, address, port, clock, log, foreground });
  return {
    port: door.port,
    receive: (request, fid) => handler.receive(request, fid),
    drain: (signal) => door.drain(signal),
    stop: () => door.stop(),
    [Symbol.asyncDispose]: () => door.stop(),
  };
}

const NEEDLE_METHODS = "GET, HEAD, POST, PUT, DELETE, OPTIONS";

class VolumeHandler implements HttpHandler {
  readonly explain = explainVolumeError;
  readonly #options: VolumeDoorOptions;
  readonly #deps;

  constructor(options: VolumeDoorOptions) {
    const { needles, clock, hashes } = options;
    this.#options = options;
    this.#deps = {
      needles,
      clock,
      hashes,
      uploads: new Semaphore(UPLOAD_BUDGET_BYTES),
      outstanding: new OutstandingBytes(),
    };
  }

  handle(request: HttpRequest): HttpReply | Promise<HttpReply> {
    const path = parseNeedlePath(request.rawPath);
    if (path === undefined) return this.#handleOther(request);
    const { method } = request;
    if (method !== "GET" && method !== "HEAD") return this.#changeNeedle(request, path);
    const caller = this.#ask(request, READ);
    if (caller instanceof Promise) {
      return caller.then((admitted) => this.#readNeedle(request, path, admitted));
    }
    return this.#readNeedle(request, path, caller);
  }

  receive(request: HttpRequest, fid: Fid): Promise<WrittenNeedle> {
    const checkChunk = (): never => {
      throw new HttpError(400, "Manifests are written to the volume server");
    };
    if (request.query.isTrue("cm")) checkChunk();
    return storeUpload(this.#deps, request, { fid, checkChunk });
  }

  #readNeedle(request: HttpRequest, path: NeedlePath, caller: DoorCaller): Promise<HttpReply> {
    this.#allow(caller, path, READ);
    return readNeedle(this.#deps, request, path);
  }

  async #changeNeedle(request: HttpRequest, path: NeedlePath): Promise<HttpReply> {
    switch (request.method) {
      case "POST":
      case "PUT": {
        const asked = this.#ask(request, WRITE);
        const caller = asked instanceof Promise ? await asked : asked;
        this.#allow(caller, path, WRITE);
        this.#refuseFilers(path.fid);
        const checkChunk = (fid: Fid): void => {
          this.#refuseFilers(fid);
          this.#requireKey(caller);
          this.#require(caller, "seaweed:ReadNeedle", fid);
          this.#require(caller, "seaweed:DeleteNeedle", fid);
        };
        if (request.rawQuery !== "" && request.query.isTrue("cm")) this.#requireKey(caller);
        return writeNeedle(this.#deps, request, { path, checkChunk });
      }
      case "DELETE": {
        const caller = await this.#ask(request, DELETE);
        this.#allow(caller, path, DELETE);
        this.#refuseFilers(path.fid);
        const checkChunk = (fid: Fid): void => {
          this.#refuseFilers(fid);
          // Whoever wrote a manifest was allowed to delete its chunks, and hands that on with it.
          if (caller.kind === "principal") this.#require(caller, "seaweed:DeleteNeedle", fid);
        };
        return deleteNeedle(this.#deps, request, { path, checkChunk });
      }
      case "OPTIONS":
        return emptyReply(204, { Allow: NEEDLE_METHODS });
      default:
        throw new HttpError(405, "Method not allowed", { headers: { Allow: NEEDLE_METHODS } });
    }
  }

  #ask(request: HttpRequest, access: NeedleAccess): DoorCaller | Promise<DoorCaller> {
    const { rawQuery } = request;
    const queryToken =
      rawQuery !== "" && rawQuery.includes("jwt=") ? request.query.text("jwt") : undefined;
    return admitCaller(this.#options.gate, request, {
      effect: access.effect,
      tokens: "needle",
      queryToken,
    });
  }

  #allow(caller: DoorCaller, path: NeedlePath, access: NeedleAccess): void {
    if (caller.kind === "principal") this.#require(caller, access.action, path.fid);
    else if (!covers(caller.grant, path)) throw new HttpError(401, "The token is for another file");
  }

  #require(caller: DoorCaller, action: string, fid: Fid): void {
    const resource = serviceArn("seaweed", `volume/${fid.volumeId}`);
    requireAccess(this.#options.authorizer, caller, { action, resource });
  }

  /** What the filer stores changes with its entries alone. */
  #refuseFilers(fid: Fid): void {
    const collection = this.#options.needles.collectionOf(fid.volumeId);
    if (collection === undefined || !isFilerCollection(collection)) return;
    throw new HttpError(403, `Volume ${fid.volumeId} is the filer's`);
  }

  /** A token for one needle says nothing of others, which a manifest would name. */
  #requireKey(caller: DoorCaller): void {
    if (caller.kind === "principal") return;
    throw new HttpError(
      403,
      "Manifests are written with an access key, not with a token for one file",
    );
  }

  async #handleOther(request: HttpRequest): Promise<HttpReply> {
    const { rawPath, method } = request;
    if (method !== "GET" && method !== "HEAD") {
      throw new HttpError(404, "There is no such file id");
    }
    switch (rawPath) {
      case "/healthz":
      case "/readyz":
        return textReply(200, "ok\n");
      case "/status":
        await this.#requireStatus(request);
        return jsonReply(request, 200, await volumeStatus(this.#options));
      case "/":
      case "/ui":
      case "/ui/":
      case "/ui/index.html":
        await this.#requireStatus(request);
        return volumePage(this.#options);
      default:
        throw new HttpError(404, "There is no such file id");
    }
  }

  async #requireStatus(request: HttpRequest): Promise<void> {
    const { gate, authorizer } = this.#options;
    const caller = await admitCaller(gate, request, { effect: "reads", tokens: "none" });
    const resource = serviceArn("seaweed", "status");
    requireAccess(authorizer, caller, { action: "seaweed:GetStatus", resource });
  }
}

interface NeedleAccess {
  readonly action: string;
  readonly effect: "reads" | "changes";
}

const READ: NeedleAccess = { action: "seaweed:ReadNeedle", effect: "reads" };
const WRITE: NeedleAccess = { action: "seaweed:WriteNeedle", effect: "changes" };
const DELETE: NeedleAccess = { action: "seaweed:DeleteNeedle", effect: "changes" };

/** Whether a token is for this very needle, or for one of the ids that were assigned with it. */
function covers(grant: DoorGrant, path: NeedlePath): boolean {
  if (grant.kind !== "needle") return false;
  const signed = parseFid(grant.fid.replace(/_\d+$/, ""));
  if (signed === undefined || formatFid(signed) !== formatFid(path.assigned)) return false;
  // Who signs elsewhere says no count; the master here always does.
  return path.index === 0 || grant.count === undefined || path.index < grant.count;
}
