import { silentLog } from "@kelp/base";
import { systemClock, systemHashes, systemTcpNetwork } from "@kelp/base/platform";
import type { DiskStatus } from "@kelp/wire";
import { DoorClient, believingGate, listAuthorizer } from "@kelp/wire/testing";
import { type VolumeDoor, openVolumeDoor } from "../server/volume-door.ts";
import { MemoryNeedles } from "./memory-needles.ts";
import { MemoryVolumes } from "./memory-volumes.ts";

/** The disk that the door tells of. Its folder has what a page must escape. */
const DISK: DiskStatus = {
  folder: "/data/<1>",
  diskType: "ssd",
  state: "ok",
  totalBytes: 1000,
  availableBytes: 250,
  volumeCount: 1,
  volumeCountMax: undefined,
};

/** The door of a volume server with needles in memory, and who asks it. */
export class VolumeDoorWorld extends DoorClient implements AsyncDisposable {
  readonly needles: MemoryNeedles;
  readonly #door: VolumeDoor;
  #lastId = 0x1000;

  constructor(needles: MemoryNeedles, door: VolumeDoor) {
    super(door.port);
    this.needles = needles;
    this.#door = door;
  }

  /** The id of a needle that no other test of this world uses; the next ones belong to it too. */
  fresh(): string {
    this.#lastId += 16;
    return `3,${this.#lastId.toString(16)}637037d6`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door.stop();
  }
}

/** A world for the tests of one file: each takes needles of its own. */
export async function openVolumeDoorWorld(
  needles = new MemoryNeedles(systemHashes),
): Promise<VolumeDoorWorld> {
  const door = await openVolumeDoor({
    needles,
    volumes: new MemoryVolumes(),
    disks: { disks: () => Promise.resolve([DISK]) },
    gate: believingGate(),
    authorizer: listAuthorizer("ann seaweed:ReadNeedle arn:kelp:seaweed:::volume/3"),
    clock: systemClock,
    hashes: systemHashes,
    log: silentLog,
    version: "0.0.1",
    startedMs: 0,
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
  });
  return new VolumeDoorWorld(needles, door);
}
