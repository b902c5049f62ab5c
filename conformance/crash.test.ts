import { expect, test } from "bun:test";
import { randomInt } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deterministicBytes, deterministicSize } from "./harness/deterministic-bytes.ts";
import { KELP, KelpServer } from "./harness/kelp-server.ts";
import { submitRun, waitForRun } from "./harness/pipelines-client.ts";
import { runProgram } from "./harness/programs.ts";

/**
 * kill -9 during concurrent writers and a running pipeline. After each restart every acknowledged object is there with
 * its bytes, nothing half-written is listed, and in the end every run has ended.
 */
const ROUNDS = 20;
const WRITERS = 32;
const BUCKET = "crash-bucket";
const RUN_SPEC: unknown = Bun.YAML.parse(
  readFileSync(join(import.meta.dirname, "fixtures", "shell-loop.yaml"), "utf8"),
);

test(
  `${ROUNDS} rounds of kill -9 under ${WRITERS} writers lose nothing that was acknowledged`,
  async () => {
    const dir = mkdtempSync(join(tmpdir(), "kelp-crash-"));
    const acknowledged = new Set<string>();
    const lastCounter = new Map<string, number>();
    const runs: string[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const server = await KelpServer.start({ dir });
      const client = clientOf(server);
      if (round === 0) await createBucket(server);
      await verify(server, acknowledged, lastCounter, round - 1);
      runs.push(await submitRun(server, `round ${round}`, RUN_SPEC));
      await writeUntilKilled(server, client, round, acknowledged, lastCounter);
    }
    await using server = await KelpServer.start({ dir });
    await verify(server, acknowledged, lastCounter);
    const states = await Promise.all(runs.map((run) => waitForRun(server, run)));
    expect(states).toEqual(runs.map(() => "SUCCEEDED"));
    expect(await server.stop()).toBe(0);
    const fsck = await runProgram(KELP, ["fsck", "--dir", dir, "--json"]);
    const report: FsckReport = JSON.parse(fsck.stdout);
    expect({ missing: report.missing_chunks, corrupt: report.corrupt_needles }).toEqual({
      missing: 0,
      corrupt: 0,
    });
    expect(acknowledged.size).toBeGreaterThan(ROUNDS * WRITERS);
    rmSync(dir, { recursive: true });
  },
  15 * 60_000,
);

interface FsckReport {
  readonly missing_chunks: number;
  readonly corrupt_needles: number;
}

function clientOf(server: KelpServer): Bun.S3Client {
  return new Bun.S3Client({
    endpoint: server.s3Url,
    bucket: BUCKET,
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
    retry: 0,
  });
}

async function createBucket(server: KelpServer): Promise<void> {
  const response = await fetch(`${server.consoleUrl}/api/v1/buckets`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${server.credentials.console_token}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ name: BUCKET }),
  });
  expect(response.ok).toBe(true);
}

/** Each writer makes new objects and overwrites one of its own, until the server is killed at a random moment. */
async function writeUntilKilled(
  server: KelpServer,
  client: Bun.S3Client,
  round: number,
  acknowledged: Set<string>,
  lastCounter: Map<string, number>,
): Promise<void> {
  const killed = new AbortController();
  let started: () => void = () => undefined;
  const firstAnswer = new Promise<void>((resolve) => {
    started = resolve;
  });
  const writer = async (number: number): Promise<void> => {
    for (let count = 0; !killed.signal.aborted; count++) {
      const key = `round-${round}/writer-${number}/${count}`;
      const latest = `latest/writer-${number}`;
      const counter = round * 1_000_000 + count;
      try {
        await client.write(key, deterministicBytes(key, deterministicSize(key)));
        acknowledged.add(key);
        started();
        await client.write(latest, latestBytes(counter));
        lastCounter.set(latest, counter);
      } catch {
        if (!killed.signal.aborted)
          throw new Error(`a write failed before the kill: ${key}\n${server.output}`);
        return;
      }
    }
  };
  const writers = Promise.all(Array.from({ length: WRITERS }, (_, number) => writer(number)));
  await Promise.race([firstAnswer, writers]);
  await Bun.sleep(randomInt(50, 500));
  killed.abort();
  await server.kill();
  await writers;
}

function latestBytes(counter: number): Uint8Array {
  return Buffer.concat([Buffer.from(`${counter}\n`), deterministicBytes(`${counter}`, 100_000)]);
}

async function verify(
  server: KelpServer,
  acknowledged: ReadonlySet<string>,
  lastCounter: ReadonlyMap<string, number>,
  newestRound?: number,
): Promise<void> {
  const client = clientOf(server);
  const listed = new Set<string>();
  let token: string | undefined;
  do {
    const page: Awaited<ReturnType<typeof client.list>> = await client.list(
      token === undefined ? {} : { continuationToken: token },
    );
    for (const item of page.contents ?? []) listed.add(item.key);
    token = page.isTruncated ? page.nextContinuationToken : undefined;
  } while (token !== undefined);
  const lost = [...acknowledged].filter((key) => !listed.has(key));
  expect(lost).toEqual([]);
  // Every name is compared each time; every byte of the newest round, and of all rounds in the end.
  const suspects = [...listed].filter(
    (key) =>
      newestRound === undefined ||
      key.startsWith("latest/") ||
      key.startsWith(`round-${newestRound}/`),
  );
  await forEachBounded(suspects, 16, async (key) => {
    const bytes = Buffer.from(await client.file(key).arrayBuffer());
    if (key.startsWith("latest/")) {
      const counter = Number(bytes.subarray(0, bytes.indexOf("\n")).toString());
      if (counter < (lastCounter.get(key) ?? 0)) throw new Error(`${key} went back to ${counter}`);
      if (!bytes.equals(latestBytes(counter))) throw new Error(`${key} has foreign bytes`);
      return;
    }
    if (!bytes.equals(deterministicBytes(key, deterministicSize(key)))) {
      throw new Error(`${key} is listed but has foreign bytes`);
    }
  });
}

async function forEachBounded<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  const iterator = items.values();
  await Promise.all(
    Array.from({ length: width }, async () => {
      for (const item of iterator) await work(item);
    }),
  );
}
