import { S3Client } from "bun";
import { BackupError, type BackupTarget } from "@kelp/filer";

/** Keys of one page of a listing. */
const LIST_KEYS_MAX = 1000;

export interface S3TargetOptions {
  readonly bucket: string;
  /** Empty, or without a slash at the end. */
  readonly prefix: string;
  readonly endpoint: string | undefined;
  readonly region: string | undefined;
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

/** A target that is a bucket, or a part of one. S3 shows an object when it is whole and stored. */
export class S3Target implements BackupTarget {
  readonly #client: S3Client;
  readonly #prefix: string;

  constructor(options: S3TargetOptions) {
    const { bucket, endpoint, region, accessKeyId, secretAccessKey, sessionToken } = options;
    this.#prefix = options.prefix === "" ? "" : `${options.prefix}/`;
    this.#client = new S3Client({
      bucket,
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(region === undefined ? {} : { region }),
      ...(accessKeyId === undefined ? {} : { accessKeyId }),
      ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
      ...(sessionToken === undefined ? {} : { sessionToken }),
    });
  }

  list(prefix: string): Promise<string[]> {
    return this.#attempt(`list ${prefix}`, async () => {
      const names: string[] = [];
      let startAfter: string | undefined;
      for (;;) {
        const page = await this.#client.list({
          prefix: this.#prefix + prefix,
          maxKeys: LIST_KEYS_MAX,
          ...(startAfter === undefined ? {} : { startAfter }),
        });
        const keys = (page.contents ?? []).map(({ key }) => key);
        names.push(...keys.map((key) => key.slice(this.#prefix.length)));
        startAfter = keys.at(-1);
        if (page.isTruncated !== true || startAfter === undefined) return names;
      }
    });
  }

  read(name: string): Promise<Uint8Array | undefined> {
    return this.#attempt(`read ${name}`, async () => {
      try {
        return new Uint8Array(await this.#client.file(this.#prefix + name).arrayBuffer());
      } catch (error) {
        if (codeOf(error) === "NoSuchKey") return undefined;
        throw error;
      }
    });
  }

  sizeOf(name: string): Promise<number | undefined> {
    return this.#attempt(`look at ${name}`, async () => {
      const file = this.#client.file(this.#prefix + name);
      return (await file.exists()) ? (await file.stat()).size : undefined;
    });
  }

  async write(name: string, bytes: Uint8Array): Promise<void> {
    await this.#attempt(`write ${name}`, () => this.#client.write(this.#prefix + name, bytes));
  }

  remove(name: string): Promise<void> {
    return this.#attempt(`remove ${name}`, () => this.#client.delete(this.#prefix + name));
  }

  async #attempt<Value>(action: string, work: () => Promise<Value>): Promise<Value> {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      const reason = error instanceof Error ? error.message : "it failed";
      throw new BackupError(
        code === "StorageFull" || code === "QuotaExceeded" ? "target-full" : "target-failed",
        `cannot ${action}: ${code === undefined ? reason : `${code}: ${reason}`}`,
        { cause: error },
      );
    }
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined;
}
