import { isNamedNeedle, namedCookies, referencesOf } from "../collect/named-needle.ts";
import {
  type Fid,
  type NeedleId,
  type ScannedNeedle,
  type VolumeClient,
  type VolumeId,
  formatFid,
} from "@kelp/wire";
import type { ReadManifest } from "../chunk/manifest-reader.ts";
import { errorCodes } from "../errors.ts";
import { ORPHAN_SUSPECTS_MAX, UNREFERENCED_CHUNKS_KEPT_MAX } from "../limits.ts";
import { inlineBytesOf } from "../seal/stored-bytes.ts";
import { freedLists, namedChunks } from "./listed-chunks.ts";
import { KnownGarbage } from "./known-garbage.ts";
import type { OtherBodies } from "../gateway/gateways.ts";
import type { FilerStore } from "../store/filer-store.ts";

export interface CheckDeps {
  readonly store: FilerStore;
  readonly volumes: VolumeClient;
  readonly readManifest: ReadManifest;
  /** Volumes of this collection belong to the filer. What others hold and no entry names is somebody else's. */
  readonly collection: string;
  readonly isInFlight: (fid: Fid) => boolean;
  readonly others: OtherBodies;
}

export interface CheckOptions {
  /** Removes needles that nothing names. Default `report`. */
  readonly orphans?: "report" | "remove";
  readonly signal?: AbortSignal;
}

/** What does not fit together. */
export type CheckFinding =
  /** A needle that no entry, part, garbage row or running write knows: space lost, nothing else. */
  | {
      readonly kind: "orphan-needle";
      readonly fid: Fid;
      readonly sizeBytes: number;
      readonly isRemoved: boolean;
    }
  /**
   * A damaged record that no entry, part or garbage row names: an append that a crash tore before it was acknowledged, or what
   * was freed since. Space lost, nothing else.
   */
  | {
      readonly kind: "debris";
      readonly volumeId: VolumeId;
      readonly needleId: NeedleId;
      readonly recordBytes: number;
      readonly isRemoved: boolean;
    }
  /** A volume of another collection that has chunks of the filer's: it is not swept, and clients of the volume door may change it. */
  | {
      readonly kind: "shared-volume";
      readonly volumeId: VolumeId;
      readonly collection: string;
      /** Chunks in it that entries and parts name. */
      readonly namedCount: number;
    }
  /** An entry or part whose own row, or whose inline bytes, do not match their checksum: lost data. */
  | { readonly kind: "damaged-entry"; readonly owner: string; readonly reason: string }
  /** A named chunk that no volume holds: lost data. */
  | { readonly kind: "missing-chunk"; readonly fid: Fid }
  /** A volume that cannot be read at all: whatever it holds is lost until it can. */
  | {
      readonly kind: "unreadable-volume";
      readonly volumeId: VolumeId;
      /** Chunks in it that entries and parts name. */
      readonly namedCount: number;
      readonly reason: string;
    }
  | {
      readonly kind: "corrupt-needle";
      readonly volumeId: VolumeId;
      readonly needleId: NeedleId;
      readonly reason: string;
    }
  | {
      readonly kind: "size-differs";
      readonly fid: Fid;
      readonly namedBytes: number;
      readonly storedBytes: number;
    }
  /** An entry or part whose chunks do not add up to its size. */
  | {
      readonly kind: "content-size-differs";
      readonly owner: string;
      readonly sizeBytes: number;
      readonly chunkBytes: number;
    }
  /** An entry or part names a chunk that has no reference row: its chunk could be freed under it. */
  | { readonly kind: "unreferenced-chunk"; readonly owner: string; readonly fid: Fid }
  /** Content that entries, snapshots and copies share, with a wrong count of them: it could be freed under one, or never. */
  | {
      readonly kind: "holders-differ";
      readonly contentId: number;
      readonly holders: number;
      readonly counted: number;
    }
  /** References and named chunks differ in number. */
  | {
      readonly kind: "reference-count-differs";
      readonly references: number;
      readonly named: number;
    }
  | {
      readonly kind: "usage-differs";
      readonly tree: string;
      readonly counter: string;
      readonly counted: string;
    };

