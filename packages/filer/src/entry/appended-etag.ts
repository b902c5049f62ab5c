import { type Hashes, hex } from "@kelp/base";
import type { BodySummary, Entry } from "@kelp/wire";

const MULTIPART = /^([0-9a-f]{32})(?:-(\d{1,9}))?$/;

/**
 * The ETag of content that was put together of pieces: the MD5 of what stood there and of what was added, joined and
 * hashed, and the count of pieces, in the form that multipart uploads have. Of two pieces it is what an upload of the two
 * would have. It says nothing that could be checked without knowing the pieces, but changes with every one.
 */
export function appendedEtag(
  hashes: Pick<Hashes, "digest">,
  before: Pick<Entry, "etag">,
  piece: Pick<BodySummary, "md5">,
): string {
  const [, digest, count = "1"] = MULTIPART.exec(before.etag) ?? [];
  const former =
    digest === undefined
      ? hashes.digest("md5", Buffer.from(before.etag))
      : Buffer.from(digest, "hex");
  const joined = hashes.digest("md5", Buffer.concat([former, piece.md5]));
  return `${hex(joined)}-${Number(count) + 1}`;
}
