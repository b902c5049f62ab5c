import { isoDate } from "@kelp/base/http";
import { LIST_KEYS_MAX, type Part, type UploadId, objectArn } from "@kelp/wire";
import { type ObjectCall, type Operation, xmlReply } from "./operation.ts";
import { checksumElementName, planOf, storedChecksums } from "./checksums.ts";
import { element, xmlDocument } from "../xml/builder.ts";
import { invalidArgument, queryLimit, queryValue } from "./query.ts";
import { requireUpload, requireUploadId, uploadRefused } from "./uploads.ts";
import type { S3Request } from "../request.ts";

export const listParts: Operation = {
  level: "object",
  name: "ListParts",
  access: (_request, bucket, key) => [
    { action: "s3:ListMultipartUploadParts", resource: objectArn(bucket, key) },
  ],
  async handle(call) {
    const { request } = call;
    const id = requireUploadId(request);
    const limit = queryLimit(request, "max-parts", LIST_KEYS_MAX);
    const afterNumber = parseMarker(request);
    const upload = await requireUpload(call, id);
    const page = await readPage(call, id, { afterNumber, limit });
    const plan = planOf(upload.attributes);
    const last = page.parts.at(-1)?.number ?? 0;
    return xmlReply(
      xmlDocument(
        "ListPartsResult",
        element("Bucket", call.bucket) +
          element("Key", call.key) +
          element("UploadId", id) +
          `<Initiator>${element("ID", upload.owner)}${element("DisplayName", upload.owner)}</Initiator>` +
          `<Owner>${element("ID", call.tree.owner)}${element("DisplayName", call.tree.owner)}</Owner>` +
          element("StorageClass", "STANDARD") +
          element("PartNumberMarker", afterNumber) +
          element("NextPartNumberMarker", last) +
          element("MaxParts", limit) +
          element("IsTruncated", page.isTruncated) +
          (plan === undefined
            ? ""
            : element("ChecksumAlgorithm", plan.algorithm.toUpperCase()) +
              element("ChecksumType", plan.type)) +
          page.parts.map(partLine).join(""),
      ),
    );
  },
};

async function readPage(
  call: ObjectCall,
  id: UploadId,
  query: { readonly afterNumber: number; readonly limit: number },
): Promise<{ readonly parts: readonly Part[]; readonly isTruncated: boolean }> {
  if (query.limit === 0) return { parts: [], isTruncated: false };
  const listed = await call.store.filer.listParts(call.bucket, id, query);
  if (listed.kind === "refused") throw uploadRefused(listed.refusal, call.bucket, id);
  return listed.value;
}

function partLine(part: Part): string {
  const checksums = storedChecksums(part.attributes)
    .map((checksum) => element(checksumElementName(checksum.algorithm), checksum.value))
    .join("");
  return `<Part>${element("PartNumber", part.number)}${element("LastModified", isoDate(part.modifiedMs))}${element("ETag", `"${part.etag}"`)}${element("Size", part.sizeBytes)}${checksums}</Part>`;
}

function parseMarker(request: S3Request): number {
  const text = queryValue(request, "part-number-marker");
  if (text === undefined || text === "") return 0;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalidArgument("part-number-marker", text, "is not a number");
}
