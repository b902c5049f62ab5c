import { headerText, isoDate } from "@kelp/base/http";
import { type Attributes, type Entry, OBJECT_PUT_BYTES_MAX } from "@kelp/wire";
import { attributesFromHeaders, describingAttributes } from "../http/attributes.ts";
import {
  type ChecksumName,
  checksumAttributes,
  checksumElementName,
  parseChecksumName,
  storedChecksums,
} from "./checksums.ts";
import { type ObjectCall, type Operation, xmlReply } from "./operation.ts";
import { copyAccess, parseCopySource, requireSource, sourceBody } from "./copy-source.ts";
import { element, xmlDocument } from "../xml/builder.ts";
import { S3Error } from "../errors.ts";
import { base64 } from "@kelp/base";
import { hashedBody } from "./body-streams.ts";
import { invalidArgument } from "./query.ts";
import { parseWriteCondition } from "../http/conditions.ts";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";
import { writeRefused } from "./refusals.ts";

type Directive = "COPY" | "REPLACE";

/** The copy has bytes of its own, and so an ETag of its own: the MD5 of the whole, also of a multipart source. */
export const copyObject: Operation = {
  level: "object",
  name: "CopyObject",
  access: copyAccess,
  async handle(call) {
    const { headers } = call.request;
    refuseUnsupportedHeaders(headers);
    refuseTaggingDirective(headerText(headers, "x-amz-tagging-directive"));
    const directive = parseDirective(headerText(headers, "x-amz-metadata-directive"));
    const condition = parseWriteCondition(headers);
    const source = parseCopySource(call.request);
    if (directive === "COPY" && source.bucket === call.bucket && source.key === call.key) {
      throw new S3Error(
        "InvalidRequest",
        "An object can be copied to itself only with its metadata replaced",
      );
    }
    const entry = await requireSource(call, source);
    if (entry.sizeBytes > OBJECT_PUT_BYTES_MAX) {
      throw new S3Error("InvalidRequest", "The source of a copy is larger than one copy may be");
    }
    const attributes =
      directive === "REPLACE"
        ? attributesFromHeaders(headers)
        : describingAttributes(entry.attributes);
    const copied = await copyBytes(call, entry, attributes, condition);
    const checksums = storedChecksums(copied.attributes)
      .map(
        (checksum) =>
          element(checksumElementName(checksum.algorithm), checksum.value) +
          element("ChecksumType", checksum.type),
      )
      .join("");
    return xmlReply(
      xmlDocument(
        "CopyObjectResult",
        `${element("LastModified", isoDate(copied.modifiedMs))}${element("ETag", `"${copied.etag}"`)}${checksums}`,
      ),
    );
  },
};

async function copyBytes(
  call: ObjectCall,
  entry: Entry,
  attributes: Attributes,
  condition: ReturnType<typeof parseWriteCondition>,
): Promise<Entry> {
  const { filer, hashes } = call.store;
  const algorithm = chooseChecksum(call, entry);
  const hasher = algorithm === undefined ? undefined : hashes.create(algorithm);
  const body = sourceBody(call, entry, { start: 0, end: entry.sizeBytes });
  const copied = await filer.writeFile({
    tree: call.bucket,
    path: call.key,
    body: hasher === undefined ? body : hashedBody(body, hasher),
    describe: () => ({
      attributes:
        algorithm === undefined || hasher === undefined
          ? attributes
          : {
              ...attributes,
              ...checksumAttributes([{ algorithm, base64: base64(hasher.digest()) }]),
            },
    }),
    signal: call.signal,
    ...(condition !== undefined && { condition }),
  });
  if (copied.kind === "refused") throw writeRefused(copied.refusal, call.bucket, call.key);
  return copied.value;
}

/** The checksum that the client names, else the kind that the source has. Computed anew over the bytes as they are copied. */
function chooseChecksum(call: ObjectCall, source: Entry): ChecksumName | undefined {
  const named = headerText(call.request.headers, "x-amz-checksum-algorithm");
  if (named === undefined) return storedChecksums(source.attributes)[0]?.algorithm;
  const algorithm = parseChecksumName(named);
  if (algorithm !== undefined) return algorithm;
  throw invalidArgument("x-amz-checksum-algorithm", named, "is not known");
}

function parseDirective(text: string | undefined): Directive {
  if (text === undefined || text === "COPY") return "COPY";
  if (text === "REPLACE") return "REPLACE";
  throw invalidArgument("x-amz-metadata-directive", text, "must be COPY or REPLACE");
}

function refuseTaggingDirective(text: string | undefined): void {
  // No object has tags, so that both copying them and replacing them by none come to nothing.
  if (text === undefined || text === "COPY" || text === "REPLACE") return;
  throw invalidArgument("x-amz-tagging-directive", text, "must be COPY or REPLACE");
}
