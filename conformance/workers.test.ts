import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { deterministicBytes, deterministicSize } from "./harness/deterministic-bytes.ts";
import { gatewayPids } from "./harness/gateway-pids.ts";
import { KELP, KelpServer } from "./harness/kelp-server.ts";
import { KeptDoor, doorsToEach } from "./harness/kept-door.ts";
import { runProgram } from "./harness/programs.ts";
import type { KeyPair } from "./harness/signed-request.ts";

/** Several processes serve one S3 door: what one does, the others show at once, and none takes anything with it when it dies. */
const WORKERS = ["--workers", "2"];
const TEST_MS_MAX = 120_000;

function rootOf({ credentials }: KelpServer): KeyPair {
  return { id: credentials.access_key, secret: credentials.secret_key };
}

/** With a bucket, and a connection to each of its gateways. */
async function startWithDoors(options: Parameters<typeof KelpServer.start>[0] = {}) {
  const server = await KelpServer.start({
    ...options,
    flags: [...WORKERS, ...(options.flags ?? [])],
  });
  const [first, second] = await doorsToEach(server.s3Url, rootOf(server), 2);
  if (first === undefined || second === undefined) throw new Error("two gateways answer");
  const { status } = await first.send({ method: "PUT", path: "/shared-bucket" });
  expect([200, 409]).toContain(status);
  return { server, first, second };
}

async function fsck(dir: string): Promise<{ readonly status: number; readonly bad: unknown[] }> {
  const { status, stdout } = await runProgram(KELP, ["fsck", "--dir", dir, "--json"]);
  const report: { findings: { isHarmless: boolean }[] } = JSON.parse(stdout);
  return { status: status ?? 1, bad: report.findings.filter(({ isHarmless }) => !isHarmless) };
}

test(
  "what is written, listed, overwritten and removed through one gateway is so through the other",
  async () => {
    const { server, first, second } = await startWithDoors();
    await using _server = server;
    for (const [index, sizeBytes] of [0, 10, 5_000, 300_000, 9_000_000].entries()) {
      const [writer, reader] = index % 2 === 0 ? [first, second] : [second, first];
      const path = `/shared-bucket/size-${sizeBytes}`;
      for (const body of [randomBytes(sizeBytes), randomBytes(sizeBytes)]) {
        expect((await writer.send({ method: "PUT", path }, body)).status).toBe(200);
        const read = await reader.send({ method: "GET", path });
        expect({ status: read.status, isSame: read.body.equals(body) }).toEqual({
          status: 200,
          isSame: true,
        });
      }
      const listed = await reader.send({ method: "GET", path: "/shared-bucket" });
      expect(listed.body.toString()).toContain(`<Key>size-${sizeBytes}</Key>`);
      expect((await reader.send({ method: "DELETE", path })).status).toBe(204);
      expect((await writer.send({ method: "GET", path })).status).toBe(404);
    }
    const client = new Bun.S3Client({
      endpoint: server.s3Url,
      bucket: "shared-bucket",
      accessKeyId: server.credentials.access_key,
      secretAccessKey: server.credentials.secret_key,
    });
    // Parts go over several connections, so through both.
    const large = randomBytes(40 * 1024 * 1024);
    const writer = client.file("parts").writer({ partSize: 5 * 1024 * 1024, queueSize: 8 });
    await writer.write(large);
    await writer.end();
    for (const door of [first, second]) {
      const read = await door.send({ method: "GET", path: "/shared-bucket/parts" });
      expect(read.body.equals(large)).toBe(true);
    }
    const startedMs = performance.now();
    expect(await server.stop()).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  },
  TEST_MS_MAX,
);

test(
  "of 64 writers through both gateways that ask for an absent key exactly one wins",
  async () => {
    const { server, first, second } = await startWithDoors();
    await using _server = server;
    for (const sizeBytes of [10, 50_000]) {
      const doors = Array.from({ length: 64 }, () => new KeptDoor(server.s3Url, rootOf(server)));
      const answers = await Promise.all(
        doors.map((door) =>
          door.send(
            {
              method: "PUT",
              path: `/shared-bucket/raced-${sizeBytes}`,
              headers: { "if-none-match": "*" },
            },
            randomBytes(sizeBytes),
          ),
        ),
      );
      for (const door of doors) door[Symbol.dispose]();
      expect(new Set(answers.map(({ servedBy }) => servedBy)).size).toBe(2);
      const won = answers.filter(({ status }) => status === 200).length;
      // A conflict of two that run at once may also be told as such.
      const lost = answers.filter(({ status }) => status === 412 || status === 409).length;
      expect({ won, lost }).toEqual({ won: 1, lost: 63 });
      for (const door of [first, second]) {
        const read = await door.send({ method: "GET", path: `/shared-bucket/raced-${sizeBytes}` });
        expect(read.body.length).toBe(sizeBytes);
      }
    }
  },
  TEST_MS_MAX,
);

