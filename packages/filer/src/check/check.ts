import { referencesOf } from "../collect/named-needle.ts";
import { UnknownNeedles } from "../collect/unknown-needles.ts";
import type { VolumeId } from "@kelp/wire";
import { UNKNOWN_NEEDLES_MAX } from "../limits.ts";
import { inlineBytesOf } from "../seal/stored-bytes.ts";
import { NamedWithoutReference, checkVolume, isAbsent, isUnusable } from "./check-volume.ts";
import { freedLists, namedChunks } from "./listed-chunks.ts";
import type { CheckDeps, CheckFinding, CheckOptions } from "./finding.ts";
import type { FilerStore } from "../store/filer-store.ts";

/**
 * Checks every needle and entry against each other, giving findings as they come. It may run beside writes: what looks
 * wrong is looked at again before it is reported. Memory: the sizes of one volume's needles, and `UNKNOWN_NEEDLES_MAX`.
 */
export async function* checkFiler(
  deps: CheckDeps,
  options: CheckOptions = {},
): AsyncGenerator<CheckFinding> {
  const named = new NamedWithoutReference();
  for await (const finding of checkStore(deps)) {
    if (finding.kind === "unreferenced-chunk") named.add(finding.fid);
    yield finding;
  }
  const volumes = await deps.volumes.volumes();
  const unknown = new UnknownNeedles(options.needlesAtOnce ?? UNKNOWN_NEEDLES_MAX);
  const checked = new Set<VolumeId>();
  for (const { id, collection } of volumes) {
    const isOwn = collection === deps.collection;
    checked.add(id);
    const namedCount = isOwn ? 0 : countReferences(deps.store, id);
    if (namedCount > 0) yield { kind: "shared-volume", volumeId: id, collection, namedCount };
    try {
      yield* checkVolume({ ...deps, unknown, named, isOwn }, id, options);
    } catch (error) {
      // Nothing is known of what it holds, so nothing can be said to be absent.
      if (!isUnusable(error)) throw error;
      yield unreadableVolume(deps.store, id, error);
    }
  }
  for (const content of deps.store.scanContents()) {
    options.signal?.throwIfAborted();
    for await (const { fid } of namedChunks(deps, content.chunks)) {
      if (checked.has(fid.volumeId)) continue;
      if ((await isAbsent(deps, fid)) && deps.store.isReferenced(fid)) {
        yield { kind: "missing-chunk", fid };
      }
    }
  }
}

function unreadableVolume(store: FilerStore, id: VolumeId, error: unknown): CheckFinding {
  return {
    kind: "unreadable-volume",
    volumeId: id,
    namedCount: countReferences(store, id),
    reason: withCause(error),
  };
}

/** What helps may only be in the cause. */
function withCause(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message;
}

function countReferences(store: FilerStore, id: VolumeId): number {
  let count = 0;
  for (const _chunk of referencesOf(store, id)) count += 1;
  return count;
}

/** The store against itself: sizes, references, counters. */
async function* checkStore(deps: CheckDeps): AsyncGenerator<CheckFinding> {
  const { store } = deps;
  const named = new NamedCount();
  // What an unreadable manifest lists cannot be counted; the needle itself is reported by the check of its volume.
  let isWhole = true;
  const noteUnreadable = (): void => {
    isWhole = false;
  };
  for (const {
    owner,
    sizeBytes,
    chunks,
    holders,
    inlineBytes = 0,
    damage,
  } of store.scanContents()) {
    if (damage !== undefined) {
      yield { kind: "damaged-entry", owner, reason: damage };
      continue;
    }
    let chunkBytes = inlineBytesOf(inlineBytes, sizeBytes);
    for (const chunk of chunks) chunkBytes += chunk.sizeBytes;
    for await (const chunk of namedChunks(deps, chunks, noteUnreadable)) {
      named.add(holders);
      if (!store.isReferenced(chunk.fid))
        yield { kind: "unreferenced-chunk", owner, fid: chunk.fid };
    }
    if (chunkBytes !== sizeBytes)
      yield { kind: "content-size-differs", owner, sizeBytes, chunkBytes };
  }
  for await (const chunk of freedLists(deps, noteUnreadable)) {
    if (store.isReferenced(chunk.fid)) named.add(1);
  }
  const references = store.referenceCount();
  if (isWhole && references !== named.total)
    yield { kind: "reference-count-differs", references, named: named.total };
  for (const found of store.countHolders()) yield { kind: "holders-differ", ...found };
  for (const { tree, counter, counted } of store.countUsage()) {
    const [left, right] = [JSON.stringify(counter), JSON.stringify(counted)];
    if (left !== right) yield { kind: "usage-differs", tree, counter: left, counted: right };
  }
}

/** Counts each chunk once, however many rows name its content: each of n rows adds an n-th. */
class NamedCount {
  readonly #byHolders = new Map<number, number>();

  add(holders: number): void {
    this.#byHolders.set(holders, (this.#byHolders.get(holders) ?? 0) + 1);
  }

  get total(): number {
    let total = 0;
    for (const [holders, count] of this.#byHolders) total += count / holders;
    return total;
  }
}
