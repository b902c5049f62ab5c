import type { CrashLedger } from "./crash-ledger.ts";
import { deterministicBytes, deterministicSize, latestBytes } from "./deterministic-bytes.ts";

export interface CrashWritersOptions {
  readonly client: Bun.S3Client;
  readonly ledger: CrashLedger;
  readonly count: number;
  /** Ends the writers: what fails behind it, fails because the server was killed. */
  readonly over: AbortSignal;
}

const UPLOADS_EVERY = 16;
const PART_BYTES = 5 * 1024 * 1024;
const AGAIN_MS = 5;

/**
 * Writers that work until the server is gone, and tell the ledger of each acknowledged change in the moment of the answer. A writer whose
 * connection ends goes on with another key: it was served by a gateway that was killed.
 */
export class CrashWriters {
  /** When the first write is acknowledged. */
  readonly working: Promise<void>;
  readonly #options: CrashWritersOptions;
  readonly #ended: Promise<unknown>;
  #sayWorking: () => void = () => undefined;

  constructor(options: CrashWritersOptions) {
    this.#options = options;
    this.working = new Promise((resolve) => {
      this.#sayWorking = resolve;
    });
    const { round } = options.ledger;
    this.#ended = Promise.all(
      Array.from({ length: options.count }, (_, number) => this.#work(round, number)),
    );
  }

  /** When all have ended. Rejects with what a server has answered that was not a success. */
  async ended(): Promise<void> {
    await this.#ended;
  }

  async #work(round: number, number: number): Promise<void> {
    const { over } = this.#options;
    for (let count = 0; !over.aborted; count++) {
      try {
        await this.#write(round, number, count);
      } catch (error) {
        if (!isConnectionError(error)) throw error;
        if (!over.aborted) await Bun.sleep(AGAIN_MS);
      }
    }
  }

  async #write(round: number, number: number, count: number): Promise<void> {
    const { client, ledger } = this.#options;
    const key = `round-${round}/writer-${number}/${count}`;
    await client.write(key, deterministicBytes(key, deterministicSize(key)));
    ledger.present.add(key);
    this.#sayWorking();
    // Every second one is removed again, at once: a round is short.
    if ((number + count) % 2 === 1) {
      // A key whose removal was asked for and not answered may be there or not.
      ledger.present.delete(key);
      await client.delete(key);
      ledger.gone.add(key);
    }
    const counter = round * 1_000_000 + count;
    await client.write(`latest/writer-${number}`, latestBytes(counter));
    ledger.overwritten(`latest/writer-${number}`, counter);
    // Large bodies are felt by all others: only some writers have one, once, as an upload of parts.
    if (number % UPLOADS_EVERY === 0 && count === 0) await this.#upload(round, number);
  }

  async #upload(round: number, number: number): Promise<void> {
    const { client, ledger } = this.#options;
    const key = `round-${round}/upload-${number}`;
    const writer = client.file(key).writer({ partSize: PART_BYTES, queueSize: 2, retry: 0 });
    await writer.write(deterministicBytes(key, deterministicSize(key)));
    await writer.end();
    ledger.present.add(key);
  }
}

const CONNECTION_CODES = new Set([
  "ConnectionRefused",
  "ConnectionClosed",
  "ConnectionReset",
  "ECONNRESET",
  "ECONNREFUSED",
  "FailedToOpenSocket",
]);

/** Whether there was no answer, so that nothing is known of what was asked for. */
export function isConnectionError(error: unknown): boolean {
  return error instanceof Error && "code" in error && CONNECTION_CODES.has(String(error.code));
}
