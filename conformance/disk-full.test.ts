import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  mkdtempSync,
  openSync,
  rmSync,
  rmdirSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deterministicBytes } from "./harness/deterministic-bytes.ts";
import { KelpServer } from "./harness/kelp-server.ts";
import { mustRun, runProgram } from "./harness/programs.ts";

/**
 * A file system that is full: the writer gets an S3 error at once, reads and deletes go on, and writing works again
 * after space returns, without a restart. Needs the right to mount a tmpfs of its own.
 */
const MOUNT_MB = 96;
const OBJECT_BYTES = 1 << 20;
const canMount = process.getuid?.() === 0 && process.platform === "linux";
describe.each([1, 2])("with %d processes at the S3 door", (workers) => {
  let mountPoint: string;
  let server: KelpServer;
  let client: Bun.S3Client;

  beforeAll(async () => {
    if (!canMount) return;
    mountPoint = mkdtempSync(join(tmpdir(), "kelp-full-"));
    await mustRun("mount", ["-t", "tmpfs", "-o", `size=${MOUNT_MB}m`, "tmpfs", mountPoint]);
    // A stranger's file takes most of the space, so that removing it is how "space returns".
    writeFileSync(join(mountPoint, "ballast"), Buffer.alloc(32 << 20));
    await start();
  }, 60_000);

  async function start(): Promise<void> {
    server = await KelpServer.start({
      dir: join(mountPoint, "data"),
      flags: ["--volume.minFreeSpaceMB", "16", "--workers", `${workers}`],
    });
    client = new Bun.S3Client({
      endpoint: server.s3Url,
      bucket: "mlpipeline",
      accessKeyId: server.credentials.access_key,
      secretAccessKey: server.credentials.secret_key,
      retry: 0,
    });
  }

  afterAll(async () => {
    if (!canMount) return;
    await server[Symbol.asyncDispose]();
    await runProgram("umount", [mountPoint]);
    rmdirSync(mountPoint);
  });

  test.skipIf(!canMount)(
    "a full disk refuses writers at once, serves readers and deleters, and recovers without a restart",
    async () => {
      const stored: string[] = [];
      let refusal: unknown;
      for (let count = 0; count < MOUNT_MB * 2 && refusal === undefined; count++) {
        const key = `fill/${count}`;
        try {
          await client.write(key, deterministicBytes(key, OBJECT_BYTES));
          stored.push(key);
        } catch (error) {
          refusal = error;
        }
      }
      expect(codeOf(refusal)).toBe("StorageFull");
      expect(stored.length).toBeGreaterThan(5);

      // A smaller body and an inline one are refused as clearly, or still fit: never an unclear error.
      for (const sizeBytes of [100_000, 10_000, 100]) {
        const outcome = await client
          .write(`small/${sizeBytes}`, deterministicBytes("s", sizeBytes))
          .then(() => "stored", codeOf);
        expect(["stored", "StorageFull"]).toContain(outcome);
      }

      for (const key of stored) {
        const bytes = Buffer.from(await client.file(key).arrayBuffer());
        expect(bytes.equals(deterministicBytes(key, OBJECT_BYTES))).toBe(true);
      }
      for (const key of stored.splice(0, 3)) {
        await client.delete(key);
        expect(await client.exists(key)).toBe(false);
      }

      rmSync(join(mountPoint, "ballast"));
      for (let count = 0; count < 10; count++) {
        const key = `again/${count}`;
        await client.write(key, deterministicBytes(key, OBJECT_BYTES));
        stored.push(key);
      }
      for (const key of stored) {
        const bytes = Buffer.from(await client.file(key).arrayBuffer());
        expect(bytes.equals(deterministicBytes(key, OBJECT_BYTES))).toBe(true);
      }
    },
    3 * 60_000,
  );

  test.skipIf(!canMount)(
    "a disk that a stranger fills to the last byte costs no stored object, and needs no restart afterwards",
    async () => {
      const key = "kept";
      await client.write(key, deterministicBytes(key, OBJECT_BYTES));
      const ballast = join(mountPoint, "all-the-rest");
      fillToTheLastByte(ballast);
      for (const sizeBytes of [OBJECT_BYTES, 100_000, 100]) {
        const refusal = await client
          .write("more", deterministicBytes("more", sizeBytes))
          .catch(codeOf);
        expect(refusal).toBe("StorageFull");
      }
      expect(Buffer.from(await client.file(key).arrayBuffer())).toEqual(
        Buffer.from(deterministicBytes(key, OBJECT_BYTES)),
      );
      // A delete needs a few bytes of the journal: it works, or says what is missing and changes nothing.
      const deleted = await client.delete(key).then(() => "deleted", codeOf);
      expect(["deleted", "StorageFull"]).toContain(deleted);
      expect(await client.exists(key)).toBe(deleted !== "deleted");
      rmSync(ballast);
      await client.write(key, deterministicBytes("after", OBJECT_BYTES));
      expect(Buffer.from(await client.file(key).arrayBuffer())).toEqual(
        Buffer.from(deterministicBytes("after", OBJECT_BYTES)),
      );
      await client.delete(key);
      expect(await client.exists(key)).toBe(false);
    },
    60_000,
  );

  test.skipIf(!canMount)(
    "a server starts on a disk without a byte left, however the last one ended, and serves readers",
    async () => {
      const key = "read me";
      const small = "read me too";
      await client.write(key, deterministicBytes(key, OBJECT_BYTES));
      await client.write(small, "small");
      const ballast = join(mountPoint, "all-the-rest");
      for (const end of ["kill", "stop"] as const) {
        fillToTheLastByte(ballast);
        await server[end]();
        await start();
        expect(Buffer.from(await client.file(key).arrayBuffer())).toEqual(
          Buffer.from(deterministicBytes(key, OBJECT_BYTES)),
        );
        expect(await client.file(small).text()).toBe("small");
        const refusal = await client.write("more", deterministicBytes("m", 100_000)).catch(codeOf);
        expect(refusal).toBe("StorageFull");
        rmSync(ballast);
        await client.write("again", deterministicBytes(end, OBJECT_BYTES));
      }
      for (const each of [key, small, "again"]) await client.delete(each);
    },
    60_000,
  );
});

function fillToTheLastByte(path: string): void {
  const file = openSync(path, "w");
  try {
    for (let pieceBytes = 1 << 20; pieceBytes >= 1; pieceBytes >>= 1) {
      const piece = Buffer.alloc(pieceBytes);
      while (tryWrite(file, piece)) continue;
    }
  } finally {
    closeSync(file);
  }
}

function tryWrite(file: number, piece: Buffer): boolean {
  try {
    return writeSync(file, piece) === piece.length;
  } catch {
    return false;
  }
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string")
    return error.code;
  return `no code: ${String(error)}`;
}
