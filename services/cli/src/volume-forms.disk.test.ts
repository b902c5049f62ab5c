import { expect, test } from "bun:test";
import { S3Client } from "bun";
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { temporaryFolder } from "@kelp/base/testing";
import { type RunningServer, runCli, startTestServer } from "./testing/running-server.ts";

const BODY = Buffer.alloc(3_000_000, "kelp");

function bucketOf(server: RunningServer): S3Client {
  return new S3Client({
    endpoint: server.s3Url,
    bucket: "mlpipeline",
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
    retry: 0,
  });
}

async function isWhole(server: RunningServer): Promise<boolean> {
  return BODY.equals(Buffer.from(await bucketOf(server).file("one").arrayBuffer()));
}

test("a volume becomes shards through the shell, a flipped bit is told by fsck and made good by a scrub, and it moves to a remote store", async () => {
  using folder = temporaryFolder();
  const folders = ["a", "b", "c"].map((name) => `${folder.path}/${name}`);
  const tier = ["--volume.tier", `cold=folder:${folder.path}/cold`];
  const flags = ["--volume.dir", folders.join(","), ...tier];
  const shell = async (server: RunningServer, line: string): Promise<string> => {
    const { consoleUrl, credentials } = server;
    const args = ["shell", "-c", line, "--server", consoleUrl];
    const env = { KELP_TOKEN: credentials.console_token };
    const { stdout, stderr } = await runCli(args, { env });
    return stdout + stderr;
  };
  const files = (end: RegExp): string[] =>
    folders
      .flatMap((path) => readdirSync(path).map((name) => `${path}/${name}`))
      .filter((path) => end.test(path));
  const shards = (): string[] => files(/\.ec\d\d$/);
  let id = 0;
  {
    await using server = await startTestServer(folder.path, flags);
    await bucketOf(server).write("one", BODY);
    id = Number(/id:(\d+) size:[3-9]\d{6} /.exec(await shell(server, "volume.list"))?.[1]);
    expect(await shell(server, `ec.encode -volumeId ${id}`)).toContain("read-only");
    await shell(server, `volume.mark -volumeId ${id} -readonly`);
    const shape = "-dataShards 3 -parityShards 2";
    expect(await shell(server, `ec.encode -volumeId ${id} ${shape}`)).toBe(
      `volume ${id} is erasure-coded\n`,
    );
    expect(await shell(server, `volume.list -volumeId ${id}`)).toContain("shards:3+2 disk:");
    expect(shards().length).toBe(5);
    expect(await isWhole(server)).toBe(true);
    await server.end("SIGTERM");
  }
  const dir = `${folder.path}/data`;
  expect((await runCli(["fsck", "--dir", dir])).status).toBe(0);
  for (const path of files(/\.ecx$/)) rmSync(path);
  expect((await runCli(["fsck", "--dir", dir])).status).toBe(1);
  const rebuilt = await runCli(["fsck", "--dir", dir, "--rebuild-index"]);
  expect(rebuilt.status).toBe(0);
  expect(rebuilt.stdout).toContain(`the index of volume ${id} was made anew`);
  const parity = shards().find((path) => path.endsWith(".ec04")) ?? "";
  const bytes = readFileSync(parity);
  bytes[1000] = (bytes[1000] ?? 0) ^ 4;
  writeFileSync(parity, bytes);
  const damaged = await runCli(["fsck", "--dir", dir, "--json"]);
  expect(damaged.status).toBe(1);
  expect(JSON.parse(damaged.stdout)).toMatchObject({
    damageCount: 1,
    findings: [{ kind: "damaged-shard", text: expect.stringContaining(`shard 4 of volume ${id}`) }],
  });
  {
    await using server = await startTestServer(folder.path, flags);
    expect(await shell(server, `volume.scrub -volumeId ${id}`)).toContain("1 repaired, 0 damaged");
    const headers = { authorization: `Bearer ${server.credentials.console_token}` };
    const metrics = await (await fetch(`${server.consoleUrl}/metrics`, { headers })).text();
    expect(metrics).toContain("\nkelp_scrub_repaired_total 1\n");
    expect(metrics).toContain("\nkelp_shards_missing 0\n");
    expect(await shell(server, `ec.decode -volumeId ${id}`)).toBe(`volume ${id} is plain\n`);
    expect(await shell(server, `volume.tier.upload -volumeId ${id} -dest warm`)).toContain("warm");
    expect(await shell(server, `volume.tier.upload -volumeId ${id} -dest cold`)).toBe(
      `volume ${id} is in cold\n`,
    );
    expect(await shell(server, `volume.list -volumeId ${id}`)).toContain("backend:cold");
    // A store that is away is a disk that is: told as such, and a backup saves the rest.
    renameSync(`${folder.path}/cold`, `${folder.path}/away`);
    const { code } = await bucketOf(server)
      .file("one")
      .arrayBuffer()
      .then(
        () => ({ code: "read" }),
        (error: { code: string }) => error,
      );
    expect(code).toBe("ServiceUnavailable");
    const backup = await runCli(["backup", `${folder.path}/backup`, "--dir", dir, "--json"]);
    expect(backup.status).toBe(1);
    expect(JSON.parse(backup.stdout)).toMatchObject({ damaged_count: 2 });
    expect(backup.stderr).toContain("remote-failed");
    renameSync(`${folder.path}/away`, `${folder.path}/cold`);
    expect(await isWhole(server)).toBe(true);
    expect(await shell(server, `volume.tier.download -volumeId ${id}`)).toContain("is plain");
    expect(await isWhole(server)).toBe(true);
    await server.end("SIGTERM");
  }
  expect((await runCli(["fsck", "--dir", dir, ...tier])).status).toBe(0);
  // A dozen processes, one after another.
}, 120_000);
