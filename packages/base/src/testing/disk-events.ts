/**
 * What happened on a disk, in order. Files are numbers: a name may come to mean another file. `before` of a sync is the
 * length of the log when the sync began: what was written meanwhile is not covered by it.
 */
export type DiskEvent =
  | { readonly kind: "make-folder"; readonly path: string }
  | { readonly kind: "create"; readonly path: string; readonly file: number }
  | { readonly kind: "remove"; readonly path: string }
  | { readonly kind: "rename"; readonly source: string; readonly target: string }
  | { readonly kind: "sync-folder"; readonly path: string; readonly before: number }
  | {
      readonly kind: "write";
      readonly file: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: "truncate"; readonly file: number; readonly sizeBytes: number }
  | { readonly kind: "sync"; readonly file: number; readonly before: number };

/** What a disk holds after the power came back: whole paths, folders with `undefined`. */
export type DiskImage = ReadonlyMap<string, Uint8Array | undefined>;
