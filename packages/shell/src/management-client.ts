import type {
  BucketMessage,
  ClusterMessage,
  IdentityMessage,
  NewKeyMessage,
  ObjectInfoMessage,
  ObjectItemMessage,
  ScrubMessage,
  VacuumMessage,
  VolumeMessage,
} from "@kelp/wire/management";
import { HttpCaller, type HttpCallerOptions } from "./http-caller.ts";
import { type JsonObject, listIn, objectOf, textOrNullIn } from "./json-reader.ts";
import {
  readBucket,
  readCluster,
  readIdentity,
  readNewKey,
  readObjectInfo,
  readObjectItem,
  readScrub,
  readVacuum,
  readVolume,
} from "./messages.ts";

export interface ObjectPage {
  readonly items: readonly ObjectItemMessage[];
  /** Where the next page starts; `undefined` after the last. */
  readonly next: string | undefined;
}

export interface ObjectQuery {
  readonly prefix: string;
  /** `/` folds keys into prefixes; absent lists all keys. */
  readonly delimiter?: "/";
  readonly after?: string | undefined;
  readonly limit?: number;
}

/** The routes of `/api/v1` that the shell uses. All throw `ShellError`. */
export class ManagementClient {
  readonly #http: HttpCaller;

  constructor(options: HttpCallerOptions) {
    this.#http = new HttpCaller(options);
  }

  async listBuckets(): Promise<readonly BucketMessage[]> {
    return listIn(await this.#get("buckets"), "buckets", readBucket);
  }

  async createBucket(name: string): Promise<void> {
    await this.#http.send("POST", ["buckets"], { json: { name } });
  }

  async deleteBucket(name: string): Promise<void> {
    await this.#http.send("DELETE", ["buckets", name]);
  }

  /** `undefined` takes the quota away. */
  async setQuota(name: string, quotaBytes: number | undefined): Promise<void> {
    const json = { quota_bytes: quotaBytes ?? null };
    await this.#http.send("PUT", ["buckets", name, "quota"], { json });
  }

  async listObjects(bucket: string, query: ObjectQuery): Promise<ObjectPage> {
    const { prefix, delimiter, after, limit } = query;
    const answer = await this.#http.json("GET", ["buckets", bucket, "objects"], {
      query: { prefix, delimiter, after, limit: limit?.toString() },
    });
    const page = objectOf(answer);
    return { items: listIn(page, "items", readObjectItem), next: textOrNullIn(page, "next") };
  }

  /** Every item of a listing, page after page. */
  async *eachObject(bucket: string, query: ObjectQuery): AsyncGenerator<ObjectItemMessage> {
    let { after } = query;
    do {
      const page = await this.listObjects(bucket, { ...query, after });
      yield* page.items;
      after = page.next;
    } while (after !== undefined);
  }

  /** `undefined` when there is no such object. */
  async objectInfo(bucket: string, key: string): Promise<ObjectInfoMessage | undefined> {
    const answer = await this.#http.jsonIfFound(["buckets", bucket, "object", "info"], {
      query: { key },
    });
    return answer === undefined ? undefined : readObjectInfo(answer);
  }

  /** The object's bytes as they arrive. */
  async readObject(bucket: string, key: string): Promise<AsyncIterable<Uint8Array>> {
    return this.#http.bytes(["buckets", bucket, "object"], { query: { key } });
  }

  async putObject(bucket: string, key: string, content: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#http.send("PUT", ["buckets", bucket, "object"], { query: { key }, content });
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    await this.#http.send("DELETE", ["buckets", bucket, "object"], { query: { key } });
  }

  async renameObject(bucket: string, source: string, target: string): Promise<void> {
    await this.#http.send("POST", ["buckets", bucket, "rename"], { json: { source, target } });
  }

  /** The entry as the filer keeps it, as the server wrote it; `undefined` when there is none. */
  async entry(bucket: string, key: string): Promise<JsonObject | undefined> {
    const answer = await this.#http.jsonIfFound(["buckets", bucket, "entry"], { query: { key } });
    return answer === undefined ? undefined : objectOf(answer);
  }

  async listIdentities(): Promise<readonly IdentityMessage[]> {
    return listIn(await this.#get("identities"), "identities", readIdentity);
  }

  async putIdentity(
    name: string,
    actions: readonly string[],
    state: "enabled" | "disabled",
  ): Promise<void> {
    const json = { actions, is_disabled: state === "disabled" };
    await this.#http.send("PUT", ["identities", name], { json });
  }

  async deleteIdentity(name: string): Promise<void> {
    await this.#http.send("DELETE", ["identities", name]);
  }

  /** Without a pair the server makes one. */
  async createKey(name: string, pair: NewKeyMessage | undefined): Promise<NewKeyMessage> {
    return readNewKey(
      await this.#http.json("POST", ["identities", name, "keys"], { json: pair ?? {} }),
    );
  }

  async deleteKey(name: string, accessKey: string): Promise<void> {
    await this.#http.send("DELETE", ["identities", name, "keys", accessKey]);
  }

  async listVolumes(): Promise<readonly VolumeMessage[]> {
    return listIn(await this.#get("volumes"), "volumes", readVolume);
  }

  /** Resolves when it is done. */
  async vacuumVolume(id: number): Promise<VacuumMessage> {
    return readVacuum(await this.#http.json("POST", ["volumes", `${id}`, "vacuum"], { json: {} }));
  }

  /** Resolves when it is done. */
  async scrubVolume(id: number): Promise<ScrubMessage> {
    return readScrub(await this.#http.json("POST", ["volumes", `${id}`, "scrub"], { json: {} }));
  }

  async markVolume(id: number, state: "writable" | "read-only"): Promise<void> {
    await this.#http.send("PUT", ["volumes", `${id}`, "state"], { json: { state } });
  }

  async deleteVolume(id: number, needles: "refuse" | "delete"): Promise<void> {
    const query = needles === "delete" ? { force: "true" } : {};
    await this.#http.send("DELETE", ["volumes", `${id}`], { query });
  }

  async cluster(): Promise<ClusterMessage> {
    return readCluster(await this.#get("cluster"));
  }

  async #get(route: string): Promise<JsonObject> {
    return objectOf(await this.#http.json("GET", [route], {}));
  }
}
