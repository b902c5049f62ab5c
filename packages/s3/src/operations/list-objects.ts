import { LIST_KEYS_MAX, bucketArn } from "@kelp/wire";
import { type Operation, xmlReply } from "./operation.ts";
import { element, optionalElement, xmlDocument } from "../xml/builder.ts";
import { pageLines, readPage } from "./list-page.ts";
import { queryLimit, queryValue, wantsUrlEncoding } from "./query.ts";
import { percentEncode } from "../http/target.ts";

/** Version 1: a marker that is a key. `NextMarker` stands only beside a delimiter, as S3 has it. */
export const listObjects: Operation = {
  level: "bucket",
  name: "ListObjects",
  access: (_request, bucket) => [{ action: "s3:ListBucket", resource: bucketArn(bucket) }],
  async handle(call) {
    const { request } = call;
    const limit = queryLimit(request, "max-keys", LIST_KEYS_MAX);
    const isEncoded = wantsUrlEncoding(request);
    const encode = isEncoded ? percentEncode : (text: string) => text;
    const prefix = queryValue(request, "prefix") ?? "";
    const delimiter = queryValue(request, "delimiter") ?? "";
    const marker = queryValue(request, "marker") ?? "";
    const page = await readPage(call, { prefix, delimiter, after: marker, limit });
    const showsNext = page.next !== undefined && delimiter !== "";
    return xmlReply(
      xmlDocument(
        "ListBucketResult",
        element("Name", call.bucket) +
          element("Prefix", encode(prefix)) +
          element("Marker", encode(marker)) +
          (showsNext ? element("NextMarker", encode(page.next)) : "") +
          element("MaxKeys", limit) +
          (delimiter === "" ? "" : element("Delimiter", encode(delimiter))) +
          optionalElement("EncodingType", isEncoded ? "url" : undefined) +
          element("IsTruncated", page.next !== undefined) +
          pageLines(page, { isEncoded, owner: call.tree.owner }),
      ),
    );
  },
};
