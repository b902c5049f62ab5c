/** Body of every refusal of `/api/v1`. `code` is stable, `message` is for people. */
export interface ErrorMessage {
  readonly error: { readonly code: string; readonly message: string };
}

/** `GET /api/v1/session`, and the answer to `POST /api/v1/session` with `SignIn`. */
export interface SessionMessage {
  readonly principal: string;
  readonly kind: "root" | "identity";
  /** How the caller was let in. */
  readonly via: "local-user" | "token" | "session";
}

export interface SignIn {
  readonly access_key: string;
  readonly secret_key: string;
}

/** `GET /api/v1/overview` */
export interface OverviewMessage {
  readonly version: string;
  readonly started_ms: number;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly store: {
    readonly bucket_count: number;
    readonly object_count: number;
    readonly size_bytes: number;
    readonly disk_total_bytes: number;
    readonly disk_available_bytes: number;
    readonly volume_count: number;
    readonly memory_rss_bytes: number;
  };
  /** Empty when all is well; else a sentence each. */
  readonly problems: readonly string[];
}

/**
 * `GET /api/v1/buckets` → `{ buckets }`; `POST /api/v1/buckets` with `{ name }`; `DELETE /api/v1/buckets/{name}`, of one with
 * objects or snapshots only with `?force=true`. `PUT /api/v1/buckets/{name}/quota` with one or both of
 * `{ quota_bytes: number | null, quota_objects: number | null }`: what is not named stays, `null` lifts.
 * `POST /api/v1/buckets/{name}/clone` with `{ name, snapshot? }`: the new bucket.
 */
export interface BucketMessage {
  readonly name: string;
  readonly owner: string;
  readonly created_ms: number;
  readonly size_bytes: number;
  readonly object_count: number;
  readonly chunk_count: number;
  readonly quota_bytes: number | null;
  readonly quota_objects: number | null;
}

/**
 * `GET /api/v1/buckets/{name}/snapshots` → `{ snapshots }`, oldest first; `POST` there with `{ name }`; `DELETE …/snapshots/{snapshot}`.
 * The routes that read objects take `&snapshot=` and then read the bucket as it was.
 */
export interface SnapshotMessage {
  readonly name: string;
  readonly created_ms: number;
  /** Of the objects in it, whether or not they share their content with others. */
  readonly size_bytes: number;
  readonly object_count: number;
}

/**
 * `GET /api/v1/buckets/{name}/objects?prefix&delimiter&after&limit`. `DELETE` there with `?prefix=` deletes all keys that begin so,
 * their usage and space in the background.
 */
export interface ObjectPageMessage {
  readonly items: readonly ObjectItemMessage[];
  readonly next: string | null;
}

export type ObjectItemMessage =
  | {
      readonly kind: "object";
      readonly key: string;
      readonly size_bytes: number;
      readonly modified_ms: number;
      readonly etag: string;
      readonly chunk_count: number;
    }
  | { readonly kind: "prefix"; readonly prefix: string };

/**
 * `GET /api/v1/buckets/{name}/object/info?key=`. The bytes: `GET`, `PUT`, `DELETE /api/v1/buckets/{name}/object?key=`
 * (`Range` honoured; `&download=1` adds a Content-Disposition). Moving: `POST /api/v1/buckets/{name}/rename` with
 * `{ source, target }`.
 */
export interface ObjectInfoMessage {
  readonly key: string;
  readonly size_bytes: number;
  readonly modified_ms: number;
  readonly etag: string;
  readonly content_type: string;
  readonly user_metadata: Readonly<Record<string, string>>;
  readonly chunk_count: number;
}

/**
 * `GET /api/v1/identities` → `{ identities }`; `PUT /api/v1/identities/{name}` with `{ actions, is_disabled? }`;
 * `DELETE /api/v1/identities/{name}`; `POST /api/v1/identities/{name}/keys` with optional `{ access_key, secret_key }`
 * → `NewKeyMessage`; `DELETE /api/v1/identities/{name}/keys/{access_key}`; `PUT …/keys/{access_key}` with `{ is_active }`.
 */
