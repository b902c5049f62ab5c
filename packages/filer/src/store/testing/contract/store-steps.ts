import { expect } from "bun:test";
import { must } from "@kelp/base";
import {
  type Chunk,
  type Content,
  type Entry,
  type EntryPath,
  type ListItem,
  type TreeName,
  needleId,
  volumeId,
} from "@kelp/wire";
import type { ManualClock } from "../../../testing/manual-clock.ts";
import type { ExtendEntry, FilerStore, PutEntry } from "../../filer-store.ts";

/** A world with an empty store, for one test. */
export interface StoreWorld extends Disposable {
  readonly store: FilerStore;
  readonly clock: ManualClock;
}

/** States what holds of a store, given a world with the bucket `TREE`. */
export type Claim = (text: string, run: (world: StoreWorld) => Promise<void>) => void;

export const TREE = "tree" as TreeName;
export const COPY = "copy" as TreeName;
/** More than one transaction may touch. */
export const MANY = 250;

export function pad(index: number): string {
  return String(index).padStart(3, "0");
}

export function inline(sizeBytes: number): Content {
  return { kind: "inline", bytes: new Uint8Array(sizeBytes) };
}

export function chunk(needle: bigint, sizeBytes: number): Chunk {
  return { fid: { volumeId: volumeId(1), needleId: needleId(needle), cookie: 7 }, sizeBytes };
}

function requestOf(path: string, some: Partial<PutEntry> = {}): PutEntry {
  const { content = inline(1) } = some;
  const sizeBytes =
    content.kind === "inline"
      ? content.bytes.length
      : content.chunks.reduce((sum, one) => sum + one.sizeBytes, 0);
  return {
    tree: TREE,
    path: path as EntryPath,
    sizeBytes,
    etag: "e",
    attributes: {},
    modifiedMs: undefined,
    expiresMs: undefined,
    condition: undefined,
    ...some,
    content,
  };
}

/** A put of chunks. */
export function listOf(...chunks: readonly Chunk[]): Partial<PutEntry> {
  const sizeBytes = chunks.reduce((sum, each) => sum + each.sizeBytes, 0);
  return { content: { kind: "chunks", chunks }, sizeBytes };
}

export function extensionOf(
  { path, position }: Entry,
  next: {
    readonly chunks: readonly Chunk[];
    readonly kept: readonly Chunk[];
    readonly listed?: readonly Chunk[];
  },
): ExtendEntry {
  const { chunks, kept, listed = [] } = next;
  const { content: _none, condition: _any, ...request } = requestOf(path, listOf(...chunks));
  return { ...request, content: { kind: "chunks", chunks }, kept, listed, position };
}

export async function put(
  store: FilerStore,
  path: string,
  some?: Partial<PutEntry>,
): Promise<Entry> {
  return must(valueOf(await store.putEntry(requestOf(path, some))));
}

export async function outcome(
  store: FilerStore,
  { path, ...some }: { readonly path: string } & Partial<Omit<PutEntry, "path">>,
): Promise<string> {
  const result = await store.putEntry(requestOf(path, some));
  if (result.kind === "ok") return "ok";
  return typeof result.refusal === "string" ? result.refusal : result.refusal.kind;
}

export async function entry(store: FilerStore, path: string, tree = TREE): Promise<Entry> {
  return must(valueOf(await store.getEntry(tree, path as EntryPath)));
}

export async function upload(store: FilerStore, path: string) {
  const request = { tree: TREE, path: path as EntryPath, owner: "ada", attributes: {} };
  return must(valueOf(await store.createUpload(request))).id;
}

export async function list(store: FilerStore, tree = TREE): Promise<string[]> {
  return (await items((query) => store.listEntries(tree, query))).map(textOf);
}

/** Page by page. */
export async function items(
  page: (query: {
    readonly limit: number;
    readonly after?: string;
  }) => ReturnType<FilerStore["listSnapshotEntries"]>,
): Promise<ListItem[]> {
  const found: ListItem[] = [];
  let after: string | undefined;
  do {
    const next = must(valueOf(await page({ limit: 90, ...(after !== undefined && { after }) })));
    found.push(...next.items);
    after = next.next;
  } while (after !== undefined);
  return found;
}

export function textOf(item: ListItem): string {
  return item.kind === "entry" ? item.path : item.prefix;
}

export async function settle(store: FilerStore): Promise<void> {
  while (await store.reclaim()) continue;
}

/** Counters say what counting gives, also while rows are still to come. */
export function expectCounted(store: FilerStore): void {
  for (const { counter, counted } of store.countUsage()) expect(counter).toEqual(counted);
}

export function garbage(store: FilerStore): bigint[] {
  return store
    .listGarbage({ freedMsMax: Number.MAX_SAFE_INTEGER, afterId: 0, limit: 10_000 })
    .flatMap(({ chunks }) => chunks.map(({ fid }) => fid.needleId));
}

export function valueOf<Value>(
  result: { readonly kind: "ok"; readonly value: Value } | { readonly kind: "refused" },
): Value | undefined {
  return result.kind === "ok" ? result.value : undefined;
}
