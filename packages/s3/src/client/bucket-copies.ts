import { unreachable } from "@kelp/base";
import {
  type BucketCopies,
  type Filer,
  ObjectStoreError,
  type Snapshot,
  type SnapshotInfo,
  type Snapshots,
  isSnapshotName,
} from "@kelp/wire";
import { bucketName, noSuchBucket, requireBucket } from "./buckets.ts";
import { createObjectReads, snapshotState, stateRefused } from "./object-reads.ts";

export interface BucketCopiesOptions {
  readonly filer: Filer & Snapshots;
}

/** Snapshots and copies of buckets. It does not authorise. Throws `ObjectStoreError`; other failures of the store pass through. */
export function createBucketCopies({ filer }: BucketCopiesOptions): BucketCopies {
  return {
    async createSnapshot(bucket, name) {
      const tree = await requireBucket(filer, bucket);
      if (!isSnapshotName(name)) {
        throw new ObjectStoreError(
          "invalid-snapshot-name",
          "Cannot use this snapshot name: it takes 1 to 63 letters, digits, dots, hyphens and underscores, the first a letter or digit",
        );
      }
      const made = await filer.createSnapshot(tree, name);
      if (made.kind === "ok") return snapshotInfo(made.value);
      switch (made.refusal) {
        case "no-such-tree":
          throw noSuchBucket(bucket);
        case "exists":
          throw new ObjectStoreError(
            "snapshot-exists",
            `Bucket ${bucket} has a snapshot ${name} already`,
          );
        case "too-many":
          throw new ObjectStoreError(
            "too-many-snapshots",
            `Bucket ${bucket} has as many snapshots as it may: delete some`,
          );
        default:
          return unreachable(made.refusal);
      }
    },

    async listSnapshots(bucket) {
      const listed = await filer.listSnapshots(await requireBucket(filer, bucket));
      if (listed.kind === "refused") throw noSuchBucket(bucket);
      return listed.value.map(snapshotInfo);
    },

    async deleteSnapshot(bucket, name) {
      const deleted = await filer.deleteSnapshot(await requireBucket(filer, bucket), name);
      if (deleted.kind === "refused") throw stateRefused(deleted.refusal, bucket);
    },

    atSnapshot: (name) => createObjectReads(filer, snapshotState(filer, name)),

    async cloneBucket({ source, snapshot, target, owner }) {
      const made = await filer.cloneTree({
        source: await requireBucket(filer, source),
        target: bucketName(target),
        owner,
        ...(snapshot !== undefined && { snapshot }),
      });
      if (made.kind === "ok") return "created";
      if (made.refusal === "exists") return "exists";
      throw stateRefused(made.refusal, source);
    },
  };
}

function snapshotInfo({ name, createdMs, usage }: Snapshot): SnapshotInfo {
  return { name, createdMs, sizeBytes: usage.bytes, objectCount: usage.entries };
}
