import type {
  BucketMessage,
  ClusterMessage,
  IdentityMessage,
  NewKeyMessage,
  ObjectInfoMessage,
  ObjectItemMessage,
  RebuildMessage,
  ScrubMessage,
  SnapshotMessage,
  VacuumMessage,
  VolumeMessage,
} from "@kelp/wire/management";
import { ShellError } from "./errors.ts";
import { HttpCaller, type HttpCallerOptions } from "./http-caller.ts";
import { type JsonObject, listIn, objectOf, textOrNullIn } from "./json-reader.ts";
import { splitSnapshot } from "./location.ts";
import {
  readBucket,
  readCluster,
  readIdentity,
  readNewKey,
  readObjectInfo,
  readObjectItem,
  readRebuild,
  readScrub,
  readSnapshot,
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

/** How a volume is dealt out to shards; what is absent the server chooses. */
export interface ShardCounts {
  readonly data_shards?: number;
  readonly parity_shards?: number;
}

/** A number sets the bound, `null` lifts it, absence leaves it as it is. */
export interface QuotaChange {
  readonly quota_bytes?: number | null;
  readonly quota_objects?: number | null;
}

/** The routes of `/api/v1` that the shell uses. Where a bucket is only read it may be `BUCKET@SNAPSHOT`. All throw `ShellError`. */
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

  async deleteBucket(name: string, contents: "refuse" | "discard"): Promise<void> {
    const query = contents === "discard" ? { force: "true" } : {};
    await this.#http.send("DELETE", ["buckets", writable(name)], { query });
  }

  async setQuota(name: string, change: QuotaChange): Promise<void> {
    await this.#http.send("PUT", ["buckets", writable(name), "quota"], { json: change });
  }

  async listSnapshots(bucket: string): Promise<readonly SnapshotMessage[]> {
    const answer = await this.#http.json("GET", ["buckets", writable(bucket), "snapshots"], {});
    return listIn(objectOf(answer), "snapshots", readSnapshot);
  }

  async createSnapshot(bucket: string, name: string): Promise<SnapshotMessage> {
    const json = { name };
    return readSnapshot(
      await this.#http.json("POST", ["buckets", writable(bucket), "snapshots"], { json }),
    );
  }

  async deleteSnapshot(bucket: string, name: string): Promise<void> {
    await this.#http.send("DELETE", ["buckets", writable(bucket), "snapshots", name]);
  }

  /** The new bucket. `source` may be `BUCKET@SNAPSHOT`. */
  async cloneBucket(source: string, target: string): Promise<BucketMessage> {
    const { bucket, snapshot } = splitSnapshot(source);
    const json = { name: target, ...(snapshot !== undefined && { snapshot }) };
    return readBucket(await this.#http.json("POST", ["buckets", bucket, "clone"], { json }));
  }

  async listObjects(source: string, query: ObjectQuery): Promise<ObjectPage> {
    const { bucket, snapshot } = splitSnapshot(source);
    const { prefix, delimiter, after, limit } = query;
    const answer = await this.#http.json("GET", ["buckets", bucket, "objects"], {
      query: { prefix, delimiter, after, limit: limit?.toString(), snapshot },
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
  async objectInfo(source: string, key: string): Promise<ObjectInfoMessage | undefined> {
    const { bucket, snapshot } = splitSnapshot(source);
    const answer = await this.#http.jsonIfFound(["buckets", bucket, "object", "info"], {
      query: { key, snapshot },
    });
    return answer === undefined ? undefined : readObjectInfo(answer);
  }

  /** The object's bytes as they arrive. */
  async readObject(source: string, key: string): Promise<AsyncIterable<Uint8Array>> {
    const { bucket, snapshot } = splitSnapshot(source);
    return this.#http.bytes(["buckets", bucket, "object"], { query: { key, snapshot } });
  }

  async putObject(bucket: string, key: string, content: Uint8Array<ArrayBuffer>): Promise<void> {
    const route = ["buckets", writable(bucket), "object"];
    await this.#http.send("PUT", route, { query: { key }, content });
  }

  async deleteObject(bucket: string, key: string): Promise<void> {
    await this.#http.send("DELETE", ["buckets", writable(bucket), "object"], { query: { key } });
  }

  /** All keys that begin with `prefix`, which is not empty. */
  async deleteObjects(bucket: string, prefix: string): Promise<void> {
    const route = ["buckets", writable(bucket), "objects"];
    await this.#http.send("DELETE", route, { query: { prefix } });
  }

  async renameObject(bucket: string, source: string, target: string): Promise<void> {
    const route = ["buckets", writable(bucket), "rename"];
    await this.#http.send("POST", route, { json: { source, target } });
  }

  /** The entry as the filer keeps it, as the server wrote it; `undefined` when there is none. */
  async entry(bucket: string, key: string): Promise<JsonObject | undefined> {
    const route = ["buckets", writable(bucket), "entry"];
    const answer = await this.#http.jsonIfFound(route, { query: { key } });
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

  /** Resolves when it is done. Without counts the server chooses. */
  async encodeVolume(id: number, shape: ShardCounts): Promise<void> {
    await this.#http.send("POST", ["volumes", `${id}`, "encode"], { json: shape });
  }

  /** Resolves when it is done. */
  async decodeVolume(id: number): Promise<void> {
    await this.#http.send("POST", ["volumes", `${id}`, "decode"], { json: {} });
  }

  /** Resolves when it is done. */
  async rebuildVolume(id: number): Promise<RebuildMessage> {
    return readRebuild(
      await this.#http.json("POST", ["volumes", `${id}`, "rebuild"], { json: {} }),
    );
  }

  /** Resolves when it is done. */
  async uploadVolume(id: number, backend: string): Promise<void> {
    await this.#http.send("POST", ["volumes", `${id}`, "upload"], { json: { backend } });
  }

  /** Resolves when it is done. */
  async downloadVolume(id: number): Promise<void> {
    await this.#http.send("POST", ["volumes", `${id}`, "download"], { json: {} });
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

/** Says it in the words of the shell: to the server `BUCKET@SNAPSHOT` is a bucket that is not there. */
function writable(bucket: string): string {
  if (splitSnapshot(bucket).snapshot === undefined) return bucket;
  throw new ShellError("usage", `${bucket} is a snapshot: it can only be listed and read`);
}
