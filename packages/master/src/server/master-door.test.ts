import { afterAll, beforeAll, expect, test } from "bun:test";
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
import { CALLER_HEADER, believingGate, listAuthorizer } from "@kelp/wire/testing";
import { MasterError } from "../errors.ts";
import { openMasterDoor } from "./master-door.ts";

const NODE = "127.0.0.1:8080";
const assigned: AssignRequest[] = [];
const grown: unknown[] = [];
const vacuumed: number[] = [];
const gate = believingGate();
let door: HttpDoor;

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

beforeAll(async () => {
  door = await openMasterDoor({
    master: {
      assign: (request) => {
        assigned.push(request);
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
        grown.push(layout);
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
        vacuumed.push(id);
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
    gate,
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
});

afterAll(async () => {
  await door.stop();
});

function ask(path: string, init: RequestInit = {}, caller = "root"): Promise<Response> {
  const headers = new Headers(init.headers);
  if (caller !== "") headers.set(CALLER_HEADER, caller);
  return fetch(`http://127.0.0.1:${door.port}${path}`, { ...init, headers, redirect: "manual" });
}

async function json(path: string, init?: RequestInit, caller?: string): Promise<[number, unknown]> {
  const response = await ask(path, init, caller);
  return [response.status, await response.json()];
}

async function status(path: string, init?: RequestInit, caller?: string): Promise<number> {
  const response = await ask(path, init, caller);
  await response.arrayBuffer();
  return response.status;
}

test("an assignment names the needle and its server, and is signed", async () => {
  const response = await ask("/dir/assign?count=5&collection=pics&ttl=3d&disk=ssd");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    fid: "3,01637037d6",
    url: NODE,
    publicUrl: NODE,
    count: 5,
  });
  expect(response.headers.get("authorization")).toBe("Bearer signed-write-5-3,01637037d6");
  expect(assigned.at(-1)).toEqual({
    collection: "pics",
    sizeBytes: 0,
    count: 5,
    ttl: { count: 3, unit: "day" },
    diskType: "ssd",
  });
});

test("parameters may come in the body of a form", async () => {
  const body = new URLSearchParams({ count: "7", collection: "pics" });
  const [code, told] = await json("/dir/assign", { method: "POST", body });
  expect([code, told]).toMatchObject([200, { count: 7 }]);
  expect(assigned.at(-1)?.collection).toBe("pics");
});

test("what cannot be had is told in the statuses of SeaweedFS", async () => {
  expect(await json("/dir/assign?collection=full")).toEqual([
    406,
    { error: "Cannot assign: no space" },
  ]);
  expect(await status("/dir/assign?replication=001")).toBe(406);
  expect(await status("/dir/assign?replication=9")).toBe(406);
  expect(await status("/dir/assign?replication=000")).toBe(200);
  expect(await status("/dir/assign?ttl=soon")).toBe(406);
  expect(await status("/dir/assign?dataCenter=dc7")).toBe(400);
  expect(await status("/dir/assign?count=0")).toBe(400);
  expect(await status("/dir/assign?dataCenter=DefaultDataCenter&rack=DefaultRack")).toBe(200);
});

test("a lookup finds the volume, by its number or a file of it", async () => {
  const found = { url: NODE, publicUrl: NODE, dataCenter: "DefaultDataCenter" };
  for (const query of ["volumeId=5", "volumeId=5,01637037d6", "fileId=5,01637037d6"]) {
    expect(await json(`/dir/lookup?${query}`)).toEqual([
      200,
      { volumeOrFileId: "5", locations: [found] },
    ]);
  }
  expect(await json("/dir/lookup?volumeId=99")).toEqual([
    404,
    { volumeOrFileId: "99", error: "volume id 99 not found" },
  ]);
  expect(await status("/dir/lookup?volumeId=5&collection=other")).toBe(404);
  expect(await status("/dir/lookup?volumeId=7")).toBe(503);
  expect(await status("/dir/lookup?volumeId=x")).toBe(404);
  expect(await status("/dir/lookup")).toBe(400);
});

test("a lookup signs what its caller may do with the file, and nothing more", async () => {
  const token = async (query: string, caller?: string): Promise<string | null> =>
    (await ask(`/dir/lookup?${query}`, {}, caller)).headers.get("authorization");
  expect(await token("fileId=5,01637037d6&read=yes")).toBe("Bearer signed-read-1-5,01637037d6");
  expect(await token("fileId=5,01637037d6")).toBe("Bearer signed-write-1-5,01637037d6");
  expect(await token("fileId=5,01637037d6_3&read=yes")).toBe("Bearer signed-read-4-5,01637037d6");
  expect(await token("volumeId=5")).toBeNull();
  expect(await token("fileId=5,01637037d6&read=yes", "ann")).toBe(
    "Bearer signed-read-1-5,01637037d6",
  );
  expect(await token("fileId=5,01637037d6", "ann")).toBeNull();
  expect(await token("fileId=1,01637037d6&read=yes", "ann")).toBeNull();
});

test("who may write files and not delete them gets no token that deletes", async () => {
  const lookup = "/dir/lookup?fileId=5,01637037d6";
  expect((await ask(lookup, {}, "writer")).headers.get("authorization")).toBeNull();
  expect((await ask(lookup, {}, "keeper")).headers.get("authorization")).toBe(
    "Bearer signed-write-1-5,01637037d6",
  );
});

test("the topology has the names of SeaweedFS", async () => {
  expect(await json("/dir/status")).toEqual([
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
  const [, told] = await json("/vol/status");
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

test("growing makes volumes of the layout", async () => {
  expect(await json("/vol/grow?count=3&collection=pics")).toEqual([200, { count: 3 }]);
  expect(grown.at(-1)).toEqual({ collection: "pics" });
  expect(await status("/vol/grow")).toBe(406);
  expect(await status("/vol/grow?count=0")).toBe(400);
});

test("vacuuming takes the plain volumes with enough garbage", async () => {
  expect(await status("/vol/vacuum")).toBe(200);
  expect(vacuumed.splice(0)).toEqual([2]);
  expect(await status("/vol/vacuum?garbageThreshold=0.05", { method: "POST" })).toBe(200);
  expect(vacuumed.splice(0)).toEqual([1, 2, 3, 5]);
  expect(await status("/vol/vacuum?garbageThreshold=x")).toBe(406);
});

test("collections are told of and deleted by name, never the one without", async () => {
  expect(await json("/collection/info?collection=pics")).toEqual([
    200,
    { TotalSize: 10_000, UsedSize: 1000, FileCount: 3, VolumeCount: 1 },
  ]);
  expect(await json("/collection/info?collection=pics&detail=true")).toMatchObject([
    200,
    [{ Replication: "000", TTL: "3d", DiskType: "ssd", FileCount: 3 }],
  ]);
  expect(await status("/collection/info?collection=none")).toBe(400);
  expect(await status("/col/delete?collection=pics")).toBe(204);
  expect(await status("/col/delete?collection=none")).toBe(400);
  expect(await status("/col/delete?collection=")).toBe(400);
  expect(await status("/col/delete")).toBe(400);
});

test("a submitted file is assigned and stored in one call", async () => {
  expect(await json("/submit?collection=pics", { method: "POST", body: "content" })).toEqual([
    201,
    {
      fileName: "a.txt",
      fid: "3,01637037d6",
      fileUrl: `${NODE}/3,01637037d6`,
      size: 7,
      eTag: "00c0ffee",
    },
  ]);
  expect(await status("/submit", { method: "POST" })).toBe(400);
  expect(await status("/submit")).toBe(405);
});

test("a file id sends its reader to the volume server, and nowhere else", async () => {
  const response = await ask("/5,01637037d6/a.jpg?dl=true");
  expect(response.status).toBe(308);
  expect(response.headers.get("location")).toBe(`http://${NODE}/5,01637037d6/a.jpg?dl=true`);
  expect(await status("/99,01637037d6")).toBe(404);
  for (const path of ["//evil.example/", "/5,01637037d6", "/@evil.example"]) {
    const location = (await ask(path)).headers.get("location");
    expect(location === null || location.startsWith(`http://${NODE}/`)).toBe(true);
  }
});

test("the cluster is one leader", async () => {
  const leader = `127.0.0.1:${door.port}`;
  expect(await json("/cluster/status")).toEqual([
    200,
    { IsLeader: true, Leader: leader, Peers: [], MaxVolumeId: 8 },
  ]);
  expect((await (await ask("/cluster/status?pretty=y")).text()).split("\n").length).toBeGreaterThan(
    4,
  );
});

test("nobody gets in without credentials, and everybody only as far as allowed", async () => {
  const paths = ["/", "/dir/assign", "/dir/lookup?volumeId=1", "/dir/status", "/vol/status"];
  paths.push("/vol/grow?count=1", "/vol/vacuum", "/col/delete?collection=pics", "/cluster/status");
  paths.push("/collection/info", "/5,01637037d6", "/ui/index.html");
  for (const path of paths) {
    expect(await status(path, {}, "")).toBe(401);
    expect(await status(path, {}, "bob")).toBe(403);
  }
  expect(await status("/dir/assign?collection=pics", {}, "ann")).toBe(200);
  expect(await status("/dir/assign", {}, "ann")).toBe(403);
  for (const path of ["/cluster/healthz", "/healthz", "/readyz"]) {
    expect(await (await ask(path, {}, "")).text()).toBe("ok\n");
  }
});

test("calls that change something say so to the gate, also by GET", async () => {
  const changes = ["/dir/assign", "/vol/grow?count=1", "/vol/vacuum", "/col/delete?collection=x"];
  for (const path of changes) {
    await status(path);
    expect(gate.questions.at(-1)).toEqual({ effect: "changes", tokens: "none" });
  }
  await status("/dir/status");
  expect(gate.questions.at(-1)).toEqual({ effect: "reads", tokens: "none" });
});

test("the page escapes what it shows", async () => {
  const text = await (await ask("/")).text();
  expect(text).toContain("/data/&#60;a&#62;");
  expect(text).toContain("Version 0.0.1");
  expect(text).toContain("erasure-coded");
});

test("volumes of the filer are neither assigned to clients, nor made or deleted for them", async () => {
  const count = assigned.length + grown.length;
  const name = "collection=kelp-filer-0190a5c27b1e4c3d";
  for (const path of ["/dir/assign?", "/vol/grow?count=1&", "/col/delete?"]) {
    expect(await status(`${path}${name}`)).toBe(403);
  }
  expect(await status(`/submit?${name}`, { method: "POST", body: "x" })).toBe(403);
  expect(assigned.length + grown.length).toBe(count);
});
