import { type Body, base64 } from "@kelp/base";
import { type Part, type Upload } from "@kelp/wire";
import type { ObjectCall } from "./operation.ts";
import type { VerifiedChecksum } from "../body/index.ts";
import { checksumAttributes, planOf } from "./checksums.ts";
import { S3Error } from "../errors.ts";
import { hashedBody } from "./body-streams.ts";
import { uploadRefused } from "./uploads.ts";

/**
 * Stores one part. When the upload promises a checksum that the client does not send with the part, it is computed
 * here, so that the object's can always be had from its parts.
 */
export async function writePart(
  call: ObjectCall,
  part: {
    readonly upload: Upload;
    readonly number: number;
    readonly body: Body;
    /** Checksums that will have been verified when the body has ended. */
    readonly announced: readonly string[];
    readonly verified: () => readonly VerifiedChecksum[];
    /** For a body that does not end by itself when the client is gone. */
    readonly signal?: AbortSignal;
  },
): Promise<Part> {
  const { filer, hashes } = call.store;
  const { upload, verified } = part;
  const plan = planOf(upload.attributes);
  const missing = plan !== undefined && !part.announced.includes(plan.algorithm) ? plan : undefined;
  const hasher = missing === undefined ? undefined : hashes.create(missing.algorithm);
  const written = await filer.writePart({
    tree: call.bucket,
    id: upload.id,
    number: part.number,
    body: hasher === undefined ? part.body : hashedBody(part.body, hasher),
    describe: () => {
      const checksums = [...verified()];
      if (missing !== undefined && hasher !== undefined) {
        checksums.push({ algorithm: missing.algorithm, base64: base64(hasher.digest()) });
      }
      return { attributes: checksumAttributes(checksums) };
    },
    ...(part.signal !== undefined && { signal: part.signal }),
  });
  if (written.kind === "ok") return written.value;
  if (written.refusal === "quota-exceeded") throw new S3Error("QuotaExceeded");
  throw uploadRefused(written.refusal, call.bucket, upload.id);
}
