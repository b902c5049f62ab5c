import { parentPort } from "node:worker_threads";
import { must } from "../assert.ts";

/** What the thread is told. It answers each, in order: `digest` with the digest, the others with nothing. */
export type HashOrder =
  | { readonly kind: "begin"; readonly algorithm: "md5" | "sha256" }
  | { readonly kind: "update"; readonly bytes: Uint8Array }
  | { readonly kind: "digest" };

const port = must(parentPort);
let hasher: Bun.CryptoHasher | undefined;

port.on("message", (order: HashOrder) => {
  port.postMessage(follow(order));
});

function follow(order: HashOrder): Uint8Array | undefined {
  if (order.kind === "begin") {
    hasher = new Bun.CryptoHasher(order.algorithm);
    return undefined;
  }
  if (order.kind === "digest") return must(hasher).digest();
  must(hasher).update(order.bytes);
  return undefined;
}
