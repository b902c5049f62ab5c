import { expect, test } from "bun:test";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { must } from "@kelp/base";
import { temporaryFolder } from "@kelp/base/testing";
import { runCli, startTestServer } from "./testing/running-server.ts";

const OBJECT_BYTES = 300_000;
/** 16 + (4 + data + 1) + 12, padded. */
const RECORD = 300_040;

/** A stopped store with two objects; returns its folder and its volume file. */
async function withObjects(
  folder: string,
): Promise<{ readonly dir: string; readonly path: string }> {
  await using server = await startTestServer(folder);
  const { access_key, secret_key } = server.credentials;
  const client = new Bun.S3Client({
    accessKeyId: access_key,
    secretAccessKey: secret_key,
    endpoint: server.s3Url,
    bucket: "mlpipeline",
  });
  for (const key of ["a", "b"]) await client.write(key, Buffer.alloc(OBJECT_BYTES, key));
  await server.end("SIGTERM");
  const dir = join(folder, "data");
  const names = readdirSync(join(dir, "volumes")).filter((name) => name.endsWith(".dat"));
  return { dir, path: join(dir, "volumes", must(names[0], "there is a volume")) };
}

test("fsck ends with status 1 for a damaged blob in use, and with 0 for one that a crash tore", async () => {
  using folder = temporaryFolder();
  const { dir, path } = await withObjects(folder.path);
  const good = readFileSync(path);
  // Appends that were never acknowledged: of a batch of two the first came to the disk in part.
  const torn = Buffer.from(good.subarray(8, 8 + RECORD));
  const whole = Buffer.from(torn);
  for (const [index, record] of [torn, whole].entries()) {
    record.writeUInt32BE(0x5eed + index, 0);
    record.writeUInt32BE(0x5eed + index, 8);
  }
  torn.fill(0, 100_000, 200_000);
  writeFileSync(path, Buffer.concat([good, torn, whole]));
  const harmless = await runCli(["fsck", "--dir", dir, "--json"]);
  expect(harmless.status).toBe(0);
  expect(JSON.parse(harmless.stdout)).toMatchObject({
    damageCount: 0,
    findings: [{ kind: "debris" }, { kind: "orphan-needle" }],
  });
  const spoilt = readFileSync(path);
  spoilt[8 + RECORD + 1000] = 0;
  writeFileSync(path, spoilt);
  const damaged = await runCli(["fsck", "--dir", dir, "--remove-orphans", "--json"]);
  expect(damaged.status).toBe(1);
  const report = JSON.parse(damaged.stdout) as { readonly findings: { readonly kind: string }[] };
  expect(report.findings.map(({ kind }) => kind).sort()).toEqual([
    "corrupt-needle",
    "debris",
    "orphan-needle",
  ]);
}, 30_000);
