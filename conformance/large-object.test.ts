import { expect, test } from "bun:test";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { request } from "node:http";
import { KelpServer } from "./harness/kelp-server.ts";

/** Bodies stream both ways with bounded memory: 5 GiB in one PUT and one GET keep the process under the limit. */
const OBJECT_BYTES = 5 * 2 ** 30;
const RSS_BYTES_MAX = 300 * 2 ** 20;
const PIECE = Buffer.alloc(1 << 20, "kelp");

test(
  "a 5 GiB PUT and GET keep the server under 300 MiB of resident memory",
  async () => {
    await using server = await KelpServer.start();
    const client = new Bun.S3Client({
      endpoint: server.s3Url,
      bucket: "mlpipeline",
      accessKeyId: server.credentials.access_key,
      secretAccessKey: server.credentials.secret_key,
    });
    const sent = createHash("sha256");
    await new Promise<void>((resolve, reject) => {
      const url = client.presign("five-gib", { method: "PUT" });
      const upload = request(url, { method: "PUT", headers: { "content-length": OBJECT_BYTES } });
      upload.once("error", reject);
      upload.once("response", (response) => {
        response.resume();
        if (response.statusCode === 200) resolve();
        else reject(new Error(`PUT answered ${response.statusCode}`));
      });
      let left = OBJECT_BYTES / PIECE.length;
      const push = (): void => {
        while (left > 0) {
          left--;
          sent.update(PIECE);
          if (!upload.write(PIECE)) {
            upload.once("drain", push);
            return;
          }
        }
        upload.end();
      };
      push();
    });
    const received = createHash("sha256");
    let receivedBytes = 0;
    const response = await fetch(client.presign("five-gib", { method: "GET" }));
    for await (const piece of response.body ?? []) {
      received.update(piece);
      receivedBytes += piece.length;
    }
    expect(receivedBytes).toBe(OBJECT_BYTES);
    expect(received.digest("hex")).toBe(sent.digest("hex"));
    expect(peakResidentBytes(server.pid)).toBeLessThan(RSS_BYTES_MAX);
  },
  10 * 60_000,
);

function peakResidentBytes(pid: number): number {
  const line = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(line?.[1]) * 1024;
}
