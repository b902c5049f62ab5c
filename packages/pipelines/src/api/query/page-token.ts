import { z } from "zod";
import { ApiError } from "../errors.ts";

/** Where the next page starts: after the row with this sort key and sequence. */
export interface PagePosition {
  readonly sortKey: string | number;
  readonly sequence: number;
}

const TOKEN = z.tuple([
  z.literal(1),
  z.string(),
  z.union([z.string(), z.number()]),
  z.int().nonnegative(),
]);

/** `query` is everything that decides the order and choice of rows, as text. */
export function formatPageToken(query: string, position: PagePosition): string {
  const content = [1, fingerprint(query), position.sortKey, position.sequence];
  return Buffer.from(JSON.stringify(content)).toString("base64url");
}

/** Throws `ApiError` "invalid-argument" for a token that is none, or belongs to another query. */
export function parsePageToken(query: string, token: string): PagePosition {
  const [, found, sortKey, sequence] = decode(token);
  if (found !== fingerprint(query)) {
    throw new ApiError(
      "invalid-argument",
      "Cannot continue the list: the page token belongs to another sort order, filter or list",
    );
  }
  return { sortKey, sequence };
}

function decode(token: string): z.infer<typeof TOKEN> {
  try {
    return TOKEN.parse(JSON.parse(Buffer.from(token, "base64url").toString()));
  } catch (error) {
    throw new ApiError("invalid-argument", "Cannot continue the list: this is no page token", {
      cause: error,
    });
  }
}

/** FNV-1a of 32 bits: it tells a mix-up from a match; a token grants nothing, so nobody gains by forging one. */
function fingerprint(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}
