import { CallError, type CallPeer, unreachable } from "@kelp/base";
import {
  CHUNK_SIZE_BYTES,
  type Fid,
  type NeedleContent,
  type ReadNeedle,
  type ScannedNeedle,
  type StoredNeedle,
  type VolumeStatus,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { ServedVolume } from "../volume/served-volume.ts";
import {
  NEEDLE_CALL,
  NOT_BORROWED,
  type NeedleCall,
  type NeedleMethod,
  STATUS_CALL,
  volumeErrorOf,
} from "./lending-calls.ts";

/**
 * A volume whose files another process has open: what is asked of it here is asked there. It is announced as read-only, so that
 * nobody picks it for new needles, and its status tells who has it and what is true there.
 *
 * Invariant: no call is lost when the volume comes back, whatever became of the other process: it is made again on the volume
 * that takes its place. All calls on needles may be made twice.
 */
export class LentVolume implements ServedVolume {
  readonly collection: string;
  readonly state = "read-only";
  readonly #peer: CallPeer;
  readonly #recall: () => Promise<void>;
  readonly #holder: string;
  #status: VolumeStatus;
  /** Resolves when the other process has the files open. */
  readonly #held = Promise.withResolvers<void>();
  readonly #next = Promise.withResolvers<ServedVolume>();
  #isBack = false;

  /** `recall` resolves when the volume is back. */
  constructor(options: {
    readonly holder: string;
    readonly peer: CallPeer;
    readonly known: VolumeStatus;
    readonly recall: () => Promise<void>;
  }) {
    this.collection = options.known.collection;
    this.#peer = options.peer;
    this.#recall = options.recall;
    this.#holder = options.holder;
    this.#status = { ...options.known, holder: options.holder };
  }

  /** The other process has the files open. */
  held(): void {
    this.#held.resolve();
  }

  /** The volume is back: calls go on with `next`. */
  comeBackAs(next: ServedVolume): void {
    this.#isBack = true;
    this.#held.resolve();
    this.#next.resolve(next);
  }

  async append(fid: Fid, data: Uint8Array): Promise<void> {
    await this.#ask("append", fid, [data]);
  }

  async read(fid: Fid, _scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    return (await this.#ask("read", fid, [undefined, hash64])) as Uint8Array | undefined;
  }

  async remove(fid: Fid): Promise<void> {
    await this.#ask("remove", fid, []);
  }

  async writeNeedle(fid: Fid, needle: NeedleContent): Promise<"written" | "unchanged"> {
    return (await this.#ask("writeNeedle", fid, [needle])) as "written" | "unchanged";
  }

  async readNeedle(fid: Fid, options: ReadNeedle = {}): Promise<StoredNeedle | undefined> {
    // What it weighs only the borrower knows. Who borrows stores chunks: it counts as a whole one first.
    await options.admit?.(CHUNK_SIZE_BYTES);
    const plain = options.removed === undefined ? {} : { removed: options.removed };
    const answer = await this.#ask("readNeedle", fid, [plain]);
    const needle = answer as StoredNeedle | undefined;
    if (needle !== undefined) await options.admit?.(needle.data.length);
    return needle;
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    return (await this.#ask("removeNeedle", fid, [])) as number | undefined;
  }

  setWritable(): Promise<void> {
    return Promise.reject(this.#isLent("change"));
  }

  /** A scan belongs to the owner: the store has the volume back first. */
  scan(): AsyncIterable<ScannedNeedle> {
    throw this.#isLent("scan");
  }

  /** As it was when it was last asked for. */
  status(): VolumeStatus {
    return this.#status;
  }

  /** Asks for the status; what cannot be had stays as it was. */
  async refreshStatus(): Promise<void> {
    try {
      const status = (await this.#peer.call(STATUS_CALL, this.#status.id)) as VolumeStatus;
      this.#status = { ...status, holder: this.#holder };
    } catch (error) {
      if (!(error instanceof CallError)) throw error;
    }
  }

  async close(): Promise<void> {
    if (!this.#isBack) await this.#recall();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #ask(method: NeedleMethod, fid: Fid, rest: readonly unknown[]): Promise<unknown> {
    await this.#held.promise;
    if (!this.#isBack) {
      try {
        return await this.#peer.call(NEEDLE_CALL, { method, fid, rest } satisfies NeedleCall);
      } catch (error) {
        if (!isComingBack(error)) throw volumeErrorOf(error);
      }
    }
    return onVolume(await this.#next.promise, { method, fid, rest });
  }

  #isLent(action: string): VolumeError {
    return new VolumeError(
      "job-running",
      `Cannot ${action} volume ${this.#status.id}: it is lent to another process`,
    );
  }
}

function isComingBack(error: unknown): boolean {
  return error instanceof CallError && (error.code === "peer-gone" || error.code === NOT_BORROWED);
}

/** Makes a call that crossed, or came back. */
export function onVolume(
  volume: ServedVolume,
  { method, fid, rest }: NeedleCall,
): Promise<unknown> {
  switch (method) {
    case "append":
      return volume.append(fid, rest[0] as Uint8Array);
    case "read":
      return volume.read(fid, undefined, rest[1] as bigint | undefined);
    case "remove":
      return volume.remove(fid);
    case "writeNeedle":
      return volume.writeNeedle(fid, rest[0] as NeedleContent);
    case "readNeedle":
      return volume.readNeedle(fid, rest[0] as ReadNeedle | undefined);
    case "removeNeedle":
      return volume.removeNeedle(fid);
    default:
      return unreachable(method);
  }
}
