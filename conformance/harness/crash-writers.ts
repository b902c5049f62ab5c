import { deterministicBytes, deterministicSize, latestBytes } from "./deterministic-bytes.ts";

/**
 * A process of its own that writes until the server is gone. It prints a line for each acknowledged write, in the moment of the
 * answer: `object <key>` for a new object, `latest <key> <counter>` for an overwritten one.
 * Arguments: endpoint, bucket, round, number of writers; the key pair comes from the environment.
 */
const [endpoint = "", bucket = "", round = "", writers = ""] = process.argv.slice(2);
const client = new Bun.S3Client({ endpoint, bucket, retry: 0 });

async function write(number: number): Promise<void> {
  for (let count = 0; ; count++) {
    const key = `round-${round}/writer-${number}/${count}`;
    const latest = `latest/writer-${number}`;
    const counter = Number(round) * 1_000_000 + count;
    try {
      await client.write(key, deterministicBytes(key, deterministicSize(key)));
      process.stdout.write(`object ${key}\n`);
      await client.write(latest, latestBytes(counter));
      process.stdout.write(`latest ${latest} ${counter}\n`);
    } catch {
      return;
    }
  }
}

await Promise.all(Array.from({ length: Number(writers) }, (_, number) => write(number)));
