import { isoDate } from "@kelp/base/http";
import { LIST_KEYS_MAX, type ListUploadsPage, type Upload, bucketArn } from "@kelp/wire";
import { type BucketCall, type Operation, xmlReply } from "./operation.ts";
import { element, optionalElement, xmlDocument } from "../xml/builder.ts";
import { queryLimit, queryValue, wantsUrlEncoding } from "./query.ts";
import { noSuchBucket } from "./refusals.ts";
import { percentEncode } from "../http/target.ts";
import { planOf } from "./checksums.ts";

export const listMultipartUploads: Operation = {
  level: "bucket",
  name: "ListMultipartUploads",
  access: (_request, bucket) => [
    { action: "s3:ListBucketMultipartUploads", resource: bucketArn(bucket) },
  ],
  async handle(call) {
    const { request } = call;
    const limit = queryLimit(request, "max-uploads", LIST_KEYS_MAX);
    const isEncoded = wantsUrlEncoding(request);
    const encode = isEncoded ? percentEncode : (text: string) => text;
    const prefix = queryValue(request, "prefix") ?? "";
    const delimiter = queryValue(request, "delimiter") ?? "";
    const keyMarker = queryValue(request, "key-marker") ?? "";
    // Without a key marker there is no upload that an id marker could mean (S3 ignores it too).
    const idMarker = keyMarker === "" ? "" : (queryValue(request, "upload-id-marker") ?? "");
    const page = await readPage(call, { limit, prefix, delimiter, keyMarker, idMarker });
    let uploads = "";
    let prefixes = "";
    for (const item of page.items) {
      if (item.kind === "upload") uploads += uploadLine(item.upload, call.tree.owner, encode);
      else prefixes += `<CommonPrefixes>${element("Prefix", encode(item.prefix))}</CommonPrefixes>`;
    }
    return xmlReply(
      xmlDocument(
        "ListMultipartUploadsResult",
        element("Bucket", call.bucket) +
          element("KeyMarker", encode(keyMarker)) +
          element("UploadIdMarker", idMarker) +
          (page.next === undefined
            ? ""
            : element("NextKeyMarker", encode(page.next.path)) +
              element("NextUploadIdMarker", page.next.id)) +
          element("Prefix", encode(prefix)) +
          (delimiter === "" ? "" : element("Delimiter", encode(delimiter))) +
          element("MaxUploads", limit) +
          optionalElement("EncodingType", isEncoded ? "url" : undefined) +
          element("IsTruncated", page.next !== undefined) +
          uploads +
          prefixes,
      ),
    );
  },
};

interface UploadsQuery {
  readonly limit: number;
  readonly prefix: string;
  readonly delimiter: string;
  readonly keyMarker: string;
  readonly idMarker: string;
}

async function readPage(call: BucketCall, query: UploadsQuery): Promise<ListUploadsPage> {
  if (query.limit === 0) return { items: [], next: undefined };
  const listed = await call.store.filer.listUploads(call.bucket, {
    limit: query.limit,
    ...(query.prefix !== "" && { prefix: query.prefix }),
    ...(query.delimiter !== "" && { delimiter: query.delimiter }),
    ...(query.keyMarker !== "" && { afterPath: query.keyMarker }),
    ...(query.idMarker !== "" && { afterId: query.idMarker }),
  });
  if (listed.kind === "refused") throw noSuchBucket(call.bucket);
  return listed.value;
}

function uploadLine(upload: Upload, owner: string, encode: (text: string) => string): string {
  const plan = planOf(upload.attributes);
  const checksum =
    plan === undefined
      ? ""
      : element("ChecksumAlgorithm", plan.algorithm.toUpperCase()) +
        element("ChecksumType", plan.type);
  return (
    `<Upload>${element("Key", encode(upload.path))}${element("UploadId", upload.id)}` +
    `<Initiator>${element("ID", upload.owner)}${element("DisplayName", upload.owner)}</Initiator>` +
    `<Owner>${element("ID", owner)}${element("DisplayName", owner)}</Owner>` +
    `${element("StorageClass", "STANDARD")}${element("Initiated", isoDate(upload.createdMs))}${checksum}</Upload>`
  );
}
