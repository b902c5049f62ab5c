import { ApiError } from "../../api/http.ts";
import { uploadObject } from "../../api/upload.ts";
import { errorSentence } from "../../components/error-sentence.ts";

/** Files on their way at once: enough to fill a link, few enough that each moves visibly. */
const PARALLEL_UPLOAD_COUNT_MAX = 3;
const QUEUE_COUNT_MAX = 1000;

export type UploadPhase =
  | { readonly kind: "waiting" }
  | { readonly kind: "sending"; readonly sentBytes: number }
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly message: string };

export interface UploadState {
  readonly id: number;
  readonly bucket: string;
  readonly key: string;
  readonly file: File;
  readonly phase: UploadPhase;
}

/** Files waiting for, on, or past their way to the store: a bounded list that a page can watch. */
export class UploadQueue {
  #items: readonly UploadState[] = [];
  #nextId = 1;
  readonly #listeners = new Set<() => void>();
  readonly #running = new Map<number, AbortController>();
  readonly #onDone: (bucket: string) => void;

  constructor(onDone: (bucket: string) => void) {
    this.#onDone = onDone;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly items = (): readonly UploadState[] => this.#items;

  add(bucket: string, prefix: string, files: readonly File[]): void {
    const room = QUEUE_COUNT_MAX - this.#items.length;
    const added = files.slice(0, Math.max(0, room)).map((file) => ({
      id: this.#nextId++,
      bucket,
      key: `${prefix}${file.name}`,
      file,
      phase: { kind: "waiting" } as const,
    }));
    this.#change([...this.#items, ...added]);
    this.#startNext();
  }

  stop(id: number): void {
    this.#running.get(id)?.abort();
    const item = this.#items.find((candidate) => candidate.id === id);
    if (item?.phase.kind === "waiting") {
      this.#change(this.#items.filter((candidate) => candidate.id !== id));
    }
  }

  stopAll(): void {
    this.#items = this.#items.filter((item) => item.phase.kind !== "waiting");
    for (const controller of this.#running.values()) controller.abort();
  }

  /** Forgets those that ended. */
  clear(): void {
    this.#change(
      this.#items.filter(({ phase }) => phase.kind === "waiting" || phase.kind === "sending"),
    );
  }

  #startNext(): void {
    while (this.#running.size < PARALLEL_UPLOAD_COUNT_MAX) {
      const next = this.#items.find((item) => item.phase.kind === "waiting");
      if (next === undefined) return;
      this.#start(next);
    }
  }

  #start(item: UploadState): void {
    const controller = new AbortController();
    this.#running.set(item.id, controller);
    this.#setPhase(item.id, { kind: "sending", sentBytes: 0 });
    uploadObject({
      bucket: item.bucket,
      key: item.key,
      file: item.file,
      signal: controller.signal,
      onProgress: (sentBytes) => this.#setPhase(item.id, { kind: "sending", sentBytes }),
    })
      .then(
        () => this.#setPhase(item.id, { kind: "done" }),
        (error: unknown) => this.#setPhase(item.id, failure(error)),
      )
      .finally(() => {
        this.#running.delete(item.id);
        this.#onDone(item.bucket);
        this.#startNext();
      })
      // Nothing above rejects; the chain still ends in somebody's hands.
      .catch((error: unknown) => this.#setPhase(item.id, failure(error)));
  }

  #setPhase(id: number, phase: UploadPhase): void {
    this.#change(this.#items.map((item) => (item.id === id ? { ...item, phase } : item)));
  }

  #change(items: readonly UploadState[]): void {
    this.#items = items;
    for (const listener of this.#listeners) listener();
  }
}

function failure(error: unknown): UploadPhase {
  const wasStopped = error instanceof ApiError && error.code === "aborted";
  return { kind: "failed", message: wasStopped ? "Stopped." : errorSentence(error) };
}
