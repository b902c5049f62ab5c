import { type Clock, type Hashes, type Log, type Random, type Timer, utf8 } from "@kelp/base";
import {
  type Authorizer,
  type PeopleHandler,
  type NeedleStore,
  type VolumeClient,
  type VolumeId,
  parseFid,
  serviceArn,
  volumeId,
} from "@kelp/wire";
import type { NeedleRead, OpenFiler } from "@kelp/filer";
import {
  BACKUP_PATH,
  CHECKSUM_HEADER,
  END_LINE,
  type HoldMessage,
  needleLine,
  volumeMessage,
} from "./messages.ts";
import { readStoredChunk, readStoredNeedle, scanStoredVolume } from "./stored-content.ts";

/** A hold that nobody asked for anything ends after so long: the backup has died. */
const HOLD_IDLE_MS_MAX = 5 * 60_000;

/** Needles of a volume that are told in one piece. */
const LINES_AT_ONCE = 256;

export interface BackupDoorOptions {
  readonly filer: Pick<OpenFiler, "hold" | "storeId">;
  readonly volumes: VolumeClient & NeedleStore;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly random: Random;
  readonly hashes: Pick<Hashes, "crc32c">;
  readonly log: Log;
}

interface Hold {
  readonly ended: Disposable;
  timer: Timer;
}

/**
 * What a backup needs of a running server: `POST holds` keeps the chunks of the moment, `POST holds/ID` keeps them longer,
 * `DELETE holds/ID` lets them go, `GET holds/ID/chunks/FID` gives the stored bytes of one, `GET holds/ID/volumes/ID` tells
 * the needles of a volume, a line each, `GET holds/ID/needles/FID` gives a whole one. Disposing ends all holds.
 */
export class BackupDoor implements Disposable {
  readonly #options: BackupDoorOptions;
  readonly #holds = new Map<string, Hold>();

  constructor(options: BackupDoorOptions) {
    this.#options = options;
  }

  readonly handler: PeopleHandler = async (request, admission) => {
    if (admission.kind === "refused") {
      const code = admission.status === 401 ? "sign-in-required" : "foreign-origin";
      return refuse(admission.status, code, admission.message);
    }
    const { principal } = admission;
    const wanted = { action: "kelp:Backup", resource: serviceArn("store", "backup") };
    if (this.#options.authorizer.authorize({ principal, ...wanted }).kind !== "allow") {
      return refuse(403, "access-denied", `${principal.name} may not do ${wanted.action}`);
    }
    const path = new URL(request.url).pathname.slice(BACKUP_PATH.length).split("/");
    return this.#route(request.method, path);
  };

  [Symbol.dispose](): void {
    for (const id of this.#holds.keys()) this.#end(id);
  }

  async #route(method: string, path: readonly string[]): Promise<Response> {
    const [holds, id, kind, name, ...rest] = path;
    if (holds !== "holds" || rest.length > 0) return refuse(404, "no-such-route", "No such path");
    if (id === undefined) {
      return method === "POST" ? this.#begin() : refuse(405, "bad-request", "Only POST");
    }
    if (!this.#renew(id)) {
      return refuse(410, "hold-gone", "The hold has ended: begin the backup again");
    }
    if (kind === undefined) {
      if (method === "DELETE") this.#end(id);
      return new Response(null, { status: 204 });
    }
    if (name === undefined || method !== "GET") {
      return refuse(404, "no-such-route", "No such path");
    }
    if (kind === "volumes") return this.#needles(id, name);
    // Nothing else in an address of a chunk could be encoded.
    const fidText = name.replace(/%2c/i, ",");
    if (kind === "chunks") return this.#chunk(fidText);
    if (kind === "needles") return this.#needle(fidText);
    return refuse(404, "no-such-route", "No such path");
  }

  async #begin(): Promise<Response> {
    const { filer, volumes, random, log } = this.#options;
    const ended = await filer.hold();
    if (ended === undefined) return refuse(503, "unavailable", "Too many backups are running");
    const id = random.uuid();
    this.#holds.set(id, { ended, timer: this.#timer(id) });
    log.info("A backup holds what is stored", { hold: id });
    const message: HoldMessage = {
      hold: id,
      store_id: filer.storeId(),
      volumes: (await volumes.volumes()).map(volumeMessage),
    };
    return Response.json(message);
  }

  async #chunk(text: string): Promise<Response> {
    const fid = parseFid(text);
    if (fid === undefined) return refuse(400, "bad-request", "Not the address of a chunk");
    return this.#answer(await readStoredChunk(this.#options.volumes, fid));
  }

  async #needle(text: string): Promise<Response> {
    const fid = parseFid(text);
    if (fid === undefined) return refuse(400, "bad-request", "Not the address of a needle");
    return this.#answer(await readStoredNeedle(this.#options.volumes, fid));
  }

  #answer(read: NeedleRead): Response {
    if (read.kind === "absent") return refuse(404, "no-such-needle", "There is no such needle");
    if (read.kind === "damaged") return refuse(422, "chunk-damaged", read.reason);
    const checksum = this.#options.hashes.crc32c(read.bytes).toString(16).padStart(8, "0");
    return new Response(read.bytes, {
      headers: { "content-type": "application/octet-stream", [CHECKSUM_HEADER]: checksum },
    });
  }

  /** As they are asked for: nothing is gathered, and a backup that went away ends the scan. */
  #needles(hold: string, text: string): Response {
    const id = /^[1-9]\d{0,8}$/.test(text) ? volumeId(Number(text)) : undefined;
    if (id === undefined) return refuse(400, "bad-request", "Not the id of a volume");
    const lines = this.#needleLines(hold, id);
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        const next = await lines.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      cancel: async () => {
        await lines.return(undefined);
      },
    });
    return new Response(body, { headers: { "content-type": "application/x-ndjson" } });
  }

  async *#needleLines(hold: string, id: VolumeId): AsyncGenerator<Uint8Array, undefined> {
    let lines: string[] = [];
    for await (const needle of scanStoredVolume(this.#options.volumes, id)) {
      lines.push(needleLine(needle));
      if (lines.length < LINES_AT_ONCE) continue;
      if (!this.#renew(hold)) throw new Error("The hold of a backup has ended under its scan");
      yield utf8(lines.join(""));
      lines = [];
    }
    // The last line tells that none is missing.
    lines.push(END_LINE);
    yield utf8(lines.join(""));
    return undefined;
  }

  #renew(id: string): boolean {
    const hold = this.#holds.get(id);
    if (hold === undefined) return false;
    hold.timer.cancel();
    hold.timer = this.#timer(id);
    return true;
  }

  #timer(id: string): Timer {
    return this.#options.clock.schedule(HOLD_IDLE_MS_MAX, () => {
      this.#options.log.warn("A backup has gone silent; it holds nothing any more", { hold: id });
      this.#end(id);
    });
  }

  #end(id: string): void {
    const hold = this.#holds.get(id);
    if (hold === undefined) return;
    this.#holds.delete(id);
    hold.timer.cancel();
    hold.ended[Symbol.dispose]();
  }
}

function refuse(status: number, code: string, message: string): Response {
  return Response.json({ error: { code, message } }, { status });
}
