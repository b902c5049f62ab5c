import type { ReadObjects } from "./crash-ledger.ts";
import { deterministicBytes, deterministicSize, latestBytes } from "./deterministic-bytes.ts";

const READERS = 16;

/** Lists what begins with one of the prefixes (`""` is everything) and reads it, unless it is only to be listed. */
export async function readObjects(
  client: Bun.S3Client,
  prefixes: readonly string[],
  mode: "read" | "list",
): Promise<ReadObjects> {
  const listed = new Set<string>();
  for (const prefix of prefixes) for await (const key of listKeys(client, prefix)) listed.add(key);
  const foreign: string[] = [];
  const latest = new Map<string, number>();
  const next = listed.values();
  const readNext = async (): Promise<void> => {
    for (const key of next) {
      const bytes = Buffer.from(await client.file(key).arrayBuffer());
      if (key.startsWith("latest/")) latest.set(key, counterOf(bytes));
      if (!isOwn(key, bytes)) foreign.push(key);
    }
  };
  if (mode === "read") await Promise.all(Array.from({ length: READERS }, readNext));
  return { listed, foreign, latest };
}

/** Whether these are bytes that a writer has put under the key. */
export function isOwn(key: string, bytes: Buffer): boolean {
  if (key.startsWith("latest/")) return bytes.equals(latestBytes(counterOf(bytes)));
  return bytes.equals(deterministicBytes(key, deterministicSize(key)));
}

function counterOf(bytes: Buffer): number {
  return Number(bytes.subarray(0, bytes.indexOf("\n")).toString());
}

async function* listKeys(client: Bun.S3Client, prefix: string): AsyncGenerator<string> {
  let token: string | undefined;
  do {
    const page: Bun.S3ListObjectsResponse = await client.list({
      ...(prefix === "" ? {} : { prefix }),
      ...(token === undefined ? {} : { continuationToken: token }),
    });
    for (const item of page.contents ?? []) yield item.key;
    token = page.isTruncated ? page.nextContinuationToken : undefined;
  } while (token !== undefined);
}
