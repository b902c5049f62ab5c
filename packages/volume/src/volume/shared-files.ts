import type { Log } from "@kelp/base";
import type { VolumeFiles } from "./open-files.ts";
import { RunningReads } from "./running-reads.ts";

/** A volume's open files and those who read them: when others take their place they are closed after the last reader. */
export class SharedFiles {
  readonly files: VolumeFiles;
  readonly #log: Log;
  readonly #reads = new RunningReads();
  #holdCount = 0;
  #isRetired = false;
  #closing: Promise<void> | undefined;
  #isClosed = false;

  constructor(files: VolumeFiles, log: Log) {
    this.files = files;
    this.#log = log;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Neither `retire` nor `close` closes the files under `read`. */
  during<Value>(read: () => Promise<Value>): Promise<Value> {
    return this.#reads.during(read);
  }

  /** Keeps retired files open until it is disposed; `close` does not wait for it. */
  hold(): Disposable {
    this.#holdCount++;
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (!isHeld) return;
        isHeld = false;
        this.#holdCount--;
        this.#closeUnheld();
      },
    };
  }

  /** Others are in use: closes these when nobody needs them any more. */
  retire(): void {
    this.#isRetired = true;
    this.#closeUnheld();
  }

  /** Waits for reads under way. Closing twice is harmless. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #closeUnheld(): void {
    if (!this.#isRetired || this.#holdCount > 0) return;
    this.close().catch((error: unknown) => {
      this.#log.warn("the files of before a vacuum cannot be closed", {
        path: this.files.data.path,
        error,
      });
    });
  }

  async #close(): Promise<void> {
    await this.#reads.settled();
    try {
      await this.files.indexFile.close();
    } finally {
      await this.files.data.close();
      this.#isClosed = true;
    }
  }
}
