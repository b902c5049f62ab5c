import { expect, test } from "bun:test";
import { S3Client } from "bun";
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "@kelp/base/testing";
import {
  FREE_PORTS,
  type RunningServer,
  runCli,
  runHere,
  startCliProcess,
  startTestServer,
} from "./testing/running-server.ts";

const CHUNK = 40_000;

function s3Of(server: RunningServer, bucket = "mlpipeline"): S3Client {
  return new S3Client({
    endpoint: server.s3Url,
    bucket,
    accessKeyId: server.credentials.access_key,
    secretAccessKey: server.credentials.secret_key,
  });
}

async function keysOf(bucket: S3Client): Promise<string[]> {
  const page = await bucket.list({ maxKeys: 1000 });
  return (page.contents ?? []).map(({ key }) => key);
}

/** A body that names its writer and round: torn or mixed content is seen. */
function bodyOf(name: string, sizeBytes: number): string {
  return `${name} `.repeat(Math.ceil(sizeBytes / (name.length + 1))).slice(0, sizeBytes);
}

test("a backup beside running writers is one state with all that was acknowledged before, and passes fsck", async () => {
  using folder = temporaryFolder();
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  const restored = join(folder.path, "restored", "data");
  await using server = await startTestServer(folder.path);
  const bucket = s3Of(server);
  const sizes = [200, CHUNK, 3_000_000];
  for (const [number, size] of sizes.entries())
    await bucket.write(`before-${number}`, bodyOf(`before-${number}`, size));
  const stopping = new AbortController();
  const acknowledged: number[] = [0, 0, 0, 0];
  const writers = acknowledged.map(async (_, writer) => {
    for (let round = 1; !stopping.signal.aborted; round += 1) {
      // One after another: of two neighbours a state with the second has the first.
      const name = `writer-${writer}-${String(round).padStart(5, "0")}`;
      await bucket.write(name, bodyOf(name, round % 3 === 0 ? 300 : CHUNK));
      await bucket.write(`replaced-${writer}`, bodyOf(name, CHUNK));
      acknowledged[writer] = round;
    }
  });
  while (Math.min(...acknowledged) < 5) await Bun.sleep(1);
  const before = [...acknowledged];
  const made = await runHere(["backup", target, "--dir", data]);
  stopping.abort();
  await Promise.all(writers);
  expect(made).toMatchObject({ status: 0, stderr: "" });
  expect(await runHere(["backup", "verify", target])).toMatchObject({ status: 0, stderr: "" });
  expect(await runHere(["restore", target, "--dir", restored])).toMatchObject({
    status: 0,
    stderr: "",
  });
  expect((await runHere(["fsck", "--dir", restored])).stdout).toContain("no damage");

  await using again = await startTestServer(join(folder.path, "restored"));
  // The identities came along: it is the same root.
  expect(again.credentials).toEqual(server.credentials);
  const copy = s3Of(again);
  for (const [number, size] of sizes.entries()) {
    expect(await copy.file(`before-${number}`).text()).toBe(bodyOf(`before-${number}`, size));
  }
  const keys = await keysOf(copy);
  for (const [writer, count] of before.entries()) {
    const own = keys.filter((key) => key.startsWith(`writer-${writer}-`)).toSorted();
    expect(own.length).toBeGreaterThanOrEqual(count);
    const rounds = own.map((key) => Number(key.slice(-5)));
    expect(rounds).toEqual(Array.from({ length: own.length }, (_, index) => index + 1));
    for (const key of own) {
      const text = await copy.file(key).text();
      expect(text).toBe(bodyOf(key, text.length));
    }
    // The state of one position: the replaced object is of the last round, or of the one before.
    const replaced = (await copy.file(`replaced-${writer}`).text()).split(" ")[0] ?? "";
    expect([own.length - 1, own.length]).toContain(Number(replaced.slice(-5)));
  }
}, 60_000);

