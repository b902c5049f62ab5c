import { silentLog } from "@kelp/base";
import { HttpError, type HttpDoor } from "@kelp/base/http";
import { systemClock, systemTcpNetwork } from "@kelp/base/platform";
import {
  type AssignRequest,
  PLAIN_VOLUME,
  type VolumeId,
  type VolumeStatus,
  needleId,
  volumeId,
} from "@kelp/wire";
import { DoorClient, believingGate, listAuthorizer } from "@kelp/wire/testing";
import { MasterError } from "../errors.ts";
import { openMasterDoor } from "../server/master-door.ts";

/** Where the door sends clients of the volume server. */
export const NODE = "127.0.0.1:8080";

const VOLUMES = [
  volume(1),
  volume(2, { deletedBytes: 400 }),
  volume(3, { state: "full" }),
  volume(5, { collection: "pics", ttl: { count: 3, unit: "day" }, diskType: "ssd" }),
  volume(7, { state: "missing", collection: "lost" }),
  volume(8, {
    form: { kind: "erasure-coded", dataShards: 10, parityShards: 4, missingShards: [3] },
  }),
];

function volume(id: number, more: Partial<VolumeStatus> = {}): VolumeStatus {
  return {
    ...PLAIN_VOLUME,
    id: volumeId(id),
    collection: "",
    sizeBytes: 1000,
    liveCount: 3,
    liveBytes: 600,
    deletedCount: 1,
    deletedBytes: 100,
    needleIdMax: 9n,
    state: "writable",
    createdMs: 0,
    modifiedMs: 1_700_000_000_000,
    ...more,
  };
}

/** What the door asked of those behind it. */
interface Asked {
  readonly assigned: AssignRequest[];
  readonly grown: unknown[];
  readonly vacuumed: number[];
  readonly gate: ReturnType<typeof believingGate>;
}

/** The door of a master with `VOLUMES`, and who asks it. */
export class MasterDoorWorld extends DoorClient implements AsyncDisposable {
  readonly asked: Asked;
  readonly #door: HttpDoor;

  constructor(asked: Asked, door: HttpDoor) {
    super(door.port);
    this.asked = asked;
    this.#door = door;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#door.stop();
  }
}

/** A world for the tests of one file. */
export async function openMasterDoorWorld(): Promise<MasterDoorWorld> {
  const asked: Asked = { assigned: [], grown: [], vacuumed: [], gate: believingGate() };
  const door = await openMasterDoor({
    master: {
      assign: (request) => {
        asked.assigned.push(request);
        if (request.collection === "full") {
          return Promise.reject(new MasterError("out-of-space", "Cannot assign: no space"));
        }
        return Promise.resolve({
          volumeId: volumeId(3),
          needleId: needleId(1n),
          cookie: 0x637037d6,
        });
      },
    },
    growth: {
      grow: (count, layout) => {
        asked.grown.push(layout);
        return Promise.resolve(
          Array.from({ length: count }, (_, at): VolumeId => volumeId(at + 20)),
        );
      },
    },
    volumes: { volumes: () => Promise.resolve(VOLUMES) },
    admin: {
      disks: () =>
        Promise.resolve([
          {
            folder: "/data/<a>",
            diskType: "",
            state: "ok",
            totalBytes: 100_000,
            availableBytes: 50_000,
            volumeCount: 6,
            volumeCountMax: undefined,
          },
        ]),
      vacuum: (id) => {
        asked.vacuumed.push(id);
        return Promise.resolve({ bytesBefore: 1, bytesAfter: 1, liveCount: 1, damaged: [] });
      },
      deleteCollection: (name) => Promise.resolve(name === "pics" ? 1 : 0),
    },
    receive: async (request) => {
      const { lengthBytes } = request.body;
      if (lengthBytes === 0) throw new HttpError(400, "no file");
      return { name: "a.txt", sizeBytes: lengthBytes ?? 0, etag: "00c0ffee" };
    },
    explainVolumes: () => undefined,
    gate: asked.gate,
    tokens: { signNeedle: ({ fid, count, access }) => `signed-${access}-${count}-${fid}` },
    authorizer: listAuthorizer(
      "ann seaweed:Assign arn:kelp:seaweed:::collection/pics",
      "ann seaweed:Lookup arn:kelp:seaweed:::status",
      "ann seaweed:ReadNeedle arn:kelp:seaweed:::volume/5",
      "writer seaweed:Lookup arn:kelp:seaweed:::status",
      "writer seaweed:WriteNeedle arn:kelp:seaweed:::volume/5",
      "keeper seaweed:Lookup arn:kelp:seaweed:::status",
      "keeper seaweed:WriteNeedle arn:kelp:seaweed:::volume/5",
      "keeper seaweed:DeleteNeedle arn:kelp:seaweed:::volume/5",
    ),
    clock: systemClock,
    log: silentLog,
    version: "0.0.1",
    topologyId: "an-id",
    startedMs: 0,
    volumeSizeBytesMax: 10_000,
    volumeNode: NODE,
    host: "127.0.0.1",
    network: systemTcpNetwork,
    address: "127.0.0.1",
    port: 0,
  });
  return new MasterDoorWorld(asked, door);
}
