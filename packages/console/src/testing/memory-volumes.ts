import type { DiskStatus, ErasureShape, FoundDamage, VolumeFigures, VolumeId } from "@kelp/wire";
import type { ConsoleVolumes } from "../dependencies.ts";

/** What the volumes say to the console, as a test wants it, and what the console asked of them. */
export class MemoryConsoleVolumes implements ConsoleVolumes {
  /** Calls that change something, in order. */
  readonly calls: string[] = [];
  damaged: readonly FoundDamage[] = [];
  /** Thrown by every call that changes something. */
  failure: Error | undefined;
  /** Told of every call that changes something, as others would meet it. */
  onCall: (what: string) => void = () => undefined;

  async vacuum(id: VolumeId) {
    this.#call(`vacuum ${id}`);
    const damaged = this.damaged.filter((damage) => damage.volumeId === id);
    return { bytesBefore: 100, bytesAfter: 60, liveCount: 3, damaged };
  }

  async scrubVolume(id: VolumeId) {
    this.#call(`scrub ${id}`);
    const damaged = this.damaged.filter((damage) => damage.volumeId === id);
    return { checkedCount: 4, checkedBytes: 50, repaired: [], damaged };
  }

  async setWritable(id: VolumeId, state: "writable" | "read-only") {
    this.#call(`mark ${id} ${state}`);
  }

  async deleteVolume(id: VolumeId) {
    this.#call(`delete ${id}`);
  }

  async encodeVolume(id: VolumeId, shape: ErasureShape = {}) {
    this.#call(`encode ${id} ${shape.dataShards ?? ""}+${shape.parityShards ?? ""}`);
  }

  async decodeVolume(id: VolumeId) {
    this.#call(`decode ${id}`);
  }

  async rebuildVolume(id: VolumeId): Promise<readonly number[]> {
    this.#call(`rebuild ${id}`);
    return [2, 13];
  }

  async moveToRemote(id: VolumeId, backend: string) {
    this.#call(`upload ${id} ${backend}`);
  }

  async moveFromRemote(id: VolumeId) {
    this.#call(`download ${id}`);
  }

  async disks(): Promise<DiskStatus[]> {
    const space = { totalBytes: 1000, availableBytes: 900, volumeCount: 1 };
    const disk = { folder: '/data/"a"', diskType: "ssd", volumeCountMax: undefined, ...space };
    return [
      { ...disk, state: "ok" },
      { ...disk, folder: "/b", state: "failed" },
    ];
  }

  quarantined(): readonly FoundDamage[] {
    return this.damaged;
  }

  figures(): VolumeFigures {
    return {
      changesRefusedCount: 1,
      readsRefusedCount: 2,
      vacuumCount: 3,
      vacuumFailureCount: 4,
      vacuumFreedBytes: 5,
      scrubCount: 6,
      scrubbedNeedleCount: 7,
      scrubbedBytes: 8,
      damagedCount: 9,
      repairedCount: 10,
    };
  }

  #call(what: string): void {
    this.calls.push(what);
    this.onCall(what);
    if (this.failure !== undefined) throw this.failure;
  }
}
