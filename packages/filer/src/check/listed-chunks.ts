import type { Chunk } from "@kelp/wire";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import { FilerError } from "../errors.ts";
import type { FilerStore } from "../store/filer-store.ts";

const GARBAGE_AT_ONCE = 1000;

interface ListDeps {
  readonly store: Pick<FilerStore, "listGarbage" | "isReferenced">;
  readonly readManifest: ReadManifest;
}

/** A list with what the manifests in it list. What an unreadable manifest lists is passed over, and told. */
export async function* namedChunks(
  deps: Pick<ListDeps, "readManifest">,
  chunks: readonly Chunk[],
  onUnreadable: () => void = () => undefined,
): AsyncGenerator<Chunk> {
  for (const chunk of chunks) {
    yield chunk;
    if (chunk.isManifest !== true) continue;
    let listed: readonly Chunk[] = [];
    try {
      listed = await deps.readManifest(chunk);
    } catch (error) {
      if (!(error instanceof FilerError)) throw error;
      onUnreadable();
    }
    yield* namedChunks(deps, listed, onUnreadable);
  }
}

/** Manifests that wait to be freed and what they list: it is named until then, or about to go with them. */
export async function* freedLists(
  deps: ListDeps,
  onUnreadable: () => void = () => undefined,
): AsyncGenerator<Chunk> {
  let afterId = 0;
  for (;;) {
    const rows = deps.store.listGarbage({
      freedMsMax: Number.MAX_SAFE_INTEGER,
      afterId,
      limit: GARBAGE_AT_ONCE,
    });
    for (const { id, chunks } of rows) {
      afterId = id;
      const manifests = chunks.filter(
        ({ fid, isManifest }) => isManifest === true && !deps.store.isReferenced(fid),
      );
      yield* namedChunks(deps, manifests, onUnreadable);
    }
    if (rows.length < GARBAGE_AT_ONCE) return;
  }
}
