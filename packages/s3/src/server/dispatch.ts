import { headerText } from "@kelp/base/http";
import type {
  Operation,
  Reply,
  RequestBody,
  Access,
  Store,
  ServiceCall,
} from "../operations/operation.ts";
import { type Address, requireBucketName, requireKey } from "../router/address.ts";
import type { Tree, TreeName } from "@kelp/wire";
import type { S3Caller } from "../auth/index.ts";
import { S3Error } from "../errors.ts";
import type { S3Request } from "../request.ts";
import { noSuchBucket } from "../operations/refusals.ts";
import { assert, unreachable } from "@kelp/base";

/** One authenticated request on its way to its operation. */
export interface Dispatch {
  readonly request: S3Request;
  readonly address: Address;
  readonly caller: S3Caller;
  readonly store: Store;
  readonly body: RequestBody;
  /** Makes the signal when an operation first asks for it. */
  readonly signal: () => AbortSignal;
}

/** Authorises, finds the bucket, and runs the operation, in this order: who may not look learns nothing. */
export async function runOperation(operation: Operation, dispatch: Dispatch): Promise<Reply> {
  const { request, address, store } = dispatch;
  const call = new Call(dispatch);
  if (operation.level === "service") {
    authorise(call, operation.access(request));
    return operation.handle(call);
  }
  assert(address.level !== "service", "the route table keeps levels apart");
  const bucket = requireBucketName(address.bucket);
  switch (operation.level) {
    case "bucket-name":
      authorise(call, operation.access(request, bucket));
      return operation.handle(Object.assign(call, { bucket }));
    case "bucket": {
      authorise(call, operation.access(request, bucket));
      const tree = await requireBucket(request, store, bucket);
      return operation.handle(Object.assign(call, { bucket, tree }));
    }
    case "object": {
      assert(address.level === "object", "the route table keeps levels apart");
      const key = requireKey(address.key);
      authorise(call, operation.access(request, bucket, key));
      const tree = await requireBucket(request, store, bucket);
      return operation.handle(Object.assign(call, { bucket, tree, key }));
    }
    default:
      return unreachable(operation);
  }
}

class Call implements ServiceCall {
  readonly request: S3Request;
  readonly caller: S3Caller;
  readonly store: Store;
  readonly body: RequestBody;
  readonly #signal: () => AbortSignal;

  constructor(dispatch: Dispatch) {
    this.request = dispatch.request;
    this.caller = dispatch.caller;
    this.store = dispatch.store;
    this.body = dispatch.body;
    this.#signal = dispatch.signal;
  }

  get signal(): AbortSignal {
    return this.#signal();
  }
}

function authorise(call: ServiceCall, accesses: readonly Access[]): void {
  const { principal } = call.caller;
  // What an operation authorises item by item is for proven callers: a stranger shall not even learn that a bucket is.
  if (accesses.length === 0 && principal.kind === "anonymous") throw new S3Error("AccessDenied");
  for (const { action, resource } of accesses) {
    const decision = call.store.authorizer.authorize({ principal, action, resource });
    if (decision.kind === "deny") throw new S3Error("AccessDenied");
  }
}

/** Only trees of kind bucket are buckets: the name of another tree is as absent as any. */
async function requireBucket(request: S3Request, store: Store, bucket: TreeName): Promise<Tree> {
  const tree = await store.filer.getTree(bucket);
  if (tree?.kind !== "bucket") throw noSuchBucket(bucket);
  const expectedOwner = headerText(request.headers, "x-amz-expected-bucket-owner");
  if (expectedOwner !== undefined && expectedOwner !== tree.owner)
    throw new S3Error("AccessDenied");
  return tree;
}
