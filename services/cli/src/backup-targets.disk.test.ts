import { expect, test } from "bun:test";
import { S3Client } from "bun";
import type { ChildProcess } from "node:child_process";
import { existsSync, readdirSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import { repositoryPath } from "./repository.ts";
import {
  type RunningServer,
  runCli,
  runHere,
  startCliProcess,
  startTestServer,
} from "./testing/running-server.ts";

// Several commands at one target, and a target to which things happened.

function bucketOf(server: RunningServer): S3Client {
  return new S3Client({
    endpoint: server.s3Url,
    bucket: "mlpipeline",
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
  });
}

/** Stopped where it stands, once its lock is at the target. */
async function stopWhenLocked(
  command: ChildProcess,
  isLocked: () => Promise<boolean>,
): Promise<void> {
  while (!(await isLocked())) {
    if (command.exitCode !== null) throw new Error("the command has ended");
    await Bun.sleep(1);
  }
  command.kill("SIGSTOP");
}

function ended(command: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => command.once("exit", (status) => resolve(status)));
}

test.each(["folder", "bucket"])(
  "while a backup works in a %s another is refused and told by whom, and one that was killed stands in nobody's way",
  async (kind) => {
    using folder = temporaryFolder();
    using vault = temporaryFolder();
    const data = join(folder.path, "data");
    await using server = await startTestServer(folder.path);
    for (let number = 0; number < 3; number += 1) {
      await bucketOf(server).write(`large-${number}`, new Uint8Array(25_000_000).fill(number));
    }
    await using other = await startTestServer(vault.path);
    const env = {
      AWS_ENDPOINT_URL_S3: other.s3Url,
      AWS_ACCESS_KEY_ID: other.credentials.access_key,
      AWS_SECRET_ACCESS_KEY: other.credentials.secret_key,
      AWS_REGION: "us-east-1",
    };
    const target = kind === "folder" ? join(folder.path, "target") : "s3://mlpipeline/kelp";
    const locks = async (): Promise<number> => {
      if (kind === "folder") {
        const path = join(target, "locks");
        return existsSync(path)
          ? readdirSync(path).filter((name) => name.endsWith(".json")).length
          : 0;
      }
      const page = await bucketOf(other).list({ prefix: "kelp/locks/" });
      return page.contents?.length ?? 0;
    };
    expect((await runHere(["backup", target, "--dir", data], env)).status).toBe(0);
    expect(await locks()).toBe(0);
    await bucketOf(server).write("later", new Uint8Array(25_000_000).fill(9));

    const first = startCliProcess(["backup", target, "--dir", data], env);
    const isEnded = ended(first);
    await stopWhenLocked(first, async () => (await locks()) > 0);
    const second = await runHere(["backup", target, "--dir", data], env);
    expect(second).toMatchObject({ status: 1, stdout: "" });
    expect(second.stderr).toContain(`: a backup of process ${first.pid} on `);
    expect(second.stderr.trim().split("\n")).toHaveLength(1);
    // Reading what is whole is no harm; it is while backups are removed.
    expect((await runHere(["backup", "verify", target], env)).status).toBe(0);
    first.kill("SIGCONT");
    expect(await isEnded).toBe(0);
    expect(await locks()).toBe(0);

    const third = startCliProcess(["backup", target, "--dir", data, "--keep", "1"], env);
    const isKilled = ended(third);
    await stopWhenLocked(third, async () => (await locks()) > 0);
    const restored = join(folder.path, "again", "data");
    const refused = await runHere(["restore", target, "--dir", restored], env);
    expect(refused.stderr).toContain(`: a backup of process ${third.pid} on `);
    expect(existsSync(restored)).toBe(false);
    third.kill("SIGKILL");
    await isKilled;
    expect((await runHere(["restore", target, "--dir", restored], env)).status).toBe(0);
    expect((await runHere(["backup", target, "--dir", data, "--keep", "1"], env)).status).toBe(0);
    expect(await locks()).toBe(0);
  },
  60_000,
);

test("a manifest that is cut off is named by list, keeps older backups from being removed, and no backup from being made", async () => {
  using folder = temporaryFolder();
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  await using server = await startTestServer(folder.path);
  for (const round of [1, 2]) {
    await bucketOf(server).write("object", `round ${round}`);
    expect((await runCli(["backup", target, "--dir", data])).status).toBe(0);
  }
  const [oldest = "", newest = ""] = readdirSync(join(target, "backups")).toSorted();
  truncateSync(join(target, "backups", newest), 100);
  const listed = await runHere(["backup", "list", target]);
  expect(listed).toMatchObject({
    status: 1,
    stderr: `DAMAGE  ${newest.replace(".json", "")}: backups/${newest} is torn or damaged\n`,
  });
  expect(listed.stdout).toContain(oldest.replace(".json", ""));
  const made = await runHere(["backup", target, "--dir", data, "--keep", "1"]);
  expect(made.status).toBe(1);
  expect(made.stdout).toContain("Backup ");
  expect(made.stderr).toContain("The backup is made, but no older one was removed");
  expect(made.stderr).toStartWith(`HARM    backups/${newest} is torn or damaged\n`);
  expect(readdirSync(join(target, "backups"))).toHaveLength(3);
  expect((await runHere(["backup", "verify", target])).status).toBe(0);
}, 60_000);

test("a restore for which the disk is too small says so in one line, and is taken up when there is room", async () => {
  using folder = temporaryFolder();
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  {
    await using server = await startTestServer(folder.path);
    await bucketOf(server).write("large", new Uint8Array(9_000_000).fill(7));
    await server.end("SIGTERM");
  }
  expect((await runHere(["backup", target, "--dir", data])).status).toBe(0);
  const restored = join(folder.path, "again", "data");
  const command = [process.execPath, "--no-env-file", repositoryPath("services/cli/src/main.ts")];
  // No file may grow beyond 4 MiB: to whoever writes it is a disk that is full.
  const small = Bun.spawn(
    [
      "sh",
      "-c",
      `trap '' XFSZ; ulimit -f 8192; exec "$@"`,
      "sh",
      ...command,
      "restore",
      target,
    ].concat(["--dir", restored]),
    { stdout: "pipe", stderr: "pipe", env: { PATH: process.env["PATH"] ?? "" } },
  );
  const stderr = await new Response(small.stderr).text();
  expect(await small.exited).toBe(1);
  expect(stderr).toContain(`no space is left in ${restored}`);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect((await runCli(["server", "--dir", restored])).stderr).toContain("was not finished");
  expect((await runHere(["restore", target, "--dir", restored])).status).toBe(0);
  expect((await runHere(["fsck", "--dir", restored])).status).toBe(0);
}, 60_000);
