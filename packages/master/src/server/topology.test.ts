import { afterAll, beforeAll, expect, test } from "bun:test";
import { NODE, type MasterDoorWorld, openMasterDoorWorld } from "../testing/master-door-world.ts";

let door: MasterDoorWorld;

beforeAll(async () => {
  door = await openMasterDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("the topology has the names of SeaweedFS", async () => {
  expect(await door.json("/dir/status")).toEqual([
    200,
    {
      Version: "0.0.1",
      TopologyId: "an-id",
      Topology: {
        Max: 11,
        Free: 5,
        DataCenters: [
          {
            Id: "DefaultDataCenter",
            Racks: [
              {
                Id: "DefaultRack",
                DataNodes: [
                  {
                    Url: NODE,
                    PublicUrl: NODE,
                    Volumes: 5,
                    EcShards: 13,
                    Max: 11,
                    VolumeIds: " 1-3 5 7",
                  },
                ],
              },
            ],
          },
        ],
        Layouts: [
          { replication: "000", ttl: "", writables: [1, 2], collection: "", diskType: "hdd" },
          { replication: "000", ttl: "3d", writables: [5], collection: "pics", diskType: "ssd" },
          { replication: "000", ttl: "", writables: [], collection: "lost", diskType: "hdd" },
        ],
      },
    },
  ]);
  const [, told] = await door.json("/vol/status");
  expect(told).toMatchObject({ Version: "0.0.1", Volumes: { Max: 11, Free: 5 } });
  const listed = JSON.stringify(told);
  const inRack = `"DefaultDataCenter":{"DefaultRack":{"${NODE}":[`;
  expect(listed).toContain(inRack);
  const [first] = JSON.parse(`[${listed.split(inRack)[1]?.split("]")[0]}]`);
  expect(first).toEqual({
    Id: 1,
    Size: 1000,
    ReplicaPlacement: {},
    Ttl: { Count: 0, Unit: 0 },
    DiskType: "",
    DiskId: 0,
    Collection: "",
    Version: 3,
    FileCount: 3,
    DeleteCount: 1,
    DeletedByteCount: 100,
    ReadOnly: false,
    CompactRevision: 0,
    ModifiedAtSecond: 1_700_000_000,
    RemoteStorageName: "",
    RemoteStorageKey: "",
  });
});
