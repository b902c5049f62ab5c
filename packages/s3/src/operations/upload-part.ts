import { headerText } from "@kelp/base/http";
import { OBJECT_PUT_BYTES_MAX, objectArn } from "@kelp/wire";
import { type Operation, emptyReply } from "./operation.ts";
import { requirePartNumber, requireUpload, requireUploadId } from "./uploads.ts";
import type { RequestHeaders } from "@kelp/base/http1";
import { S3Error } from "../errors.ts";
import { addChecksumHeaders } from "./checksums.ts";
import { boundedBody } from "./body-streams.ts";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";
import { writePart } from "./write-part.ts";

export const uploadPart: Operation = {
  level: "object",
  name: "UploadPart",
  access: (_request, bucket, key) => [{ action: "s3:PutObject", resource: objectArn(bucket, key) }],
  async handle(call) {
    const { request } = call;
    refuseUnsupportedHeaders(request.headers);
    const id = requireUploadId(request);
    const number = requirePartNumber(request);
    const upload = await requireUpload(call, id);
    const { body, sizeBytes, verified } = await call.body.open();
    if (sizeBytes !== undefined && sizeBytes > OBJECT_PUT_BYTES_MAX) {
      throw new S3Error("EntityTooLarge");
    }
    const part = await writePart(call, {
      upload,
      number,
      body: boundedBody(body, OBJECT_PUT_BYTES_MAX),
      announced: announcedChecksums(request.headers),
      verified,
    });
    const reply: Record<string, string> = { ETag: `"${part.etag}"` };
    addChecksumHeaders(reply, part.attributes);
    delete reply["x-amz-checksum-type"];
    return emptyReply(200, reply);
  },
};

/** Algorithms whose checksum stands in a header or is announced as a trailer. */
function announcedChecksums(headers: RequestHeaders): string[] {
  const prefix = "x-amz-checksum-";
  const trailers = (headerText(headers, "x-amz-trailer") ?? "").toLowerCase().split(",");
  const names = [...Object.keys(headers), ...trailers.map((name) => name.trim())];
  return names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
}
