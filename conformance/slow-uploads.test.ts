import { expect, test } from "bun:test";
import { type Socket, connect } from "node:net";
import { once } from "node:events";
import { KelpServer } from "./harness/kelp-server.ts";
import { sendSigned, signHeaders } from "./harness/signed-request.ts";

const KIB = 1024;
const MIB = 1024 * KIB;
/** A server has 32 buffers for large bodies. */
const SLOW_UPLOADS = 40;

// One tenant with a few dozen of them would otherwise keep all others from storing anything large.
test("uploads that stop in their middle, more than there are buffers, hold up no other", async () => {
  await using server = await KelpServer.start();
  const key = { id: server.credentials.access_key, secret: server.credentials.secret_key };
  await sendSigned(server.s3Url, { method: "PUT", path: "/alpha" }, key);
  const slow: Socket[] = [];
  try {
    for (let index = 0; index < SLOW_UPLOADS; index++) {
      slow.push(await beginUpload(server.s3Url, `/alpha/slow/${index}`, key));
    }
    const body = "x".repeat(5 * MIB);
    for (const path of ["/alpha/one", "/alpha/two"]) {
      const stored = await sendSigned(server.s3Url, { method: "PUT", path, body }, key);
      expect(stored.status).toBe(200);
    }
    const listed = await sendSigned(server.s3Url, { method: "GET", path: "/alpha" }, key);
    expect(listed.text).not.toContain("slow");
  } finally {
    for (const socket of slow) socket.destroy();
  }
}, 60_000);

/** Sends the head of an upload of 64 MiB and the first 400 KiB of its body. */
async function beginUpload(
  url: string,
  path: string,
  key: { readonly id: string; readonly secret: string },
): Promise<Socket> {
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on("error", () => undefined);
  await once(socket, "connect");
  const request = { method: "PUT", path, payload: "UNSIGNED-PAYLOAD" };
  const headers = signHeaders(request, key, host);
  const lines = Object.entries({ ...headers, "content-length": String(64 * MIB) });
  socket.write(
    `PUT ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join("")}\r\n`,
  );
  socket.write(new Uint8Array(400 * KIB));
  return socket;
}
