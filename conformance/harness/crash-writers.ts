import { deterministicBytes, deterministicSize, latestBytes } from "./deterministic-bytes.ts";

/**
 * A process of its own that writes until the server is gone. It prints a line for each acknowledged change, in the moment of the
 * answer: `object <key>` for a new object, `latest <key> <counter>` for an overwritten one, `gone <key>` for a removed one,
 * and `removing <key>` before it asks for that.
 * Arguments: endpoint, bucket, round, number of writers; the key pair comes from the environment.
 */
const [endpoint = "", bucket = "", round = "", writers = ""] = process.argv.slice(2);
const client = new Bun.S3Client({ endpoint, bucket, retry: 0 });

/** Large bodies are felt by all others: only some writers have one, once, as an upload of parts. */
const UPLOADS_EVERY = 16;
const PART_BYTES = 5 * 1024 * 1024;

async function write(number: number): Promise<void> {
  for (let count = 0; ; count++) {
    const key = `round-${round}/writer-${number}/${count}`;
    const latest = `latest/writer-${number}`;
    const counter = Number(round) * 1_000_000 + count;
    try {
      await client.write(key, deterministicBytes(key, deterministicSize(key)));
      process.stdout.write(`object ${key}\n`);
      // Every second one is removed again, at once: a round is short.
      if ((number + count) % 2 === 1) await remove(key);
      await client.write(latest, latestBytes(counter));
      process.stdout.write(`latest ${latest} ${counter}\n`);
      if (number % UPLOADS_EVERY === 0 && count === 0) await upload(number);
    } catch {
      return;
    }
  }
}

async function remove(key: string): Promise<void> {
  process.stdout.write(`removing ${key}\n`);
  await client.delete(key);
  process.stdout.write(`gone ${key}\n`);
}

async function upload(number: number): Promise<void> {
  const key = `round-${round}/upload-${number}`;
  const bytes = deterministicBytes(key, deterministicSize(key));
  const writer = client.file(key).writer({ partSize: PART_BYTES, queueSize: 2, retry: 0 });
  await writer.write(bytes);
  await writer.end();
  process.stdout.write(`object ${key}\n`);
}

await Promise.all(Array.from({ length: Number(writers) }, (_, number) => write(number)));
