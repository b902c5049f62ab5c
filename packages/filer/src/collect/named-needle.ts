import type { Fid } from "@kelp/wire";
import type { References } from "../store/filer-store.ts";

/**
 * Whether a chunk that is named has this needle, whatever the cookie. A needle under another cookie than its name has is
 * damaged, not left over: freeing it would make the damage final.
 */
export function isNamedNeedle(store: Pick<References, "listReferences">, fid: Fid): boolean {
  const after: Fid = { ...fid, cookie: 0 };
  const [next] = store.listReferences({ volumeId: fid.volumeId, after, limit: 1 });
  return next?.fid.needleId === fid.needleId;
}