test("a stopped folder is backed up without a server; the next backup copies little, into a bucket as well", async () => {
  using folder = temporaryFolder();
  using vault = temporaryFolder();
  const data = join(folder.path, "data");
  {
    await using server = await startTestServer(folder.path);
    for (let number = 0; number < 20; number += 1)
      await s3Of(server).write(`a-${number}`, bodyOf(`a-${number}`, 200_000));
    await server.end("SIGTERM");
  }
  await using other = await startTestServer(vault.path);
  const env = {
    AWS_ENDPOINT_URL_S3: other.s3Url,
    AWS_ACCESS_KEY_ID: other.credentials.access_key,
    AWS_SECRET_ACCESS_KEY: other.credentials.secret_key,
    AWS_REGION: "us-east-1",
  };
  const place = "s3://mlpipeline/backups/kelp";
  const backUp = async (): Promise<{ copied_bytes: number; copied_chunks: number }> =>
    JSON.parse((await runHere(["backup", place, "--dir", data, "--json"], env)).stdout);
  expect((await backUp()).copied_chunks).toBe(20);
  {
    await using server = await startTestServer(folder.path);
    await s3Of(server).write("b", bodyOf("b", 100_000));
    // Beside the running server, into the other.
    const second = await backUp();
    expect(second.copied_chunks).toBe(1);
    expect(second.copied_bytes).toBeLessThan(1_000_000);
    const itself = await runHere(["backup", place, "--dir", data, "--endpoint", server.s3Url], env);
    expect(itself).toMatchObject({ status: 1 });
    expect(itself.stderr).toContain("in this very folder");
  }
  expect((await runHere(["backup", "verify", place], env)).status).toBe(0);
  const restored = join(folder.path, "again", "data");
  expect(await runHere(["restore", place, "--dir", restored], env)).toMatchObject({
    status: 0,
    stderr: "",
  });
  await using again = await startTestServer(join(folder.path, "again"));
  expect(await s3Of(again).file("a-7").text()).toBe(bodyOf("a-7", 200_000));
  expect(await s3Of(again).file("b").text()).toBe(bodyOf("b", 100_000));
  const missing = await runHere(["backup", "verify", "s3://nosuchbucket/x"], env);
  expect(missing.status).toBe(1);
  expect(missing.stderr.trim().split("\n")).toHaveLength(1);
}, 60_000);

test("a backup and a restore that are killed are taken up by the next", async () => {
  using folder = temporaryFolder();
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  const restored = join(folder.path, "again", "data");
  await using server = await startTestServer(folder.path);
  const bucket = s3Of(server);
  for (let number = 0; number < 4; number += 1) {
    await bucket.write(`large-${number}`, new Uint8Array(25_000_000).fill(number));
  }
  const backup = startCliProcess(["backup", target, "--dir", data]);
  const packs = join(target, "packs");
  while (!existsSync(packs) || !readdirSync(packs).some((name) => name.endsWith(".json")))
    await Bun.sleep(1);
  backup.kill("SIGKILL");
  await new Promise((resolve) => backup.once("exit", resolve));
  const made = JSON.parse((await runHere(["backup", target, "--dir", data, "--json"])).stdout);
  expect(made.copied_chunks).toBeLessThan(made.chunk_count);
  expect(readdirSync(target).filter((name) => name.startsWith(".kelp-work"))).toEqual([]);

  const restoring = startCliProcess(["restore", target, "--dir", restored]);
  const volumes = join(restored, "volumes");
  while (!existsSync(volumes) || readdirSync(volumes).length === 0) await Bun.sleep(1);
  restoring.kill("SIGKILL");
  await new Promise((resolve) => restoring.once("exit", resolve));
  const early = await runCli(["server", "--dir", restored, ...FREE_PORTS]);
  expect(early).toMatchObject({ status: 1 });
  expect(early.stderr).toContain("a restore into it was not finished");
  expect(await runHere(["restore", target, "--dir", restored])).toMatchObject({
    status: 0,
    stderr: "",
  });
  await using again = await startTestServer(join(folder.path, "again"));
  for (let number = 0; number < 4; number += 1) {
    const bytes = new Uint8Array(await s3Of(again).file(`large-${number}`).arrayBuffer());
    expect(Buffer.alloc(25_000_000, number).equals(bytes)).toBe(true);
  }
}, 60_000);

