import {
  type Fid,
  type NeedleContent,
  PLAIN_VOLUME,
  type ReadNeedle,
  type ScannedNeedle,
  type StoredNeedle,
  type VolumeId,
  type VolumeStatus,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { DiskFolder } from "./disk-folder.ts";
import type { ServedVolume } from "../volume/served-volume.ts";

/** A volume of which only the name is known: its files cannot be opened, or their disk is gone. Every use of it throws why. */
export class UnavailableVolume implements ServedVolume {
  readonly collection: string;
  readonly state: "failed" | "missing";
  readonly #status: VolumeStatus;
  readonly #cause: unknown;

  constructor(
    state: "failed" | "missing",
    options: {
      readonly id: VolumeId;
      readonly collection: string;
      readonly disk: Pick<DiskFolder, "index" | "diskType">;
      readonly nowMs: number;
      readonly cause: unknown;
      /** What was known of it before; nothing unless given. */
      readonly known?: VolumeStatus | undefined;
    },
  ) {
    const { id, collection, nowMs, known } = options;
    const { index: disk, diskType } = options.disk;
    this.collection = collection;
    this.state = state;
    this.#cause = options.cause;
    const unknown = {
      ...PLAIN_VOLUME,
      sizeBytes: 0,
      liveCount: 0,
      liveBytes: 0,
      deletedCount: 0,
      deletedBytes: 0,
      needleIdMax: 0n,
      createdMs: nowMs,
      modifiedMs: 0,
    };
    this.#status = { ...unknown, ...known, id, collection, disk, diskType, state };
  }

  /** `volume-failed` or `volume-missing`, caused by what went wrong. */
  error(): VolumeError {
    const { id } = this.#status;
    return this.state === "failed"
      ? new VolumeError("volume-failed", `Cannot use volume ${id}: it could not be opened`, {
          cause: this.#cause,
        })
      : new VolumeError("volume-missing", `Cannot use volume ${id}: its disk is not there`, {
          cause: this.#cause,
        });
  }

  async append(_fid: Fid, _data: Uint8Array): Promise<void> {
    throw this.error();
  }

  async read(_fid: Fid, _scratch?: Uint8Array): Promise<Uint8Array | undefined> {
    throw this.error();
  }

  async remove(_fid: Fid): Promise<void> {
    throw this.error();
  }

  async writeNeedle(_fid: Fid, _needle: NeedleContent): Promise<"written" | "unchanged"> {
    throw this.error();
  }

  async readNeedle(_fid: Fid, _options?: ReadNeedle): Promise<StoredNeedle | undefined> {
    throw this.error();
  }

  async removeNeedle(_fid: Fid): Promise<number | undefined> {
    throw this.error();
  }

  async setWritable(_state: "writable" | "read-only"): Promise<void> {
    throw this.error();
  }

  scan(): AsyncIterable<ScannedNeedle> {
    throw this.error();
  }

  status(): VolumeStatus {
    return this.#status;
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}
