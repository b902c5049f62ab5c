import { expect, test } from "bun:test";
import { S3Client } from "bun";
import { existsSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { temporaryFolder } from "@kelp/base/testing";
import {
  FREE_PORTS,
  type RunningServer,
  runCli,
  startTestServer,
} from "./testing/running-server.ts";

function bucketOf(server: RunningServer): S3Client {
  return new S3Client({
    endpoint: server.s3Url,
    bucket: "mlpipeline",
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
    retry: 0,
  });
}

const BODY = Buffer.alloc(1_000_000, "kelp");

test("with two folders, one of them gone, what is in the other is served, the rest is a clear error, and fsck says so", async () => {
  using folder = temporaryFolder();
  const [a, b] = [`${folder.path}/a`, `${folder.path}/b`];
  const flags = ["--volume.dir", `${a}, ${b}`, "--volume.max", "1,0", "--volume.disk", "ssd,hdd"];
  {
    await using server = await startTestServer(folder.path, flags);
    await bucketOf(server).write("one", BODY);
    await server.end("SIGTERM");
  }
  const [first, other] = readdirSync(a).some((name) => name.endsWith(".dat")) ? [a, b] : [b, a];
  expect(readdirSync(other).filter((name) => name.endsWith(".dat"))).toEqual([]);
  renameSync(first, `${first}.gone`);
  {
    await using server = await startTestServer(folder.path, flags);
    const bucket = bucketOf(server);
    const refused = bucket.file("one").arrayBuffer();
    const code = await refused.then(
      () => undefined,
      (error: unknown) => error instanceof Error && "code" in error && error.code,
    );
    expect(code).toBe("ServiceUnavailable");
    await bucket.write("two", BODY);
    expect(Buffer.from(await bucket.file("two").arrayBuffer()).equals(BODY)).toBe(true);
    await server.end("SIGTERM");
  }
  expect(existsSync(first)).toBe(false);
  const dir = `${folder.path}/data`;
  const missing = await runCli(["fsck", "--dir", dir, "--json"]);
  expect(missing.status).toBe(1);
  expect(JSON.parse(missing.stdout)).toMatchObject({
    findings: [{ kind: "unreadable-volume", text: expect.stringContaining("disk is not there") }],
  });
  // Found again, and elsewhere when told so.
  renameSync(`${first}.gone`, first);
  expect((await runCli(["fsck", "--dir", dir])).status).toBe(0);
  const moved = `${folder.path}/moved`;
  renameSync(first, moved);
  const named = await runCli(["fsck", "--dir", dir, "--volume.dir", `${moved},${other}`, "--json"]);
  expect(JSON.parse(named.stdout)).toMatchObject({ damageCount: 0, volumeCount: 2 });
  // Five processes, one after another.
}, 60_000);

test.each([
  ["the same folder twice", ["--volume.dir", "x,x"], 1, "is the same folder as"],
  [
    "more numbers than folders",
    ["--volume.max", "1,2"],
    2,
    "--volume.max has 2 values for 1 folders",
  ],
  ["an empty name of a folder", ["--volume.dir", "x,,y"], 2, "it must not be empty"],
  ["a number that is none", ["--volume.max", "many"], 2, "it must be a whole number"],
])("%s is refused at start", async (_name, flags, status, text) => {
  using folder = temporaryFolder();
  const args = ["server", "--dir", "data", ...FREE_PORTS, ...flags];
  const refused = await runCli(args, { cwd: folder.path });
  expect(refused.stderr).toContain(text);
  expect(refused.status).toBe(status);
});

test("a folder of volumes that a server uses is refused to another with other data", async () => {
  using folder = temporaryFolder();
  mkdirSync(`${folder.path}/other`);
  await using _server = await startTestServer(folder.path, ["--volume.dir", `${folder.path}/v`]);
  const args = ["server", "--dir", "data", ...FREE_PORTS];
  const refused = await runCli([...args, "--volume.dir", `${folder.path}/v`], {
    cwd: `${folder.path}/other`,
  });
  expect(refused.stderr).toContain("another Kelp process is using it");
  expect(refused.status).toBe(1);
});
