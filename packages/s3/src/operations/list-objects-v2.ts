import { LIST_KEYS_MAX, bucketArn } from "@kelp/wire";
import { type Operation, xmlReply } from "./operation.ts";
import { decodeToken, encodeToken } from "./tokens.ts";
import { element, optionalElement, xmlDocument } from "../xml/builder.ts";
import { pageLines, readPage } from "./list-page.ts";
import { queryLimit, queryValue, wantsUrlEncoding } from "./query.ts";
import { S3Error } from "../errors.ts";
import { percentEncode } from "../http/target.ts";

export const listObjectsV2: Operation = {
  level: "bucket",
  name: "ListObjectsV2",
  access: (_request, bucket) => [{ action: "s3:ListBucket", resource: bucketArn(bucket) }],
  async handle(call) {
    const { request, store } = call;
    const limit = queryLimit(request, "max-keys", LIST_KEYS_MAX);
    const isEncoded = wantsUrlEncoding(request);
    const encode = isEncoded ? percentEncode : (text: string) => text;
    const prefix = queryValue(request, "prefix") ?? "";
    const delimiter = queryValue(request, "delimiter") ?? "";
    const startAfter = queryValue(request, "start-after") ?? "";
    const token = queryValue(request, "continuation-token");
    if (token === "") {
      throw new S3Error("InvalidArgument", "The continuation token provided is incorrect");
    }
    const after = token === undefined ? startAfter : decodeToken(token, store.hashes);
    const page = await readPage(call, { prefix, delimiter, after, limit });
    const next = page.next === undefined ? undefined : encodeToken(page.next, store.hashes);
    const showsOwner = queryValue(request, "fetch-owner")?.toLowerCase() === "true";
    return xmlReply(
      xmlDocument(
        "ListBucketResult",
        element("Name", call.bucket) +
          element("Prefix", encode(prefix)) +
          (startAfter === "" ? "" : element("StartAfter", encode(startAfter))) +
          optionalElement("ContinuationToken", token) +
          optionalElement("NextContinuationToken", next) +
          element("KeyCount", page.items.length) +
          element("MaxKeys", limit) +
          (delimiter === "" ? "" : element("Delimiter", encode(delimiter))) +
          optionalElement("EncodingType", isEncoded ? "url" : undefined) +
          element("IsTruncated", next !== undefined) +
          pageLines(page, { isEncoded, owner: showsOwner ? call.tree.owner : undefined }),
      ),
    );
  },
};
