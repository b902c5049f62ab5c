import { isNamedNeedle, namedCookies, referencesOf } from "../collect/named-needle.ts";
import { strikeGarbage } from "../collect/strike-garbage.ts";
import type { UnknownNeedle, UnknownNeedles } from "../collect/unknown-needles.ts";
import { type Fid, type NeedleId, type ScannedNeedle, type VolumeId, formatFid } from "@kelp/wire";
import { errorCodes } from "../errors.ts";
import { REMOVE_FIDS_MAX, UNREFERENCED_CHUNKS_KEPT_MAX } from "../limits.ts";
import type { CheckDeps, CheckFinding, CheckOptions } from "./finding.ts";

type CorruptNeedle = Extract<ScannedNeedle, { kind: "corrupt" }>;

export interface VolumeCheckDeps extends CheckDeps {
  /** Empty between volumes. */
  readonly unknown: UnknownNeedles;
  readonly named: NamedWithoutReference;
  /** Whether the filer alone writes to the volume. */
  readonly isOwn: boolean;
}

export async function* checkVolume(
  deps: VolumeCheckDeps,
  id: VolumeId,
  options: CheckOptions,
): AsyncGenerator<CheckFinding> {
  const sizes = new Map<bigint, number | undefined>();
  const { unknown } = deps;
  const corrupt: CorruptNeedles = new Map();
  for await (const needle of deps.volumes.scan(id)) {
    options.signal?.throwIfAborted();
    if (needle.kind === "corrupt") {
      sizes.set(needle.needleId, undefined);
      if (!deps.isOwn || isNamedAnyhow(deps, fidOf(id, needle))) {
        yield corruptNeedle(id, needle);
        continue;
      }
      corrupt.set(needle.needleId, needle);
      unknown.add({ fid: fidOf(id, needle), sizeBytes: needle.recordBytes, isCorrupt: true });
      if (unknown.isFull || corrupt.size === CORRUPT_AT_ONCE_MAX) {
        yield* judgeUnknown(deps, id, { ...options, corrupt });
      }
      continue;
    }
    const { needleId, cookie, sizeBytes } = needle;
    sizes.set(needleId, sizeBytes);
    const fid: Fid = { volumeId: id, needleId, cookie };
    if (!deps.isOwn || isNamed(deps, fid)) continue;
    if (isNamedNeedle(deps.store, fid)) {
      const reason = "its cookie is not the one that its entry names";
      yield { kind: "corrupt-needle", volumeId: id, needleId, reason };
      continue;
    }
    unknown.add({ fid, sizeBytes, isCorrupt: false });
    if (unknown.isFull) yield* judgeUnknown(deps, id, { ...options, corrupt });
  }
  yield* judgeUnknown(deps, id, { ...options, corrupt });
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

/**
 * What nothing but garbage can know, asked in the order in which a chunk passes: on its way, then named, then garbage, then gone. So one
 * that moves on between two questions is still met by the next. Other processes are asked only of what is no garbage.
 *
 * A damaged record is lost data or what a crash left. The filer acknowledges a write only once its rows name every needle of it, so
 * one that nothing names was never acknowledged, or was freed. In volumes that are not the filer's alone nobody can tell.
 */
async function* judgeUnknown(
  deps: VolumeCheckDeps,
  id: VolumeId,
  options: CheckOptions & { readonly corrupt: CorruptNeedles },
): AsyncGenerator<CheckFinding> {
  const { unknown, store, volumes, others } = deps;
  const { corrupt } = options;
  if (unknown.isEmpty) return;
  await strikeGarbage(unknown, { ...deps, signal: options.signal });
  const suspects = unknown.take();
  for (let start = 0; start < suspects.length; start += REMOVE_FIDS_MAX) {
    const slice = suspects.slice(start, start + REMOVE_FIDS_MAX);
    const inFlight = await others.inFlight(slice.map(({ fid }) => fid));
    for (const [index, suspect] of slice.entries()) {
      const isAsked = suspect.isCorrupt ? isNamedAnyhow : isNamed;
      if (inFlight[index] === false && !isAsked(deps, suspect.fid)) unknown.add(suspect);
    }
  }
  await strikeGarbage(unknown, { ...deps, signal: options.signal });
  const left: readonly UnknownNeedle[] = unknown.take();
  const cookies = left.length === 0 ? undefined : namedCookies(store, id);
  for (const { fid, sizeBytes, isCorrupt } of left) {
    options.signal?.throwIfAborted();
    if (isCorrupt) {
      const { needleId } = fid;
      const isRemoved = options.orphans === "remove" && corrupt.get(needleId)?.cookie !== undefined;
      if (isRemoved) await volumes.remove([fid]);
      yield { kind: "debris", volumeId: id, needleId, recordBytes: sizeBytes, isRemoved };
      corrupt.delete(needleId);
      continue;
    }
    if (await isAbsent(deps, fid)) continue;
    if (cookies?.has(fid.cookie) === true) {
      const reason = "its id is not the one that its entry names";
      yield { kind: "corrupt-needle", volumeId: id, needleId: fid.needleId, reason };
      continue;
    }
    const isRemoved = options.orphans === "remove";
    if (isRemoved) await volumes.remove([fid]);
    yield { kind: "orphan-needle", fid, sizeBytes, isRemoved };
  }
  for (const needle of corrupt.values()) yield corruptNeedle(id, needle);
  corrupt.clear();
}

/** Damaged records that no entry names, until garbage was asked. */
type CorruptNeedles = Map<NeedleId, CorruptNeedle>;
const CORRUPT_AT_ONCE_MAX = 10_000;

/** The cookie of a damaged record may be damaged, and absent. */
function fidOf(id: VolumeId, { needleId, cookie }: CorruptNeedle): Fid {
  return { volumeId: id, needleId, cookie: cookie ?? 0 };
}

function corruptNeedle(id: VolumeId, { needleId, reason }: CorruptNeedle): CheckFinding {
  return { kind: "corrupt-needle", volumeId: id, needleId, reason };
}

/** Whatever the cookie: that of a damaged needle may be damaged. */
function isNamedAnyhow(deps: VolumeCheckDeps, fid: Fid): boolean {
  return deps.isInFlight(fid) || isNamedNeedle(deps.store, fid) || deps.named.has(fid);
}

/** On its way is asked first: what is named in between is met then. */
function isNamed(deps: VolumeCheckDeps, fid: Fid): boolean {
  return deps.isInFlight(fid) || deps.store.isReferenced(fid) || deps.named.has(fid);
}

/** Absent with this very cookie. A needle that cannot be read is there: the scan has reported it. */
export async function isAbsent(deps: CheckDeps, fid: Fid): Promise<boolean> {
  try {
    return (await deps.volumes.read(fid)) === undefined;
  } catch (error) {
    if (errorCodes(error).includes("no-such-volume")) return true;
    if (errorCodes(error).includes("needle-corrupt") || isUnusable(error)) return false;
    throw error;
  }
}

/** The volume could not be opened, or its disk is gone. */
export function isUnusable(error: unknown): boolean {
  return errorCodes(error).some((code) => code === "volume-failed" || code === "volume-missing");
}

/** Chunks that entries name and whose references are lost, told as such already: no orphans. */
export class NamedWithoutReference {
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
