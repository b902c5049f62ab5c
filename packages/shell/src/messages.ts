import type {
  BucketMessage,
  ClusterMessage,
  DamageMessage,
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
import {
  type JsonObject,
  booleanIn,
  listIn,
  numberIn,
  numberOf,
  numberOrNullIn,
  objectOf,
  textIn,
  textOrNullIn,
  textOf,
} from "./json-reader.ts";

/** The messages of `/api/v1`, read field by field. All throw `ShellError` `unexpected-answer`. */
export function readBucket(value: unknown): BucketMessage {
  const object = objectOf(value);
  return {
    name: textIn(object, "name"),
    owner: textIn(object, "owner"),
    created_ms: numberIn(object, "created_ms"),
    size_bytes: numberIn(object, "size_bytes"),
    object_count: numberIn(object, "object_count"),
    chunk_count: numberIn(object, "chunk_count"),
    quota_bytes: numberOrNullIn(object, "quota_bytes") ?? null,
    quota_objects: numberOrNullIn(object, "quota_objects") ?? null,
  };
}

export function readSnapshot(value: unknown): SnapshotMessage {
  const object = objectOf(value);
  return {
    name: textIn(object, "name"),
    created_ms: numberIn(object, "created_ms"),
    size_bytes: numberIn(object, "size_bytes"),
    object_count: numberIn(object, "object_count"),
  };
}

export function readObjectItem(value: unknown): ObjectItemMessage {
  const object = objectOf(value);
  const kind = textIn(object, "kind");
  if (kind === "prefix") return { kind, prefix: textIn(object, "prefix") };
  if (kind !== "object") {
    throw new ShellError("unexpected-answer", "The server lists something unknown");
  }
  return { kind, ...objectFields(object) };
}

export function readObjectInfo(value: unknown): ObjectInfoMessage {
  const object = objectOf(value);
  return {
    ...objectFields(object),
    content_type: textIn(object, "content_type"),
    user_metadata: texts(objectOf(object["user_metadata"])),
  };
}

function objectFields(
  object: JsonObject,
): Omit<ObjectInfoMessage, "content_type" | "user_metadata"> {
  return {
    key: textIn(object, "key"),
    size_bytes: numberIn(object, "size_bytes"),
    modified_ms: numberIn(object, "modified_ms"),
    etag: textIn(object, "etag"),
    chunk_count: numberIn(object, "chunk_count"),
  };
}

export function readIdentity(value: unknown): IdentityMessage {
  const object = objectOf(value);
  return {
    name: textIn(object, "name"),
    is_disabled: booleanIn(object, "is_disabled"),
    actions: listIn(object, "actions", textOf),
    created_ms: numberIn(object, "created_ms"),
    keys: listIn(object, "keys", readKey),
  };
}

function readKey(value: unknown): IdentityMessage["keys"][number] {
  const object = objectOf(value);
  return {
    access_key: textIn(object, "access_key"),
    is_active: booleanIn(object, "is_active"),
    created_ms: numberIn(object, "created_ms"),
  };
}

export function readNewKey(value: unknown): NewKeyMessage {
  const object = objectOf(value);
  return { access_key: textIn(object, "access_key"), secret_key: textIn(object, "secret_key") };
}

export function readVolume(value: unknown): VolumeMessage {
  const object = objectOf(value);
  return {
    id: numberIn(object, "id"),
    collection: textIn(object, "collection"),
    size_bytes: numberIn(object, "size_bytes"),
    live_count: numberIn(object, "live_count"),
    live_bytes: numberIn(object, "live_bytes"),
    deleted_count: numberIn(object, "deleted_count"),
    deleted_bytes: numberIn(object, "deleted_bytes"),
    garbage_ratio: numberIn(object, "garbage_ratio"),
    state: textIn(object, "state"),
    holder: textOrNullIn(object, "holder") ?? null,
    form: textIn(object, "form"),
    shards: readShards(object["shards"]),
    backend: textOrNullIn(object, "backend") ?? null,
    version: numberIn(object, "version"),
    compaction_revision: numberIn(object, "compaction_revision"),
    disk: numberIn(object, "disk"),
    disk_type: textIn(object, "disk_type"),
    damaged_count: numberIn(object, "damaged_count"),
  };
}

function readShards(value: unknown): VolumeMessage["shards"] {
  if (value === null || value === undefined) return null;
  const object = objectOf(value);
  return {
    data: numberIn(object, "data"),
    parity: numberIn(object, "parity"),
    missing: listIn(object, "missing", numberOf),
  };
}

export function readRebuild(value: unknown): RebuildMessage {
  return { rebuilt: listIn(objectOf(value), "rebuilt", numberOf) };
}

export function readVacuum(value: unknown): VacuumMessage {
  const object = objectOf(value);
  return {
    bytes_before: numberIn(object, "bytes_before"),
    bytes_after: numberIn(object, "bytes_after"),
    live_count: numberIn(object, "live_count"),
    // A server of before does not tell.
    damaged: object["damaged"] === undefined ? [] : listIn(object, "damaged", readDamage),
  };
}

export function readScrub(value: unknown): ScrubMessage {
  const object = objectOf(value);
  return {
    checked_count: numberIn(object, "checked_count"),
    checked_bytes: numberIn(object, "checked_bytes"),
    repaired: listIn(object, "repaired", readDamage),
    damaged: listIn(object, "damaged", readDamage),
  };
}

function readDamage(value: unknown): DamageMessage {
  const object = objectOf(value);
  return {
    volume_id: numberIn(object, "volume_id"),
    what: textIn(object, "what"),
    offset_bytes: numberIn(object, "offset_bytes"),
    reason: textIn(object, "reason"),
  };
}

export function readCluster(value: unknown): ClusterMessage {
  const object = objectOf(value);
  return {
    version: textIn(object, "version"),
    started_ms: numberIn(object, "started_ms"),
    endpoints: texts(objectOf(object["endpoints"])),
    dir: textIn(object, "dir"),
    disk_total_bytes: numberIn(object, "disk_total_bytes"),
    disk_available_bytes: numberIn(object, "disk_available_bytes"),
    volume_count: numberIn(object, "volume_count"),
    healthy: booleanIn(object, "healthy"),
  };
}

function texts(object: JsonObject): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.keys(object).map((name) => [name, textIn(object, name)]));
}
