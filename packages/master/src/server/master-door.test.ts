import { afterAll, beforeAll, expect, test } from "bun:test";
import { NODE, type MasterDoorWorld, openMasterDoorWorld } from "../testing/master-door-world.ts";

let door: MasterDoorWorld;

beforeAll(async () => {
  door = await openMasterDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("an assignment names the needle and its server, and is signed", async () => {
  const response = await door.ask("/dir/assign?count=5&collection=pics&ttl=3d&disk=ssd");
  expect(response.status).toBe(200);
  expect(await response.json()).toEqual({
    fid: "3,01637037d6",
    url: NODE,
    publicUrl: NODE,
    count: 5,
  });
  expect(response.headers.get("authorization")).toBe("Bearer signed-write-5-3,01637037d6");
  expect(door.asked.assigned.at(-1)).toEqual({
    collection: "pics",
    sizeBytes: 0,
    count: 5,
    ttl: { count: 3, unit: "day" },
    diskType: "ssd",
  });
});

test("parameters may come in the body of a form", async () => {
  const body = new URLSearchParams({ count: "7", collection: "pics" });
  const [code, told] = await door.json("/dir/assign", { method: "POST", body });
  expect([code, told]).toMatchObject([200, { count: 7 }]);
  expect(door.asked.assigned.at(-1)?.collection).toBe("pics");
});

test("what cannot be had is told in the statuses of SeaweedFS", async () => {
  expect(await door.json("/dir/assign?collection=full")).toEqual([
    406,
    { error: "Cannot assign: no space" },
  ]);
  expect(await door.status("/dir/assign?replication=001")).toBe(406);
  expect(await door.status("/dir/assign?replication=9")).toBe(406);
  expect(await door.status("/dir/assign?replication=000")).toBe(200);
  expect(await door.status("/dir/assign?ttl=soon")).toBe(406);
  expect(await door.status("/dir/assign?dataCenter=dc7")).toBe(400);
  expect(await door.status("/dir/assign?count=0")).toBe(400);
  expect(await door.status("/dir/assign?dataCenter=DefaultDataCenter&rack=DefaultRack")).toBe(200);
});

test("a lookup finds the volume, by its number or a file of it", async () => {
  const found = { url: NODE, publicUrl: NODE, dataCenter: "DefaultDataCenter" };
  for (const query of ["volumeId=5", "volumeId=5,01637037d6", "fileId=5,01637037d6"]) {
    expect(await door.json(`/dir/lookup?${query}`)).toEqual([
      200,
      { volumeOrFileId: "5", locations: [found] },
    ]);
  }
  expect(await door.json("/dir/lookup?volumeId=99")).toEqual([
    404,
    { volumeOrFileId: "99", error: "volume id 99 not found" },
  ]);
  expect(await door.status("/dir/lookup?volumeId=5&collection=other")).toBe(404);
  expect(await door.status("/dir/lookup?volumeId=7")).toBe(503);
  expect(await door.status("/dir/lookup?volumeId=x")).toBe(404);
  expect(await door.status("/dir/lookup")).toBe(400);
});

test("growing makes volumes of the layout", async () => {
  expect(await door.json("/vol/grow?count=3&collection=pics")).toEqual([200, { count: 3 }]);
  expect(door.asked.grown.at(-1)).toEqual({ collection: "pics" });
  expect(await door.status("/vol/grow")).toBe(406);
  expect(await door.status("/vol/grow?count=0")).toBe(400);
});

test("vacuuming takes the plain volumes with enough garbage", async () => {
  expect(await door.status("/vol/vacuum")).toBe(200);
  expect(door.asked.vacuumed.splice(0)).toEqual([2]);
  expect(await door.status("/vol/vacuum?garbageThreshold=0.05", { method: "POST" })).toBe(200);
  expect(door.asked.vacuumed.splice(0)).toEqual([1, 2, 3, 5]);
  expect(await door.status("/vol/vacuum?garbageThreshold=x")).toBe(406);
});

test("collections are told of and deleted by name, never the one without", async () => {
  expect(await door.json("/collection/info?collection=pics")).toEqual([
    200,
    { TotalSize: 10_000, UsedSize: 1000, FileCount: 3, VolumeCount: 1 },
  ]);
  expect(await door.json("/collection/info?collection=pics&detail=true")).toMatchObject([
    200,
    [{ Replication: "000", TTL: "3d", DiskType: "ssd", FileCount: 3 }],
  ]);
  expect(await door.status("/collection/info?collection=none")).toBe(400);
  expect(await door.status("/col/delete?collection=pics")).toBe(204);
  expect(await door.status("/col/delete?collection=none")).toBe(400);
  expect(await door.status("/col/delete?collection=")).toBe(400);
  expect(await door.status("/col/delete")).toBe(400);
});

test("a submitted file is assigned and stored in one call", async () => {
  expect(await door.json("/submit?collection=pics", { method: "POST", body: "content" })).toEqual([
    201,
    {
      fileName: "a.txt",
      fid: "3,01637037d6",
      fileUrl: `${NODE}/3,01637037d6`,
      size: 7,
      eTag: "00c0ffee",
    },
  ]);
  expect(await door.status("/submit", { method: "POST" })).toBe(400);
  expect(await door.status("/submit")).toBe(405);
});

test("a file id sends its reader to the volume server, and nowhere else", async () => {
  const response = await door.ask("/5,01637037d6/a.jpg?dl=true");
  expect(response.status).toBe(308);
  expect(response.headers.get("location")).toBe(`http://${NODE}/5,01637037d6/a.jpg?dl=true`);
  expect(await door.status("/99,01637037d6")).toBe(404);
  for (const path of ["//evil.example/", "/5,01637037d6", "/@evil.example"]) {
    const location = (await door.ask(path)).headers.get("location");
    expect(location === null || location.startsWith(`http://${NODE}/`)).toBe(true);
  }
});

test("the cluster is one leader", async () => {
  const leader = `127.0.0.1:${door.port}`;
  expect(await door.json("/cluster/status")).toEqual([
    200,
    { IsLeader: true, Leader: leader, Peers: [], MaxVolumeId: 8 },
  ]);
  expect(
    (await (await door.ask("/cluster/status?pretty=y")).text()).split("\n").length,
  ).toBeGreaterThan(4);
});

test("the page escapes what it shows", async () => {
  const text = await (await door.ask("/")).text();
  expect(text).toContain("/data/&#60;a&#62;");
  expect(text).toContain("Version 0.0.1");
  expect(text).toContain("erasure-coded");
});