/**
 * Checks every needle and entry against each other, giving findings as they come. It may run beside writes: what looks
 * wrong is looked at again before it is reported. Memory: the sizes of one volume's needles.
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
  const garbage = new KnownGarbage(deps.store);
  const checked = new Set<VolumeId>();
  for (const { id, collection } of volumes) {
    const isOwn = collection === deps.collection;
    checked.add(id);
    const namedCount = isOwn ? 0 : countReferences(deps.store, id);
    if (namedCount > 0) yield { kind: "shared-volume", volumeId: id, collection, namedCount };
    try {
      yield* checkVolume({ ...deps, garbage, named, isOwn }, id, options);
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
  const reason = error instanceof Error ? error.message : String(error);
  return {
    kind: "unreadable-volume",
    volumeId: id,
    namedCount: countReferences(store, id),
    reason,
  };
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

type CorruptNeedle = Extract<ScannedNeedle, { kind: "corrupt" }>;

interface VolumeCheckDeps extends CheckDeps {
  readonly garbage: KnownGarbage;
  readonly named: NamedWithoutReference;
  /** Whether the filer alone writes to the volume. */
  readonly isOwn: boolean;
}

async function* checkVolume(
  deps: VolumeCheckDeps,
  id: VolumeId,
  options: CheckOptions,
): AsyncGenerator<CheckFinding> {
  const sizes = new Map<bigint, number | undefined>();
  const suspects: Suspect[] = [];
  let cookies: ReadonlySet<number> | undefined;
  for await (const needle of deps.volumes.scan(id)) {
    options.signal?.throwIfAborted();
    if (needle.kind === "corrupt") {
      sizes.set(needle.needleId, undefined);
      yield await judgeCorrupt(deps, id, needle, options);
      continue;
    }
    sizes.set(needle.needleId, needle.sizeBytes);
    if (!deps.isOwn) continue;
    const fid: Fid = { volumeId: id, needleId: needle.needleId, cookie: needle.cookie };
    // Other processes are asked only of what seems lost, and it is looked at again after their answer.
    if (isKnown(deps, fid) || (await isInFlightElsewhere(deps, fid)) || isKnown(deps, fid))
      continue;
    if (isNamedNeedle(deps.store, fid)) {
      const reason = "its cookie is not the one that its entry names";
      yield { kind: "corrupt-needle", volumeId: id, needleId: needle.needleId, reason };
      continue;
    }
    cookies ??= namedCookies(deps.store, id);
    if (cookies.has(fid.cookie)) {
      const reason = "its id is not the one that its entry names";
      yield { kind: "corrupt-needle", volumeId: id, needleId: needle.needleId, reason };
      continue;
    }
    suspects.push({ fid, sizeBytes: needle.sizeBytes });
    if (suspects.length === ORPHAN_SUSPECTS_MAX) yield* judgeSuspects(deps, suspects, options);
  }
  yield* judgeSuspects(deps, suspects, options);
  for (const { fid, sizeBytes } of referencesOf(deps.store, id)) {
    options.signal?.throwIfAborted();
    if (!sizes.has(fid.needleId)) {
      // Perhaps it came after the scan had passed, or was freed since.
      if ((await isAbsent(deps, fid)) && deps.store.isReferenced(fid)) {
        yield { kind: "missing-chunk", fid };
      }
      continue;
    }
    const storedBytes = sizes.get(fid.needleId);
    // The size of a manifest is not told by its reference: it is checked where it is read.
    if (sizeBytes > 0 && storedBytes !== undefined && storedBytes !== sizeBytes) {
      yield { kind: "size-differs", fid, namedBytes: sizeBytes, storedBytes };
    }
  }
}

/** A needle that no entry, part or garbage row knew when the scan passed it. */
interface Suspect {
  readonly fid: Fid;
  readonly sizeBytes: number;
}

