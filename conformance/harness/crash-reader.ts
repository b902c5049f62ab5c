import { deterministicBytes, deterministicSize, latestBytes } from "./deterministic-bytes.ts";

/**
 * A process of its own that lists a bucket, or what of it begins with one of the prefixes, and reads that. It prints a line for each object:
 * `listed <key>`, `latest <key> <counter>` of an overwritten one, and `foreign <key>` when the bytes are nobody's.
 * Arguments: endpoint, bucket, prefixes separated by commas (`""` is everything), and `list` to read nothing; the key pair
 * comes from the environment.
 */
const READERS = 16;
const [endpoint = "", bucket = "", prefixes = "", mode = "read"] = process.argv.slice(2);
const client = new Bun.S3Client({ endpoint, bucket, retry: 0 });

async function* listKeys(prefix: string): AsyncGenerator<string> {
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

async function check(key: string): Promise<void> {
  const bytes = Buffer.from(await client.file(key).arrayBuffer());
  if (key.startsWith("latest/")) {
    const counter = Number(bytes.subarray(0, bytes.indexOf("\n")).toString());
    const isWhole = bytes.equals(latestBytes(counter));
    process.stdout.write(isWhole ? `latest ${key} ${counter}\n` : `foreign ${key}\n`);
    return;
  }
  if (!bytes.equals(deterministicBytes(key, deterministicSize(key)))) {
    process.stdout.write(`foreign ${key}\n`);
  }
}

const suspects: string[] = [];
for (const prefix of prefixes.split(",")) {
  for await (const key of listKeys(prefix)) {
    process.stdout.write(`listed ${key}\n`);
    if (mode === "read") suspects.push(key);
  }
}
const next = suspects.values();
await Promise.all(
  Array.from({ length: READERS }, async () => {
    for (const key of next) await check(key);
  }),
);