test("the backup of a sealed folder stays sealed, and opens with the master key of the folder alone", async () => {
  using folder = temporaryFolder();
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  const restored = join(folder.path, "again", "data");
  const key = join(folder.path, "key");
  const other = join(folder.path, "other");
  await runHere(["keys", "new", key]);
  await runHere(["keys", "new", other]);
  const mark = "the colour of the sea ";
  {
    await using server = await startTestServer(folder.path, ["--encrypt.at-rest", `file:${key}`]);
    await s3Of(server).write("small", mark);
    await s3Of(server).write("large", mark.repeat(5000));
    const made = await runHere(["backup", target, "--dir", data]);
    expect(made.stdout).toContain("restoring needs the master key");
  }
  for (const name of readdirSync(join(target, "packs"))) {
    expect(readFileSync(join(target, "packs", name), "latin1")).not.toContain("colour");
  }
  expect((await runHere(["restore", target, "--dir", restored])).status).toBe(0);
  const wrong = await runCli([
    "server",
    "--dir",
    restored,
    ...FREE_PORTS,
    "--encrypt.at-rest",
    `file:${other}`,
  ]);
  expect(wrong.stderr).toContain("sealed under the master key");
  await using again = await startTestServer(join(folder.path, "again"), [
    "--encrypt.at-rest",
    `file:${key}`,
  ]);
  expect(await s3Of(again).file("small").text()).toBe(mark);
  expect(await s3Of(again).file("large").text()).toBe(mark.repeat(5000));
}, 60_000);

test("backup and restore refuse what would harm, in one line", async () => {
  using folder = temporaryFolder();
  const [data, target] = [join(folder.path, "data"), join(folder.path, "target")];
  const full = join(folder.path, "full");
  mkdirSync(full);
  writeFileSync(join(full, "letter.txt"), "dear");
  {
    await using server = await startTestServer(folder.path);
    const door = `${server.consoleUrl}/api/v1/backup/holds`;
    const asked = async (method: string, url: string, token: string): Promise<number> =>
      (await fetch(url, { method, headers: { authorization: `Bearer ${token}` } })).status;
    const { console_token: token } = server.credentials;
    expect(await asked("POST", door, "wrong")).toBe(401);
    expect(await asked("POST", `${door}/none`, token)).toBe(410);
    expect(await asked("GET", `${door}/none/chunks/1,01637037d6`, token)).toBe(410);
    const begun = await fetch(door, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
    });
    const { hold } = (await begun.json()) as { readonly hold: string };
    for (const name of ["%ff", "%zz", "1", "..%2f..%2fcredentials.json"]) {
      expect(await asked("GET", `${door}/${hold}/chunks/${name}`, token)).toBe(400);
    }
    expect(await asked("GET", `${door}/${hold}/chunks/7%2C01637037d6`, token)).toBe(422);
    await server.end("SIGTERM");
  }
  const refused: readonly (readonly [string[], string])[] = [
    [["backup", target, "--dir", full], "There is no data folder"],
    [["backup", full, "--dir", data], "other files are there"],
    [["backup", "s3:/x", "--dir", data], "is not s3://BUCKET"],
    [["backup", "verify", target], "no backups of Kelp"],
    [["restore", target, "--dir", join(folder.path, "new")], "no backups of Kelp"],
  ];
  for (const [args, text] of refused) {
    const result = await runHere(args);
    expect({ args, status: result.status, text: result.stderr }).toEqual({
      args,
      status: 1,
      text: expect.stringContaining(text),
    });
    expect(result.stderr.trim().split("\n")).toHaveLength(1);
  }
  expect((await runHere(["backup", target, "--dir", data, "--keep", "0"])).status).toBe(2);
  expect((await runHere(["backup", target, "--dir", data])).status).toBe(0);
  for (const dir of [full, data]) {
    const result = await runHere(["restore", target, "--dir", dir]);
    expect(result.stderr).toContain("is not empty");
  }
  expect(readdirSync(full)).toEqual(["letter.txt"]);
  // Whoever may write to the target must not decide what a folder says of itself.
  for (const name of ["format.json", "lock.db", "server.json", "volumes.json"]) {
    renameFileInBackups(target, name);
    const result = await runHere(["restore", target, "--dir", join(folder.path, "new")]);
    expect(result.stderr).toContain("names a file that no backup brings");
  }
  expect(existsSync(join(folder.path, "new"))).toBe(false);
}, 60_000);

/** Forges the manifests of a target: its small file gets another name, and the hash of the whole is made anew. */
function renameFileInBackups(target: string, name: string): void {
  for (const manifest of readdirSync(join(target, "backups"))) {
    const path = join(target, "backups", manifest);
    const value = JSON.parse(readFileSync(path, "utf8").split("\n")[0] ?? "");
    value.files[0].name = name;
    const line = JSON.stringify(value);
    writeFileSync(path, `${line}\n${new Bun.CryptoHasher("sha256").update(line).digest("hex")}\n`);
  }
}
