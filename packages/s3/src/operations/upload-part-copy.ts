import { headerText, isoDate } from "@kelp/base/http";
import { OBJECT_PUT_BYTES_MAX } from "@kelp/wire";
import type { Entry } from "@kelp/wire";
import { type Operation, xmlReply } from "./operation.ts";
import { checksumElementName, storedChecksums } from "./checksums.ts";
import { copyAccess, parseCopySource, requireSource, sourceBody } from "./copy-source.ts";
import { element, xmlDocument } from "../xml/builder.ts";
import { requirePartNumber, requireUpload, requireUploadId } from "./uploads.ts";
import { S3Error } from "../errors.ts";
import { invalidArgument } from "./query.ts";
import { parseCopyRange } from "../http/copy-range.ts";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";
import { writePart } from "./write-part.ts";

export const uploadPartCopy: Operation = {
  level: "object",
  name: "UploadPartCopy",
  access: copyAccess,
  async handle(call) {
    const { request } = call;
    refuseUnsupportedHeaders(request.headers);
    const id = requireUploadId(request);
    const number = requirePartNumber(request);
    const upload = await requireUpload(call, id);
    const entry = await requireSource(call, parseCopySource(request));
    const range = chooseRange(headerText(request.headers, "x-amz-copy-source-range"), entry);
    if (range.end - range.start > OBJECT_PUT_BYTES_MAX) {
      throw new S3Error("InvalidRequest", "The source of a part is larger than a part may be");
    }
    const part = await writePart(call, {
      upload,
      number,
      body: sourceBody(call, entry, range),
      announced: [],
      verified: () => [],
      signal: call.signal,
    });
    const checksums = storedChecksums(part.attributes)
      .map((checksum) => element(checksumElementName(checksum.algorithm), checksum.value))
      .join("");
    return xmlReply(
      xmlDocument(
        "CopyPartResult",
        `${element("LastModified", isoDate(part.modifiedMs))}${element("ETag", `"${part.etag}"`)}${checksums}`,
      ),
    );
  },
};

function chooseRange(header: string | undefined, entry: Entry): { start: number; end: number } {
  if (header === undefined) return { start: 0, end: entry.sizeBytes };
  const range = parseCopyRange(header, entry.sizeBytes);
  if (range !== undefined) return range;
  if (!/^bytes=\d{1,16}-\d{1,16}$/.test(header)) {
    throw invalidArgument("x-amz-copy-source-range", header, "must be bytes=first-last");
  }
  throw new S3Error("InvalidRange", undefined, {
    details: { RangeRequested: header, ActualObjectSize: String(entry.sizeBytes) },
  });
}
