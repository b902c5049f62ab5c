import { expect, test } from "bun:test";
import { PLAIN_VOLUME, type VolumeStatus, volumeId } from "@kelp/wire";
import { type TestConsole, startConsole } from "../testing/console-server.ts";

const VOLUME: VolumeStatus = {
  ...PLAIN_VOLUME,
  id: volumeId(3),
  collection: "c",
  sizeBytes: 100,
  liveCount: 1,
  liveBytes: 60,
  deletedCount: 1,
  deletedBytes: 40,
  needleIdMax: 1n,
  state: "full",
  createdMs: 1,
  modifiedMs: 1,
};

const DAMAGE = {
  volumeId: volumeId(3),
  what: "1a",
  offsetBytes: 8,
  reason: "rot",
  foundMs: 1,
} as const;

async function ask(
  console: TestConsole,
  method: string,
  path: string,
  json?: unknown,
): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${console.url}/api/v1/volumes${path}`, {
    method,
    ...(json === undefined
      ? {}
      : { body: JSON.stringify(json), headers: { "content-type": "application/json" } }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

test("volumes are listed with their garbage, form and damage", async () => {
  await using console = await startConsole();
  console.status = { volumes: [VOLUME], totalBytes: 1, availableBytes: 1 };
  console.volumes.damaged = [DAMAGE, { ...DAMAGE, what: "index" }];
  expect(await ask(console, "GET", "")).toEqual({
    status: 200,
    body: {
      volumes: [
        {
          id: 3,
          collection: "c",
          size_bytes: 100,
          live_count: 1,
          live_bytes: 60,
          deleted_count: 1,
          deleted_bytes: 40,
          garbage_ratio: 0.4,
          state: "full",
          holder: null,
          form: "plain",
          shards: null,
          backend: null,
          version: 3,
          compaction_revision: 0,
          disk: 0,
          disk_type: "",
          damaged_count: 2,
        },
      ],
    },
  });
});

test("shards that are missing and remote stores are told", async () => {
  await using console = await startConsole();
  const form = { dataShards: 10, parityShards: 4, missingShards: [3, 11] };
  const remote = { backend: "cold", key: "volumes/4.dat" };
  console.status = {
    volumes: [
      { ...VOLUME, form: { ...form, kind: "erasure-coded" } },
      { ...VOLUME, id: volumeId(4), form: { ...remote, kind: "remote" } },
    ],
    totalBytes: 1,
    availableBytes: 1,
  };
  expect((await ask(console, "GET", "")).body).toMatchObject({
    volumes: [
      {
        form: "erasure-coded",
        shards: { data: 10, parity: 4, missing: [3, 11] },
        backend: null,
      },
      { form: "remote", shards: null, backend: "cold" },
    ],
  });
});

test("volumes are turned into shards, made whole, moved and brought back", async () => {
  await using console = await startConsole();
  const shape = { data_shards: 6, parity_shards: 3 };
  expect((await ask(console, "POST", "/3/encode", {})).status).toBe(204);
  expect((await ask(console, "POST", "/3/encode", shape)).status).toBe(204);
  expect(await ask(console, "POST", "/3/rebuild", {})).toEqual({
    status: 200,
    body: { rebuilt: [2, 13] },
  });
  expect((await ask(console, "POST", "/3/decode", {})).status).toBe(204);
  expect((await ask(console, "POST", "/3/upload", { backend: "cold" })).status).toBe(204);
  expect((await ask(console, "POST", "/3/download", {})).status).toBe(204);
  const calls = [
    "encode 3 +",
    "encode 3 6+3",
    "rebuild 3",
    "decode 3",
    "upload 3 cold",
    "download 3",
  ];
  expect(console.volumes.calls).toEqual(calls);
  const unreadable = [
    ["/3/encode", { data_shards: -1 }],
    ["/3/encode", { data_shards: 1.5 }],
    ["/3/encode", { dataShards: 4 }],
    ["/3/upload", {}],
    ["/3/upload", { backend: "" }],
    ["/0/decode", {}],
  ] as const;
  for (const [path, body] of unreadable) {
    expect((await ask(console, "POST", path, body)).status).toBe(400);
  }
  expect(console.volumes.calls).toEqual(calls);
});

test("a vacuum and a scrub tell what came of them", async () => {
  await using console = await startConsole();
  console.volumes.damaged = [DAMAGE];
  expect((await ask(console, "POST", "/3/vacuum")).body).toEqual({
    bytes_before: 100,
    bytes_after: 60,
    live_count: 3,
    damaged: [{ volume_id: 3, what: "1a", offset_bytes: 8, reason: "rot" }],
  });
  expect((await ask(console, "POST", "/3/scrub", {})).body).toEqual({
    checked_count: 4,
    checked_bytes: 50,
    repaired: [],
    damaged: [{ volume_id: 3, what: "1a", offset_bytes: 8, reason: "rot" }],
  });
  expect(console.volumes.calls).toEqual(["vacuum 3", "scrub 3"]);
});

test("a volume is marked, and deleted when nothing lives in it or by force", async () => {
  await using console = await startConsole();
  console.status = {
    volumes: [
      VOLUME,
      { ...VOLUME, id: volumeId(4), liveCount: 0 },
      { ...VOLUME, id: volumeId(5), liveCount: 0, state: "missing" },
    ],
    totalBytes: 1,
    availableBytes: 1,
  };
  expect((await ask(console, "PUT", "/3/state", { state: "read-only" })).status).toBe(204);
  expect((await ask(console, "PUT", "/3/state", { state: "full" })).status).toBe(400);
  for (const id of [3, 5]) {
    const refused = await ask(console, "DELETE", `/${id}`);
    expect(refused).toMatchObject({ status: 409, body: { error: { code: "volume-not-empty" } } });
  }
  expect((await ask(console, "DELETE", "/4")).status).toBe(204);
  expect((await ask(console, "DELETE", "/3?force=true")).status).toBe(204);
  expect(console.volumes.calls).toEqual([
    "mark 3 read-only",
    "mark 4 read-only",
    "delete 4",
    "delete 3",
  ]);
});

test("what is written while an empty volume is being deleted keeps it, and it takes writes again", async () => {
  await using console = await startConsole();
  const withLive = (liveCount: number) => ({
    volumes: [{ ...VOLUME, id: volumeId(4), state: "writable" as const, liveCount }],
    totalBytes: 1,
    availableBytes: 1,
  });
  console.status = withLive(0);
  console.volumes.onCall = () => {
    console.status = withLive(1);
  };
  const refused = await ask(console, "DELETE", "/4");
  expect(refused).toMatchObject({ status: 409, body: { error: { code: "volume-not-empty" } } });
  expect(console.volumes.calls).toEqual(["mark 4 read-only", "mark 4 writable"]);
});

test("what the volumes refuse has its own code and status", async () => {
  await using console = await startConsole();
  const meanings = [
    ["no-such-volume", 404, "no-such-volume"],
    ["job-running", 409, "volume-busy"],
    ["needle-corrupt", 500, "volume-damaged"],
    ["read-only", 409, "volume-unsuitable"],
    ["not-sealed", 409, "volume-unsuitable"],
    ["wrong-form", 409, "volume-unsuitable"],
    ["too-few-shards", 409, "volume-unsuitable"],
    ["shards-corrupt", 500, "volume-damaged"],
    ["index-corrupt", 500, "volume-damaged"],
    ["invalid-shape", 400, "bad-request"],
    ["no-such-backend", 404, "no-such-backend"],
    ["remote-failed", 503, "unavailable"],
    ["out-of-space", 507, "out-of-space"],
    ["volume-missing", 503, "unavailable"],
  ] as const;
  for (const [code, status, meaning] of meanings) {
    console.volumes.failure = Object.assign(new Error("Cannot"), { name: "VolumeError", code });
    expect(await ask(console, "POST", "/3/vacuum")).toMatchObject({
      status,
      body: { error: { code: meaning } },
    });
  }
});

test("every change of a volume needs its own right, asked of that volume", async () => {
  await using console = await startConsole();
  const routes = [
    ["POST", "/3/vacuum", "kelp:VacuumVolume"],
    ["POST", "/3/scrub", "kelp:ScrubVolume"],
    ["POST", "/3/encode", "kelp:EncodeVolume"],
    ["POST", "/3/decode", "kelp:DecodeVolume"],
    ["POST", "/3/rebuild", "kelp:RebuildVolume"],
    ["POST", "/3/upload", "kelp:UploadVolume"],
    ["POST", "/3/download", "kelp:DownloadVolume"],
    ["PUT", "/3/state", "kelp:MarkVolume"],
    ["DELETE", "/3?force=true", "kelp:DeleteVolume"],
  ] as const;
  for (const [method, path, action] of routes) {
    console.denied.add(action);
    expect((await ask(console, method, path, {})).status).toBe(403);
    expect(console.asked.at(-1)).toBe(`${action} arn:kelp:store:::volume/3`);
  }
  console.admission = { kind: "refused", status: 401, message: "Sign in" };
  for (const [method, path] of routes) {
    expect((await ask(console, method, path, {})).status).toBe(401);
  }
  expect(console.volumes.calls).toEqual([]);
});

test("a path that names no volume is refused", async () => {
  await using console = await startConsole();
  for (const id of ["0", "x", "1.5", "-1", "4294967296", "99999999999"]) {
    expect((await ask(console, "POST", `/${id}/vacuum`)).status).toBe(400);
  }
  expect(console.volumes.calls).toEqual([]);
});
