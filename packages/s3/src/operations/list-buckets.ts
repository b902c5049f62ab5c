import { isoDate } from "@kelp/base/http";
import { type Operation, type ServiceCall, xmlReply } from "./operation.ts";
import { type Tree, bucketArn } from "@kelp/wire";
import { element, optionalElement, xmlDocument } from "../xml/builder.ts";
import { decodeToken, encodeToken } from "./tokens.ts";
import { LIST_BUCKETS_MAX } from "../limits.ts";
import { S3Error } from "../errors.ts";
import { locationOf } from "./location.ts";
import { queryLimit, queryValue } from "./query.ts";

/** Whoever has proven an identity gets an answer, with the buckets that this identity may list. */
export const listBuckets: Operation = {
  level: "service",
  name: "ListBuckets",
  access: () => [],
  async handle(call) {
    const { request, caller, store } = call;
    const limit = queryLimit(request, "max-buckets", LIST_BUCKETS_MAX, 1);
    const prefix = queryValue(request, "prefix") ?? "";
    const region = queryValue(request, "bucket-region");
    const token = queryValue(request, "continuation-token");
    const after = token === undefined || token === "" ? "" : decodeToken(token, store.hashes);
    const maySee = visibility(call);
    const found: Tree[] = [];
    let isTruncated = false;
    for (const tree of await store.filer.listTrees()) {
      if (tree.kind !== "bucket" || tree.name <= after || !tree.name.startsWith(prefix)) continue;
      if (region !== undefined && region !== "" && locationOf(tree, store.region) !== region)
        continue;
      if (!maySee(tree)) continue;
      if (found.length === limit) {
        isTruncated = true;
        break;
      }
      found.push(tree);
    }
    const last = found.at(-1);
    const next =
      isTruncated && last !== undefined ? encodeToken(last.name, store.hashes) : undefined;
    const name = caller.principal.name;
    return xmlReply(
      xmlDocument(
        "ListAllMyBucketsResult",
        `<Owner>${element("ID", name)}${element("DisplayName", name)}</Owner>` +
          `<Buckets>${found.map((tree) => bucketLine(tree, locationOf(tree, store.region))).join("")}</Buckets>` +
          (prefix === "" ? "" : element("Prefix", prefix)) +
          optionalElement("ContinuationToken", next),
      ),
    );
  },
};

/** All buckets for who may list all, else those that the caller may list one by one. */
function visibility(call: ServiceCall): (tree: Tree) => boolean {
  const { authorizer } = call.store;
  const { principal } = call.caller;
  const all = authorizer.authorize({
    principal,
    action: "s3:ListAllMyBuckets",
    resource: bucketArn(""),
  });
  if (all.kind === "allow") return () => true;
  if (all.reason === "explicit") throw new S3Error("AccessDenied");
  return (tree) =>
    authorizer.authorize({ principal, action: "s3:ListBucket", resource: bucketArn(tree.name) })
      .kind === "allow";
}

function bucketLine(tree: Tree, location: string): string {
  return `<Bucket>${element("Name", tree.name)}${element("CreationDate", isoDate(tree.createdMs))}${element("BucketRegion", location)}</Bucket>`;
}
