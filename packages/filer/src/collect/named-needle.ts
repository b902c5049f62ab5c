import type { Chunk, Fid, VolumeId } from "@kelp/wire";
import type { References } from "../store/filer-store.ts";

type Listing = Pick<References, "listReferences">;

const REFERENCES_AT_ONCE = 1000;

/**
 * Whether a chunk that is named has this needle, whatever the cookie. A needle under another cookie than its name has is
 * damaged, not left over: freeing it would make the damage final.
 */
export function isNamedNeedle(store: Listing, fid: Fid): boolean {
  const after: Fid = { ...fid, cookie: 0 };
  const [next] = store.listReferences({ volumeId: fid.volumeId, after, limit: 1 });
  return next?.fid.needleId === fid.needleId;
}

/**
 * The cookies of all chunks in a volume that are named. Cookies are random, so a needle that nothing names and that has one of
 * these is a named one whose id is damaged. Memory: a number for each.
 */
export function namedCookies(store: Listing, volumeId: VolumeId): ReadonlySet<number> {
  const cookies = new Set<number>();
  for (const { fid } of referencesOf(store, volumeId)) cookies.add(fid.cookie);
  return cookies;
}

/** Every chunk in a volume that entries and parts name. */
export function* referencesOf(store: Listing, volumeId: VolumeId): Generator<Chunk> {
  let after: Fid | undefined;
  for (;;) {
    const page: readonly Chunk[] = store.listReferences({
      volumeId,
      after,
      limit: REFERENCES_AT_ONCE,
    });
    yield* page;
    if (page.length < REFERENCES_AT_ONCE) return;
    after = page.at(-1)?.fid;
  }
}
