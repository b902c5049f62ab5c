import { headerText } from "@kelp/base/http";
import { writeAccess } from "./write-access.ts";
import {
  type Attributes,
  type CompleteRefusal,
  type CompleteUpload,
  type Entry,
  OBJECT_BYTES_MAX,
  PART_BYTES_MIN,
  type Part,
  type Upload,
  type UploadId,
} from "@kelp/wire";
import { type Hashes, hex, joinBytes, unreachable } from "@kelp/base";
import {
  CHECKSUM_ALGORITHMS,
  type StoredChecksum,
  checksumAttributeName,
  checksumElementName,
  checksumOfParts,
  parseChecksumType,
  planOf,
  storedChecksumAttributes,
  storedChecksums,
} from "./checksums.ts";
import { type NamedPart, parseCompleteDocument } from "./complete-document.ts";
import { type ObjectCall, type Operation, xmlReply } from "./operation.ts";
import { element, xmlDocument } from "../xml/builder.ts";
import { requireUploadId, uploadRefused } from "./uploads.ts";
import { S3Error } from "../errors.ts";
import { conditionFailed, noSuchUpload } from "./refusals.ts";
import { describingAttributes } from "../http/attributes.ts";
import { parseWriteCondition } from "../http/conditions.ts";
import { partSizesAttributes } from "./part-sizes.ts";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";

export const completeMultipartUpload: Operation = {
  level: "object",
  name: "CompleteMultipartUpload",
  access: writeAccess("s3:PutObject"),
  async handle(call) {
    refuseUnsupportedHeaders(call.request.headers);
    const condition = parseWriteCondition(call.request.headers);
    const id = requireUploadId(call.request);
    await refuseOtherKey(call, id);
    // The checksum headers of this request speak of the object, not of the document in its body.
    const { bytes } = await call.body.document("ignore");
    const named = parseCompleteDocument(bytes);
    const completed = await call.store.filer.completeUpload({
      tree: call.bucket,
      id,
      parts: named.map(({ number, etag }) => ({ number, etag })),
      partBytesMin: PART_BYTES_MIN,
      describe: (parts, upload) => describeObject(call, named, parts, upload),
      ...(condition !== undefined && { condition }),
    });
    if (completed.kind === "refused") throw completeRefused(completed.refusal, call, id);
    if (completed.value.path !== call.key) throw noSuchUpload(id);
    return completedReply(call, completed.value);
  },
};

/**
 * An id opens only the key that it was made for. An upload that is gone may have been completed by an earlier
 * request whose answer was lost: the filer knows, and gives the entry again.
 */
async function refuseOtherKey(call: ObjectCall, id: UploadId): Promise<void> {
  const found = await call.store.filer.getUpload(call.bucket, id);
  if (found.kind === "ok" && found.value.path !== call.key) throw noSuchUpload(id);
}

function describeObject(
  call: ObjectCall,
  named: readonly NamedPart[],
  parts: readonly Part[],
  upload: Upload,
): ReturnType<CompleteUpload["describe"]> {
  const { hashes } = call.store;
  compareChecksums(named, parts);
  compareSize(call, parts);
  const plan = planOf(upload.attributes);
  const checksum = plan === undefined ? undefined : checksumOfParts(plan, parts, hashes);
  compareChecksum(call, checksum);
  const attributes: Attributes = {
    ...describingAttributes(upload.attributes),
    ...partSizesAttributes(parts.map((part) => part.sizeBytes)),
    ...(checksum !== undefined && storedChecksumAttributes(checksum)),
  };
  return { etag: etagOfParts(parts, hashes), attributes };
}

/** MD5 of the binary MD5s of the parts, and their count. */
function etagOfParts(parts: readonly Part[], hashes: Hashes): string {
  const digests = parts.map((part) => Buffer.from(part.etag, "hex"));
  return `${hex(hashes.digest("md5", joinBytes(digests)))}-${parts.length}`;
}

function compareChecksums(named: readonly NamedPart[], parts: readonly Part[]): void {
  for (const [index, part] of parts.entries()) {
    for (const checksum of named[index]?.checksums ?? []) {
      const stored = part.attributes[checksumAttributeName(checksum.algorithm)];
      if (stored !== undefined && stored !== checksum.base64) throw invalidPart(part.number);
    }
  }
}

function compareSize(call: ObjectCall, parts: readonly Part[]): void {
  const text = headerText(call.request.headers, "x-amz-mp-object-size");
  if (text === undefined) return;
  const sizeBytes = parts.reduce((total, part) => total + part.sizeBytes, 0);
  if (text === String(sizeBytes)) return;
  throw new S3Error("InvalidRequest", "The object size does not match the parts");
}

/** What the client says of the whole object must be what came out of its parts. */
function compareChecksum(call: ObjectCall, computed: StoredChecksum | undefined): void {
  const { headers } = call.request;
  const type = parseChecksumType(headerText(headers, "x-amz-checksum-type"));
  if (type !== undefined && computed !== undefined && type !== computed.type) {
    throw new S3Error(
      "InvalidRequest",
      "The checksum type is not the one the upload was made with",
    );
  }
  for (const algorithm of CHECKSUM_ALGORITHMS) {
    const expected = headerText(headers, checksumAttributeName(algorithm));
    if (expected === undefined) continue;
    if (computed?.algorithm !== algorithm) {
      throw new S3Error("InvalidRequest", "The upload was not made with this checksum algorithm");
    }
    if (computed.value !== expected && computed.value !== `${expected}-${partCountOf(computed)}`) {
      throw new S3Error("BadDigest");
    }
  }
}

/** Clients send a composite value with or without its count. */
function partCountOf(checksum: StoredChecksum): string {
  return checksum.value.slice(checksum.value.lastIndexOf("-") + 1);
}

function completeRefused(refusal: CompleteRefusal, call: ObjectCall, id: UploadId): Error {
  if (refusal === "quota-exceeded") return new S3Error("QuotaExceeded");
  if (typeof refusal === "string") return uploadRefused(refusal, call.bucket, id);
  switch (refusal.kind) {
    case "invalid-part":
      return invalidPart(refusal.number);
    case "part-too-small":
      return new S3Error("EntityTooSmall", undefined, {
        details: {
          PartNumber: String(refusal.number),
          ProposedSize: String(refusal.sizeBytes),
          MinSizeAllowed: String(PART_BYTES_MIN),
        },
      });
    case "too-large":
      return new S3Error("EntityTooLarge", undefined, {
        details: {
          ProposedSize: String(refusal.sizeBytes),
          MaxSizeAllowed: String(OBJECT_BYTES_MAX),
        },
      });
    case "condition-failed":
      return conditionFailed(refusal, call.key);
    default:
      return unreachable(refusal);
  }
}

function invalidPart(number: number): S3Error {
  return new S3Error("InvalidPart", undefined, { details: { PartNumber: String(number) } });
}

function completedReply(call: ObjectCall, entry: Entry): ReturnType<typeof xmlReply> {
  const checksums = storedChecksums(entry.attributes)
    .map(
      (checksum) =>
        element(checksumElementName(checksum.algorithm), checksum.value) +
        element("ChecksumType", checksum.type),
    )
    .join("");
  const scheme = call.request.isSecure ? "https" : "http";
  const host = headerText(call.request.headers, "host") ?? "";
  return xmlReply(
    xmlDocument(
      "CompleteMultipartUploadResult",
      element("Location", `${scheme}://${host}${call.request.rawPath}`) +
        element("Bucket", call.bucket) +
        element("Key", call.key) +
        element("ETag", `"${entry.etag}"`) +
        checksums,
    ),
  );
}
