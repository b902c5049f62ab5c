import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";
import { UploadQueue, type UploadState } from "./upload-queue.ts";

export interface Uploads {
  readonly items: readonly UploadState[];
  readonly add: (files: readonly File[]) => void;
  readonly stop: (id: number) => void;
  readonly clear: () => void;
}

/** Uploads into the folder `prefix` of a bucket. They go on while the page shows this bucket, in whatever folder. */
export function useUploads(bucket: string, prefix: string): Uploads {
  const client = useQueryClient();
  const [queue] = useState(
    () =>
      new UploadQueue((target) => {
        client.invalidateQueries({ queryKey: ["objects", target] }).catch(() => undefined);
        client.invalidateQueries({ queryKey: ["buckets"] }).catch(() => undefined);
      }),
  );
  useEffect(() => () => queue.stopAll(), [queue]);
  const items = useSyncExternalStore(queue.subscribe, queue.items);
  return {
    items,
    add: (files) => queue.add(bucket, prefix, files),
    stop: (id) => queue.stop(id),
    clear: () => queue.clear(),
  };
}