test(
  "a key that is switched off or deleted is refused by every gateway once that is answered",
  async () => {
    const { server } = await startWithDoors();
    await using _server = server;
    const admin = (method: string, path: string, body?: unknown): Promise<Response> =>
      fetch(`${server.consoleUrl}/api/v1${path}`, {
        method,
        headers: {
          authorization: `Bearer ${server.credentials.console_token}`,
          "content-type": "application/json",
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    for (let round = 0; round < 5; round++) {
      const name = `ada-${round}`;
      expect((await admin("PUT", `/identities/${name}`, { actions: ["Admin"] })).ok).toBe(true);
      const made = await admin("POST", `/identities/${name}/keys`, {});
      expect(made.ok).toBe(true);
      const { access_key, secret_key } = (await made.json()) as Record<string, string>;
      const key = { id: access_key ?? "", secret: secret_key ?? "" };
      const doors = await doorsToEach(server.s3Url, key, 2);
      const statuses = async (): Promise<number[]> =>
        Promise.all(
          doors.map(async (door) => {
            const { status } = await door.send({ method: "GET", path: "/shared-bucket" });
            return status;
          }),
        );
      expect(await statuses()).toEqual([200, 200]);
      expect((await admin("DELETE", `/identities/${name}`)).ok).toBe(true);
      expect(await statuses()).toEqual([403, 403]);
      for (const door of doors) door[Symbol.dispose]();
    }
  },
  TEST_MS_MAX,
);

test(
  "kill -9 of a gateway under 32 writers loses nothing that was acknowledged, and another takes its place",
  async () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "data");
    const { server } = await startWithDoors({ dir });
    await using _server = server;
    const acknowledged: string[] = [];
    const before = gatewayPids(server.pid);
    expect(before.length).toBe(2);
    const over = new AbortController();
    const write = async (writer: number): Promise<void> => {
      let door = new KeptDoor(server.s3Url, rootOf(server));
      for (let count = 0; !over.signal.aborted; count++) {
        const key = `writer-${writer}/${count}`;
        try {
          const path = `/shared-bucket/${key}`;
          const answer = await door.send({ method: "PUT", path }, bodyOf(key));
          if (answer.status === 200) acknowledged.push(key);
        } catch {
          door[Symbol.dispose]();
          door = new KeptDoor(server.s3Url, rootOf(server));
        }
      }
      door[Symbol.dispose]();
    };
    const writers = Promise.all(Array.from({ length: 32 }, (_, writer) => write(writer)));
    for (const pid of before) {
      const count = acknowledged.length;
      while (acknowledged.length < count + 100) await Bun.sleep(5);
      process.kill(pid, "SIGKILL");
      while (gatewayPids(server.pid).length < 2 || gatewayPids(server.pid).includes(pid))
        await Bun.sleep(5);
    }
    const doors = await doorsToEach(server.s3Url, rootOf(server), 2);
    over.abort();
    await writers;
    expect(gatewayPids(server.pid).some((pid) => before.includes(pid))).toBe(false);
    const read = async (door: KeptDoor, key: string): Promise<boolean> => {
      const { body } = await door.send({ method: "GET", path: `/shared-bucket/${key}` });
      return body.equals(bodyOf(key));
    };
    for (const [index, key] of acknowledged.entries()) {
      const door = doors[index % doors.length];
      if (door === undefined || !(await read(door, key))) throw new Error(`${key} is lost`);
    }
    for (const door of doors) door[Symbol.dispose]();
    expect(await server.stop()).toBe(0);
    expect(await fsck(dir)).toEqual({ status: 0, bad: [] });
  },
  TEST_MS_MAX,
);

test(
  "gateways end with their server, killed or not, and the next one serves everything",
  async () => {
    using folder = temporaryFolder();
    const dir = join(folder.path, "data");
    const key = randomBytes(32).toString("hex");
    const options = { dir, flags: ["--encrypt.at-rest", "env:SEAL_KEY"], env: { SEAL_KEY: key } };
    const bodies = new Map<string, Buffer>();
    const secretText = Buffer.from("nobody may read this from the disk ".repeat(4));
    for (const ending of ["kill", "stop"] as const) {
      const { server, first, second } = await startWithDoors(options);
      await using _server = server;
      for (const [index, door] of [first, second].entries()) {
        for (const [path, body] of bodies) {
          expect((await door.send({ method: "GET", path })).body.equals(body)).toBe(true);
        }
        for (const sizeBytes of [secretText.length, 100_000]) {
          const path = `/shared-bucket/${ending}-${index}-${sizeBytes}`;
          const body = Buffer.concat([secretText, randomBytes(sizeBytes - secretText.length)]);
          expect((await door.send({ method: "PUT", path }, body)).status).toBe(200);
          bodies.set(path, body);
        }
      }
      const pids = gatewayPids(server.pid);
      if (ending === "kill") await server.kill();
      else expect(await server.stop()).toBe(0);
      while (pids.some((pid) => existsSync(`/proc/${pid}/fd`))) await Bun.sleep(5);
      for (const file of [join(dir, "filer.db"), join(dir, "filer.db-wal"), ...volumeFiles(dir)]) {
        const isThere = existsSync(file);
        expect(isThere && readFileSync(file).includes(secretText)).toBe(false);
      }
    }
    expect(await fsck(dir)).toEqual({ status: 0, bad: [] });
  },
  TEST_MS_MAX,
);

test(
  "a port that another process has is an error that names it, and the server ends",
  async () => {
    using folder = temporaryFolder();
    // As a process listens that would share its port with others that agree.
    const socket = { data: () => undefined };
    const options = { hostname: "127.0.0.1", port: 0, reusePort: true };
    const stranger = Bun.listen<undefined>({ ...options, socket });
    const flags = ["--s3.port", `${stranger.port}`];
    const started = KelpServer.start({
      dir: join(folder.path, "data"),
      flags: [...WORKERS, ...flags],
    });
    const failure = await started.then(
      async (server) => {
        await server.stop();
        return "it started";
      },
      (error: unknown) => String(error),
    );
    stranger.stop(true);
    expect(failure).toContain("ended with 1 before it was ready");
    expect(failure).toContain(`the port is taken by process ${process.pid}`);
    expect(failure).toContain("--s3.port");
  },
  TEST_MS_MAX,
);

function bodyOf(key: string): Buffer {
  return Buffer.from(deterministicBytes(key, deterministicSize(key) % 200_000));
}

function volumeFiles(dir: string): string[] {
  const folder = join(dir, "volumes");
  return readdirSync(folder)
    .filter((name) => name.endsWith(".dat"))
    .map((name) => join(folder, name));
}
