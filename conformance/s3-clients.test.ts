import { afterAll, beforeAll, expect, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KelpServer } from "./harness/kelp-server.ts";
import { AWS_CLI, PYTHON, RCLONE, mustRun, pythonScript } from "./harness/programs.ts";

/** Real S3 clients, unmodified and without quirk flags: put, get, list, copy, sync, multipart, delete, keys that hurt. */
const MINUTES = 60_000;
let server: KelpServer;
let folder: string;

beforeAll(async () => {
  server = await KelpServer.start();
  folder = mkdtempSync(join(tmpdir(), "kelp-clients-"));
}, MINUTES);

afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

test.skipIf(PYTHON === undefined)(
  "boto3",
  async () => {
    const env = server.clientEnvironment;
    const output = await mustRun(PYTHON ?? "", [pythonScript("s3_boto3.py")], { env });
    expect(output.trim()).toBe("held");
  },
  5 * MINUTES,
);

test.skipIf(PYTHON === undefined)(
  "s3fs and pyarrow",
  async () => {
    const env = server.clientEnvironment;
    const output = await mustRun(PYTHON ?? "", [pythonScript("s3_fsspec_arrow.py")], { env });
    expect(output.trim()).toBe("held");
  },
  3 * MINUTES,
);

test.skipIf(AWS_CLI === undefined)(
  "AWS CLI: make bucket, copy, sync both ways, remove",
  async () => {
    const aws = (...args: string[]): Promise<string> =>
      mustRun(AWS_CLI ?? "", args, { env: server.clientEnvironment });
    const source = join(folder, "aws-source");
    const hashes = makeTree(source);
    await aws("s3", "mb", "s3://aws-bucket");
    await aws("s3", "sync", source, "s3://aws-bucket/tree");
    expect(await aws("s3", "sync", source, "s3://aws-bucket/tree")).toBe("");
    const listing = await aws("s3", "ls", "--recursive", "s3://aws-bucket/");
    expect(listing.trim().split("\n").length).toBe(hashes.size);
    await aws("s3", "cp", "s3://aws-bucket/tree/big.bin", "s3://aws-bucket/copy.bin");
    const target = join(folder, "aws-target");
    await aws("s3", "sync", "s3://aws-bucket/tree", target);
    expect(hashTree(target)).toEqual(hashes);
    await aws("s3", "rb", "--force", "s3://aws-bucket");
    expect(await aws("s3", "ls")).not.toContain("aws-bucket");
  },
  5 * MINUTES,
);

test.skipIf(RCLONE === undefined)(
  "rclone with provider Other and no quirk flag: copy, check, move, multipart of 200 MB, purge",
  async () => {
    const env = {
      RCLONE_CONFIG: "/dev/null",
      RCLONE_CONFIG_KELP_TYPE: "s3",
      RCLONE_CONFIG_KELP_PROVIDER: "Other",
      RCLONE_CONFIG_KELP_ENDPOINT: server.s3Url,
      RCLONE_CONFIG_KELP_ACCESS_KEY_ID: server.credentials.access_key,
      RCLONE_CONFIG_KELP_SECRET_ACCESS_KEY: server.credentials.secret_key,
    };
    const rclone = (...args: string[]): Promise<string> => mustRun(RCLONE ?? "", args, { env });
    const source = join(folder, "rclone-source");
    const hashes = makeTree(source);
    writeFileSync(join(source, "huge.bin"), Buffer.concat(Array(200).fill(randomBytes(1 << 20))));
    await rclone("mkdir", "kelp:rclone-bucket");
    await rclone("copy", source, "kelp:rclone-bucket/tree", "--s3-upload-cutoff", "50M");
    await rclone("check", source, "kelp:rclone-bucket/tree", "--download");
    await rclone("sync", source, "kelp:rclone-bucket/tree");
    expect(
      (await rclone("lsf", "-R", "--files-only", "kelp:rclone-bucket")).trim().split("\n").length,
    ).toBe(hashes.size + 1);
    await rclone("moveto", "kelp:rclone-bucket/tree/big.bin", "kelp:rclone-bucket/moved.bin");
    await rclone("copyto", "kelp:rclone-bucket/moved.bin", "kelp:rclone-bucket/tree/big.bin");
    const target = join(folder, "rclone-target");
    await rclone("copy", "kelp:rclone-bucket/tree", target, "--exclude", "huge.bin");
    expect(hashTree(target)).toEqual(hashes);
    await rclone("purge", "kelp:rclone-bucket");
    expect(await rclone("lsd", "kelp:")).not.toContain("rclone-bucket");
  },
  6 * MINUTES,
);

function makeTree(root: string): Map<string, string> {
  mkdirSync(join(root, "ä + b", "deep"), { recursive: true });
  const contents: [string, Buffer][] = [
    ["plain.txt", Buffer.from("plain")],
    ["empty", Buffer.alloc(0)],
    ["ä + b/%41 & <x>.txt", randomBytes(10)],
    ["ä + b/deep/𝄞.bin", randomBytes(300_000)],
    ["big.bin", randomBytes(20 << 20)],
  ];
  // A minute old: S3 tells times in whole seconds, so a file of this very second looks newer than its own copy.
  const written = new Date(Date.now() - 60_000);
  for (const [name, bytes] of contents) {
    writeFileSync(join(root, name), bytes);
    utimesSync(join(root, name), written, written);
  }
  return hashTree(root);
}

function hashTree(root: string): Map<string, string> {
  const names = readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((item) => item.isFile())
    .map((item) => join(item.parentPath, item.name).slice(root.length + 1))
    .toSorted();
  return new Map(
    names.map((name) => [
      name,
      createHash("sha256")
        .update(readFileSync(join(root, name)))
        .digest("hex"),
    ]),
  );
}
