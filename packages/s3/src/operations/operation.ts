import type { Body, Clock, ByteStream, Hashes, Log } from "@kelp/base";
import type { Authorizer, EntryPath, Filer, Tree, TreeName } from "@kelp/wire";
import type { S3Caller } from "../auth/index.ts";
import type { VerifiedChecksum } from "../body/index.ts";
import type { BuiltOperationName } from "../router/table.ts";
import type { S3Request } from "../request.ts";

/**
 * One operation of the S3 API: what the caller must be allowed, and what then happens. The dispatcher checks `access`
 * and finds the bucket before `handle` runs, so a handler never meets a caller who may not do what it does.
 */
export type Operation =
  | {
      readonly level: "service";
      readonly name: BuiltOperationName;
      readonly access: (request: S3Request) => readonly Access[];
      readonly handle: (call: ServiceCall) => Promise<Reply>;
    }
  | {
      /** On the name of a bucket that need not exist. */
      readonly level: "bucket-name";
      readonly name: BuiltOperationName;
      readonly access: (request: S3Request, bucket: TreeName) => readonly Access[];
      readonly handle: (call: BucketNameCall) => Promise<Reply>;
    }
  | {
      readonly level: "bucket";
      readonly name: BuiltOperationName;
      readonly access: (request: S3Request, bucket: TreeName) => readonly Access[];
      readonly handle: (call: BucketCall) => Promise<Reply>;
    }
  | {
      readonly level: "object";
      readonly name: BuiltOperationName;
      readonly access: (request: S3Request, bucket: TreeName, key: EntryPath) => readonly Access[];
      readonly handle: (call: ObjectCall) => Promise<Reply>;
    };

/** An IAM action on one resource. */
export interface Access {
  readonly action: `s3:${string}`;
  readonly resource: string;
}

/** What operations need of the world. */
export interface Store {
  readonly filer: Filer;
  readonly authorizer: Authorizer;
  readonly clock: Clock;
  readonly hashes: Hashes;
  readonly log: Log;
  readonly region: Region;
}

/** `any`: signatures of every region are taken, and buckets are made where the client says. */
export type Region = { readonly kind: "any" } | { readonly kind: "strict"; readonly name: string };

export interface ServiceCall {
  readonly request: S3Request;
  readonly caller: S3Caller;
  readonly store: Store;
  readonly body: RequestBody;
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal;
}

export interface BucketNameCall extends ServiceCall {
  readonly bucket: TreeName;
}

export interface BucketCall extends BucketNameCall {
  readonly tree: Tree;
}

export interface ObjectCall extends BucketCall {
  readonly key: EntryPath;
}

/** The body of a request. Opening it is what tells a client that waits for `100 Continue` to send. At most one call of one method. */
export interface RequestBody {
  /** Decoded and verified: the stream, or this very call for a small body, throws `S3Error` on any mismatch. */
  open(): Promise<OpenBody>;
  /** A small document, whole and verified. Throws `MaxMessageLengthExceeded`. `ignore`: checksum headers speak of something else. */
  document(checksumHeaders?: "verify" | "ignore"): Promise<OpenDocument>;
}

export interface OpenBody {
  /** Pieces of a stream are gone when the next one is asked for. */
  readonly body: Body;
  /** Decoded size, if the headers tell it. */
  readonly sizeBytes: number | undefined;
  /** Checksums that were verified. Valid once the body has ended. */
  readonly verified: () => readonly VerifiedChecksum[];
}

export interface OpenDocument {
  readonly bytes: Uint8Array;
  readonly verified: readonly VerifiedChecksum[];
}

export type Reply =
  | {
      readonly kind: "bytes";
      readonly status: number;
      readonly headers: ReplyHeaders;
      readonly bytes: Uint8Array | string;
    }
  | {
      readonly kind: "stream";
      readonly status: number;
      readonly headers: ReplyHeaders;
      /** What the stream gives, exactly. */
      readonly sizeBytes: number;
      readonly stream: ByteStream;
    }
  | {
      readonly kind: "empty";
      readonly status: number;
      readonly headers: ReplyHeaders;
      /** For HEAD: the Content-Length that a GET would have. */
      readonly announcedBytes?: number;
    };

/** Freshly made for each reply: the sender adds to it. */
export type ReplyHeaders = Record<string, string>;

export function xmlReply(document: string, headers: ReplyHeaders = {}): Reply {
  headers["Content-Type"] = "application/xml";
  return { kind: "bytes", status: 200, headers, bytes: document };
}

export function emptyReply(status: 200 | 204, headers: ReplyHeaders = {}): Reply {
  return { kind: "empty", status, headers };
}
