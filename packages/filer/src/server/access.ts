import { HttpError } from "@kelp/base/http";
import {
  type Authorizer,
  type DoorCaller,
  type TreeName,
  bucketArn,
  mayAccess,
  objectArn,
  serviceArn,
} from "@kelp/wire";
import { ROOT_TREE } from "./filer-path.ts";

/** What may be done with a path. In a bucket these are the rights of the S3 door, elsewhere the filer's own. */
export type Right = "read" | "list" | "write" | "delete" | "tag";

const S3_ACTIONS = {
  read: "s3:GetObject",
  list: "s3:ListBucket",
  write: "s3:PutObject",
  delete: "s3:DeleteObject",
  tag: "s3:PutObjectTagging",
} as const satisfies Record<Right, string>;

const FILER_ACTIONS = {
  read: "filer:Read",
  list: "filer:List",
  write: "filer:Write",
  delete: "filer:Delete",
  tag: "filer:Write",
} as const satisfies Record<Right, string>;

/** Methods of which a signed token must name one, for what it is to be good for. */
const METHODS = {
  read: ["GET", "HEAD"],
  list: ["GET", "HEAD"],
  write: ["PUT", "POST"],
  delete: ["DELETE"],
  tag: ["PUT", "POST", "DELETE"],
} as const satisfies Record<Right, readonly string[]>;

/** A thing in a tree: a key, a folder with its slash, or the top as an empty key. */
export interface Target {
  readonly tree: TreeName;
  readonly key: string;
}

/** What one caller may do here. */
export class Access {
  readonly #authorizer: Authorizer;
  readonly #caller: DoorCaller;
  readonly #method: string;

  constructor(authorizer: Authorizer, caller: DoorCaller, method: string) {
    this.#authorizer = authorizer;
    this.#caller = caller;
    this.#method = method;
  }

  /** Name of who makes things now. */
  get owner(): string {
    return this.#caller.kind === "principal" ? this.#caller.principal.name : "root";
  }

  /** Throws `HttpError` 403. */
  require(right: Right, target: Target): void {
    if (!this.may(right, target)) throw new HttpError(403, "Access denied");
  }

  may(right: Right, target: Target): boolean {
    if (this.#caller.kind === "bearer") return this.#isGranted(right, pathText(target));
    if (target.tree === ROOT_TREE) {
      return this.#mayDo(FILER_ACTIONS[right], serviceArn("filer", `/${target.key}`));
    }
    const resource = right === "list" ? bucketArn(target.tree) : objectArn(target.tree, target.key);
    return this.#mayDo(S3_ACTIONS[right], resource);
  }

  /** Whether a right to a folder is one to all that is below it: nobody can have said otherwise of an entry. */
  get coversAllBelow(): boolean {
    return this.#caller.kind === "bearer" || this.#caller.principal.kind === "root";
  }

  mayListBuckets(): boolean {
    if (this.#caller.kind === "bearer") return this.#isGranted("list", "/buckets");
    return this.#mayDo("s3:ListAllMyBuckets", bucketArn(""));
  }

  requireBucketRight(action: "s3:CreateBucket" | "s3:DeleteBucket", bucket: TreeName): void {
    const right = action === "s3:CreateBucket" ? "write" : "delete";
    const isAllowed =
      this.#caller.kind === "bearer"
        ? this.#isGranted(right, `/buckets/${bucket}`)
        : this.#mayDo(action, bucketArn(bucket));
    if (!isAllowed) throw new HttpError(403, "Access denied");
  }

  #mayDo(action: string, resource: string): boolean {
    return mayAccess(this.#authorizer, this.#caller, { action, resource });
  }

  #isGranted(right: Right, text: string): boolean {
    if (this.#caller.kind !== "bearer" || this.#caller.grant.kind !== "path") return false;
    const { prefixes, methods } = this.#caller.grant;
    if (methods.length > 0) {
      const named = (method: string): boolean => methods.includes(method);
      const isSame = this.#method === "HEAD" ? named("HEAD") || named("GET") : named(this.#method);
      if (!isSame || !METHODS[right].some(named)) return false;
    }
    return prefixes.length === 0 || prefixes.some((prefix) => isBelow(text, prefix));
  }
}

/** Whether a path is the prefix or below it: `/a` covers `/a` and `/a/b`, and not `/ab`. */
function isBelow(text: string, prefix: string): boolean {
  const folder = prefix.endsWith("/") ? prefix : `${prefix}/`;
  return text.startsWith(folder) || `${text}/` === folder;
}

function pathText({ tree, key }: Target): string {
  return tree === ROOT_TREE ? `/${key}` : `/buckets/${tree}/${key}`;
}
