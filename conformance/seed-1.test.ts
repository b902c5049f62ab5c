import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KELP, KelpServer } from "./harness/kelp-server.ts";
import { PYTHON, mustRun, pythonScript } from "./harness/programs.ts";

/**
 * The first seed end to end: a bucket made in the shell, a DataFrame pushed and pulled with pandas, seen with `fs.ls`,
 * and a pipeline whose step writes to the same bucket.
 */
const MINUTES = 60_000;
const ROOT = { access_key: "minio", secret_key: "minio123" };
let server: KelpServer;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "kelp-seed-"));
  const secrets = join(folder, "secrets.json");
  writeFileSync(
    secrets,
    JSON.stringify({
      "mlpipeline-minio-artifact": { accesskey: ROOT.access_key, secretkey: ROOT.secret_key },
    }),
  );
  server = await KelpServer.start({
    flags: ["--pipelines.secrets", secrets, "--pipelines.python", PYTHON ?? "python3"],
    env: {
      KELP_ROOT_ACCESS_KEY: ROOT.access_key,
      KELP_ROOT_SECRET_KEY: ROOT.secret_key,
    },
  });
}, 2 * MINUTES);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function shell(commands: string): Promise<string> {
  return mustRun(KELP, ["shell", "--dir", server.dir, "-c", commands]);
}

test("the bucket mlpipeline exists from the start, and the shell makes another", async () => {
  expect(await shell("s3.bucket.list")).toBe("  mlpipeline\tsize:0\tchunk:0\n");
  expect(await shell("s3.bucket.create --name my-bucket")).toBe(
    "create bucket under /buckets\ncreated bucket my-bucket\n",
  );
  expect(await shell("s3.bucket.list")).toBe(
    "  mlpipeline\tsize:0\tchunk:0\n  my-bucket\tsize:0\tchunk:0\n",
  );
});

test.skipIf(PYTHON === undefined)(
  "a DataFrame pushed with pandas comes back equal and is seen with fs.ls",
  async () => {
    const env = server.clientEnvironment;
    await mustRun(PYTHON ?? "", [pythonScript("seed1_push.py"), "s3://my-bucket/dummy.parquet"], {
      env,
    });
    const back = await mustRun(
      PYTHON ?? "",
      [pythonScript("seed1_pull.py"), "s3://my-bucket/dummy.parquet"],
      { env },
    );
    expect(JSON.parse(back)).toEqual({ a: [1, 2, 3], b: [4.5, 5.5, 8.5], c: ["x", "ü", "𝄞"] });
    expect(await shell("fs.ls buckets/my-bucket")).toBe("dummy.parquet\n");
  },
  2 * MINUTES,
);

test.skipIf(PYTHON === undefined)(
  "a pipeline's step writes to the same bucket",
  async () => {
    const env = server.clientEnvironment;
    const state = await mustRun(PYTHON ?? "", [pythonScript("seed1_pipeline.py"), "my-bucket"], {
      env,
    });
    expect(state.trim().split("\n").at(-1)).toBe("SUCCEEDED");
    const back = await mustRun(
      PYTHON ?? "",
      [pythonScript("seed1_pull.py"), "s3://my-bucket/dummy_kfp.parquet"],
      { env },
    );
    expect(JSON.parse(back)).toEqual({ a: [1, 2, 3], b: [4, 5, 8] });
    expect(await shell("fs.ls /buckets/my-bucket")).toBe("dummy.parquet\ndummy_kfp.parquet\n");
  },
  8 * MINUTES,
);