export interface IdentityMessage {
  readonly name: string;
  readonly is_disabled: boolean;
  readonly actions: readonly string[];
  readonly created_ms: number;
  readonly keys: readonly {
    readonly access_key: string;
    readonly is_active: boolean;
    readonly created_ms: number;
  }[];
}

/** The only time the secret is shown. */
export interface NewKeyMessage {
  readonly access_key: string;
  readonly secret_key: string;
}

/**
 * `GET /api/v1/volumes` → `{ volumes }`; `PUT /api/v1/volumes/{id}/state` with `{ state: "writable" | "read-only" }`;
 * `DELETE /api/v1/volumes/{id}`, of one with live needles only with `?force=true`.
 */
export interface VolumeMessage {
  readonly id: number;
  readonly collection: string;
  readonly size_bytes: number;
  readonly live_count: number;
  readonly live_bytes: number;
  readonly deleted_count: number;
  readonly deleted_bytes: number;
  /** Share of the file that a vacuum would free, 0 to 1. */
  readonly garbage_ratio: number;
  readonly state: string;
  /** The gateway process that alone writes it, or `null`. */
  readonly holder: string | null;
  /** `plain`, `erasure-coded` or `remote`. */
  readonly form: string;
  /** Of an erasure-coded volume, else `null`. `missing`: numbers of the shards that are absent or have damaged blocks. */
  readonly shards: {
    readonly data: number;
    readonly parity: number;
    readonly missing: readonly number[];
  } | null;
  /** Name of the remote store that has the file of a remote volume, else `null`. */
  readonly backend: string | null;
  /** Of the format. */
  readonly version: number;
  readonly compaction_revision: number;
  /** Place of its folder among those of the server. */
  readonly disk: number;
  readonly disk_type: string;
  /** Things in it that scrubbing found damaged. */
  readonly damaged_count: number;
}

/** `POST /api/v1/volumes/{id}/vacuum`: answered when it is done. A caller that goes away does not end it. */
export interface VacuumMessage {
  readonly bytes_before: number;
  readonly bytes_after: number;
  readonly live_count: number;
  /** What it met and carried over as it was, at the places of the new file. */
  readonly damaged: readonly DamageMessage[];
}

/** `POST /api/v1/volumes/{id}/scrub`: answered when it is done. A caller that goes away does not end it. */
export interface ScrubMessage {
  readonly checked_count: number;
  readonly checked_bytes: number;
  readonly repaired: readonly DamageMessage[];
  readonly damaged: readonly DamageMessage[];
}

/**
 * `POST /api/v1/volumes/{id}/rebuild`: numbers of the shards that were made anew. Answered when it is done, as are
 * `POST …/encode` with `{ data_shards?, parity_shards? }`, `…/decode`, `…/upload` with `{ backend }` and `…/download`, which
 * answer nothing. A caller that goes away does not end them.
 */
export interface RebuildMessage {
  readonly rebuilt: readonly number[];
}

export interface DamageMessage {
  readonly volume_id: number;
  /** Needle id in hex, `shard N`, or `index`. */
  readonly what: string;
  readonly offset_bytes: number;
  readonly reason: string;
}

/** `GET /api/v1/cluster` */
export interface ClusterMessage {
  readonly version: string;
  readonly started_ms: number;
  readonly endpoints: Readonly<Record<string, string>>;
  readonly dir: string;
  readonly disk_total_bytes: number;
  readonly disk_available_bytes: number;
  readonly volume_count: number;
  readonly healthy: boolean;
}

/** `GET /api/v1/buckets/{name}/entry?key=`: the entry as the filer keeps it. */
export interface EntryMessage {
  readonly path: string;
  readonly size_bytes: number;
  readonly modified_ms: number;
  readonly etag: string;
  readonly position: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly inline_bytes: number;
  readonly chunks: readonly { readonly fid: string; readonly size_bytes: number }[];
}