/**
 * Tells orphans among suspects, and empties the list. Garbage names the manifest of a long list alone, and once what that lists is about to go no
 * reference speaks for it; and what was garbage may be gone and forgotten since the scan passed it.
 */
async function* judgeSuspects(
  deps: VolumeCheckDeps,
  suspects: Suspect[],
  options: CheckOptions,
): AsyncGenerator<CheckFinding> {
  if (suspects.length === 0) return;
  const left = new Map(suspects.splice(0).map((suspect) => [formatFid(suspect.fid), suspect]));
  for await (const { fid } of freedLists(deps)) left.delete(formatFid(fid));
  for (const { fid, sizeBytes } of left.values()) {
    options.signal?.throwIfAborted();
    if (isKnown(deps, fid) || (await isAbsent(deps, fid)) || isKnown(deps, fid)) continue;
    const isRemoved = options.orphans === "remove";
    if (isRemoved) await deps.volumes.remove([fid]);
    yield { kind: "orphan-needle", fid, sizeBytes, isRemoved };
  }
}

/**
 * Whether a damaged record is lost data or what a crash left. The filer acknowledges a write only once its rows name every needle
 * of it, so a needle that nothing names was never acknowledged, or was freed. In other volumes nobody can tell.
 */
async function judgeCorrupt(
  deps: VolumeCheckDeps,
  volumeId: VolumeId,
  needle: CorruptNeedle,
  options: CheckOptions,
): Promise<CheckFinding> {
  const { needleId, cookie, recordBytes, reason } = needle;
  const fid: Fid = { volumeId, needleId, cookie: cookie ?? 0 };
  const isKnownNeedle = (): boolean =>
    deps.isInFlight(fid) ||
    isNamedNeedle(deps.store, fid) ||
    deps.garbage.hasNeedle(fid) ||
    deps.named.has(fid);
  if (!deps.isOwn || isKnownNeedle() || (await isInFlightElsewhere(deps, fid)) || isKnownNeedle()) {
    return { kind: "corrupt-needle", volumeId, needleId, reason };
  }
  const isRemoved = options.orphans === "remove" && cookie !== undefined;
  if (isRemoved) await deps.volumes.remove([fid]);
  return { kind: "debris", volumeId, needleId, recordBytes, isRemoved };
}

/**
 * Asked in the order in which a chunk passes: on its way, then named, then garbage. So one that moves on between
 * two questions is still met by the next.
 */
function isKnown(deps: VolumeCheckDeps, fid: Fid): boolean {
  return (
    deps.isInFlight(fid) ||
    deps.store.isReferenced(fid) ||
    deps.garbage.has(fid) ||
    deps.named.has(fid)
  );
}

async function isInFlightElsewhere({ others }: VolumeCheckDeps, fid: Fid): Promise<boolean> {
  const [isInFlight] = await others.inFlight([fid]);
  return isInFlight !== false;
}

/** Absent with this very cookie. A needle that cannot be read is there: the scan has reported it. */
async function isAbsent(deps: CheckDeps, fid: Fid): Promise<boolean> {
  try {
    return (await deps.volumes.read(fid)) === undefined;
  } catch (error) {
    if (errorCodes(error).includes("no-such-volume")) return true;
    if (errorCodes(error).includes("needle-corrupt") || isUnusable(error)) return false;
    throw error;
  }
}

/** The volume could not be opened, or its disk is gone. */
function isUnusable(error: unknown): boolean {
  return errorCodes(error).some((code) => code === "volume-failed" || code === "volume-missing");
}

/** Chunks that entries name and whose references are lost, told as such already: no orphans. */
class NamedWithoutReference {
  readonly #fids = new Set<string>();
  #isWhole = true;

  add(fid: Fid): void {
    if (this.#fids.size < UNREFERENCED_CHUNKS_KEPT_MAX) this.#fids.add(formatFid(fid));
    else this.#isWhole = false;
  }

  /** With more than can be kept, anything may be one. */
  has(fid: Fid): boolean {
    return !this.#isWhole || this.#fids.has(formatFid(fid));
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
