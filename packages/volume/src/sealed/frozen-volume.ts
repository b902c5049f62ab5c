import {
  type Fid,
  type NeedleContent,
  type ReadNeedle,
  type ScannedNeedle,
  type StoredNeedle,
  type VolumeStatus,
  formatFid,
} from "@kelp/wire";
import { VolumeError } from "../errors.ts";
import type { ServedVolume } from "../volume/served-volume.ts";

/** A volume while a job copies it: it is read as before and takes no changes. It does not own the volume. */
export class FrozenVolume implements ServedVolume {
  readonly state = "read-only";
  readonly #volume: ServedVolume;
  readonly #job: string;

  constructor(volume: ServedVolume, job: string) {
    this.#volume = volume;
    this.#job = job;
  }

  get collection(): string {
    return this.#volume.collection;
  }

  async append(fid: Fid, _data: Uint8Array): Promise<void> {
    throw this.#refusal(`append needle ${formatFid(fid)}`);
  }

  read(fid: Fid, scratch?: Uint8Array, hash64?: bigint): Promise<Uint8Array | undefined> {
    return this.#volume.read(fid, scratch, hash64);
  }

  async remove(fid: Fid): Promise<void> {
    throw this.#refusal(`remove needle ${formatFid(fid)}`);
  }

  async writeNeedle(fid: Fid, _needle: NeedleContent): Promise<"written" | "unchanged"> {
    throw this.#refusal(`write needle ${formatFid(fid)}`);
  }

  readNeedle(fid: Fid, options?: ReadNeedle): Promise<StoredNeedle | undefined> {
    return this.#volume.readNeedle(fid, options);
  }

  async removeNeedle(fid: Fid): Promise<number | undefined> {
    throw this.#refusal(`remove needle ${formatFid(fid)}`);
  }

  async setWritable(_state: "writable" | "read-only"): Promise<void> {
    throw this.#refusal("change the volume");
  }

  scan(): AsyncIterable<ScannedNeedle> {
    return this.#volume.scan();
  }

  status(): VolumeStatus {
    return { ...this.#volume.status(), state: this.state };
  }

  close(): Promise<void> {
    return this.#volume.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #refusal(action: string): VolumeError {
    return new VolumeError("read-only", `Cannot ${action}: ${this.#job} is under way`);
  }
}
