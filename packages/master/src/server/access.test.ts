import { afterAll, beforeAll, expect, test } from "bun:test";
import { type MasterDoorWorld, openMasterDoorWorld } from "../testing/master-door-world.ts";

let door: MasterDoorWorld;

beforeAll(async () => {
  door = await openMasterDoorWorld();
});

afterAll(async () => {
  await door[Symbol.asyncDispose]();
});

test("a lookup signs what its caller may do with the file, and nothing more", async () => {
  const token = async (query: string, caller?: string): Promise<string | null> =>
    (await door.ask(`/dir/lookup?${query}`, {}, caller)).headers.get("authorization");
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
  expect((await door.ask(lookup, {}, "writer")).headers.get("authorization")).toBeNull();
  expect((await door.ask(lookup, {}, "keeper")).headers.get("authorization")).toBe(
    "Bearer signed-write-1-5,01637037d6",
  );
});

test("nobody gets in without credentials, and everybody only as far as allowed", async () => {
  const paths = ["/", "/dir/assign", "/dir/lookup?volumeId=1", "/dir/status", "/vol/status"];
  paths.push("/vol/grow?count=1", "/vol/vacuum", "/col/delete?collection=pics", "/cluster/status");
  paths.push("/collection/info", "/5,01637037d6", "/ui/index.html");
  for (const path of paths) {
    expect(await door.status(path, {}, "")).toBe(401);
    expect(await door.status(path, {}, "bob")).toBe(403);
  }
  expect(await door.status("/dir/assign?collection=pics", {}, "ann")).toBe(200);
  expect(await door.status("/dir/assign", {}, "ann")).toBe(403);
  for (const path of ["/cluster/healthz", "/healthz", "/readyz"]) {
    expect(await (await door.ask(path, {}, "")).text()).toBe("ok\n");
  }
});

test("calls that change something say so to the gate, also by GET", async () => {
  const changes = ["/dir/assign", "/vol/grow?count=1", "/vol/vacuum", "/col/delete?collection=x"];
  for (const path of changes) {
    await door.status(path);
    expect(door.asked.gate.questions.at(-1)).toEqual({ effect: "changes", tokens: "none" });
  }
  await door.status("/dir/status");
  expect(door.asked.gate.questions.at(-1)).toEqual({ effect: "reads", tokens: "none" });
});

test("volumes of the filer are neither assigned to clients, nor made or deleted for them", async () => {
  const count = door.asked.assigned.length + door.asked.grown.length;
  const name = "collection=kelp-filer-0190a5c27b1e4c3d";
  for (const path of ["/dir/assign?", "/vol/grow?count=1&", "/col/delete?"]) {
    expect(await door.status(`${path}${name}`)).toBe(403);
  }
  expect(await door.status(`/submit?${name}`, { method: "POST", body: "x" })).toBe(403);
  expect(door.asked.assigned.length + door.asked.grown.length).toBe(count);
});
