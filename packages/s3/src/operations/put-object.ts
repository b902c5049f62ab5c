import { writeAccess } from "./write-access.ts";
import { OBJECT_PUT_BYTES_MAX } from "@kelp/wire";
import { type Operation, emptyReply } from "./operation.ts";
import { addChecksumHeaders, checksumAttributes } from "./checksums.ts";
import { S3Error } from "../errors.ts";
import { attributesFromHeaders } from "../http/attributes.ts";
import { boundedBody } from "./body-streams.ts";
import { parseWriteCondition } from "../http/conditions.ts";
import { refuseUnsupportedHeaders } from "../http/unsupported.ts";
import { writeRefused } from "./refusals.ts";

export const putObject: Operation = {
  level: "object",
  name: "PutObject",
  access: writeAccess("s3:PutObject"),
  async handle(call) {
    const { headers } = call.request;
    refuseUnsupportedHeaders(headers);
    const attributes = attributesFromHeaders(headers);
    const condition = parseWriteCondition(headers);
    const { body, sizeBytes, verified } = await call.body.open();
    if (sizeBytes !== undefined && sizeBytes > OBJECT_PUT_BYTES_MAX) {
      throw new S3Error("EntityTooLarge");
    }
    const written = await call.store.filer.writeFile({
      tree: call.bucket,
      path: call.key,
      body: boundedBody(body, OBJECT_PUT_BYTES_MAX),
      describe: () => ({ attributes: { ...attributes, ...checksumAttributes(verified()) } }),
      ...(condition !== undefined && { condition }),
    });
    if (written.kind === "refused") throw writeRefused(written.refusal, call.bucket, call.key);
    const reply: Record<string, string> = { ETag: `"${written.value.etag}"` };
    addChecksumHeaders(reply, written.value.attributes);
    return emptyReply(200, reply);
  },
};
