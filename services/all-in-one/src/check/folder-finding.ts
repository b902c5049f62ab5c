import { unreachable } from "@kelp/base";
import type { CheckFinding } from "@kelp/filer";
import { type Damage, type VolumeStatus, formatFid } from "@kelp/wire";

/** Something that does not fit together in a data folder. */
export interface FolderFinding {
  readonly kind:
    | CheckFinding["kind"]
    | "unusable-volume"
    | "index-differs"
    | "index-not-rebuilt"
    | "quarantined"
    | "damaged-shard"
    | "damaged-identity";
  /** Space is lost, or something was repaired; data is not lost. Everything else is damage. */
  readonly isHarmless: boolean;
  readonly text: string;
}

/** A volume of which nothing can be said, if it is one. */
export function describeVolume(status: VolumeStatus): FolderFinding | undefined {
  if (status.state !== "failed" && status.state !== "missing") return undefined;
  const why = status.state === "missing" ? "is missing with its disk" : "cannot be opened";
  return damage("unusable-volume", `volume ${status.id} ${why}; its content was not checked`);
}

export function describeFinding(finding: CheckFinding): FolderFinding {
  const { kind } = finding;
  switch (kind) {
    case "orphan-needle":
      return {
        kind,
        isHarmless: true,
        text: `blob ${formatFid(finding.fid)} of ${finding.sizeBytes} bytes belongs to nothing${finding.isRemoved ? "; removed" : ""}`,
      };
    case "debris":
      return {
        kind,
        isHarmless: true,
        text: `blob ${finding.needleId.toString(16)} in volume ${finding.volumeId} was never finished: ${finding.recordBytes} bytes of debris${finding.isRemoved ? "; removed" : ""}`,
      };
    case "shared-volume":
      return {
        kind,
        isHarmless: true,
        text: `volume ${finding.volumeId} of collection "${finding.collection}" has ${finding.namedCount} blobs of entries; it is not swept, and clients of the volume door may change it`,
      };
    case "damaged-entry":
      return damage(kind, `${finding.owner} is damaged: ${finding.reason}`);
    case "missing-chunk":
      return damage(kind, `blob ${formatFid(finding.fid)} is missing`);
    case "unreadable-volume":
      return damage(
        kind,
        `volume ${finding.volumeId}, with ${finding.namedCount} blobs in use, cannot be read: ${finding.reason}`,
      );
    case "corrupt-needle":
      return damage(
        kind,
        `blob ${finding.needleId.toString(16)} in volume ${finding.volumeId} is damaged: ${finding.reason}`,
      );
    case "size-differs":
      return damage(
        kind,
        `blob ${formatFid(finding.fid)} has ${finding.storedBytes} bytes, its entry says ${finding.namedBytes}`,
      );
    case "content-size-differs":
      return damage(
        kind,
        `${finding.owner} has ${finding.sizeBytes} bytes, its blobs add up to ${finding.chunkBytes}`,
      );
    case "unreferenced-chunk":
      return damage(
        kind,
        `${finding.owner} names blob ${formatFid(finding.fid)}, which is not counted as used`,
      );
    case "holders-differ":
      return damage(
        kind,
        `content ${finding.contentId} is counted as named ${finding.holders} times, it is named ${finding.counted} times`,
      );
    case "reference-count-differs":
      return damage(
        kind,
        `${finding.references} blobs are counted as used, ${finding.named} are named`,
      );
    case "usage-differs":
      return damage(
        kind,
        `bucket ${finding.tree} keeps ${finding.counter}, counting gives ${finding.counted}`,
      );
    default:
      return unreachable(kind);
  }
}

export function describeQuarantined({ volumeId, what, reason }: Damage): FolderFinding {
  return damage(
    "quarantined",
    `scrubbing found the ${what} of volume ${volumeId} damaged: ${reason}`,
  );
}

/** What is damaged beyond the parity was told as damaged blobs already. */
export function describeShard({ volumeId, what, offsetBytes, reason }: Damage): FolderFinding {
  return damage(
    "damaged-shard",
    `${what} of volume ${volumeId} is damaged at ${offsetBytes}: ${reason}; ec.rebuild makes it anew`,
  );
}

export function describeIdentity(name: string, keyId: string | undefined): FolderFinding {
  return damage(
    "damaged-identity",
    keyId === undefined
      ? `identity ${name} is damaged and may do nothing; put it again`
      : `access key ${keyId} of ${name} is damaged and opens nothing; delete it and create another`,
  );
}

function damage(kind: FolderFinding["kind"], text: string): FolderFinding {
  return { kind, isHarmless: false, text };
}
