import { type Body, type ByteStream, type Hasher, isByteStream } from "@kelp/base";
import { S3Error } from "../errors.ts";

/** Bodies seen through: counted or hashed on their way, never held. */

/** Ends with `EntityTooLarge` after more than `limitBytes`. */
export function boundedBody(body: Body, limitBytes: number): Body {
  if (isByteStream(body)) return boundedStream(body, limitBytes);
  if (body.length > limitBytes) throw new S3Error("EntityTooLarge");
  return body;
}

/** Feeds every byte to `hasher`. The digest is complete when the body has ended. */
export function hashedBody(body: Body, hasher: Hasher): Body {
  if (isByteStream(body)) return hashedStream(body, hasher);
  hasher.update(body);
  return body;
}

async function* boundedStream(stream: ByteStream, limitBytes: number): ByteStream {
  let sizeBytes = 0;
  for await (const piece of stream) {
    sizeBytes += piece.length;
    if (sizeBytes > limitBytes) throw new S3Error("EntityTooLarge");
    yield piece;
  }
}

async function* hashedStream(stream: ByteStream, hasher: Hasher): ByteStream {
  for await (const piece of stream) {
    hasher.update(piece);
    yield piece;
  }
}
