import { type ByteStream, type Result, hex, refused } from "@kelp/base";
import {
  type AppendFile,
  type BodySummary,
  type ByteRange,
  type Chunk,
  type Condition,
  type Entry,
  OBJECT_BYTES_MAX,
  type WriteRefusal,
} from "@kelp/wire";
import { appendedEtag } from "../entry/appended-etag.ts";
import { FilerError } from "../errors.ts";
import { APPEND_COMMITS_MAX, MANIFEST_DEPTH_MAX } from "../limits.ts";
import type { PutEntry } from "../store/filer-store.ts";
import type { AppendSession } from "./append-session.ts";
import { type StoredBody, storeBody } from "./body-writer.ts";
import type { FileWriterDeps } from "./file-writer-deps.ts";
import { joinedTail } from "./joined-tail.ts";
import type { ReadManifest } from "./manifest-reader.ts";
import { type ListLimits, foldChunks } from "./manifest-writer.ts";
import { PathLock } from "./path-lock.ts";

export interface FileAppenderDeps extends Omit<FileWriterDeps, "log"> {
  readonly readFile: (entry: Entry, range: ByteRange) => ByteStream;
  readonly readManifest: ReadManifest;
  /** Runs work on chunks that are taken back unless it ends well. */
  readonly inSession: InSession;
}

export type InSession = <Value, Refusal>(
  work: (session: AppendSession) => Promise<Result<Value, Refusal>>,
) => Promise<Result<Value, Refusal>>;

interface Piece {
  readonly chunks: readonly Chunk[];
  readonly summary: BodySummary;
}

/**
 * Puts bodies behind the end of entries. The body is stored once, whatever happens to the entry meanwhile; the commit names
 * its chunks behind those of the entry as it is then, and is repeated when that has become another. Commits of one path go one
 * after another, so that repeating is for those of other processes.
 */
export class FileAppender {
  readonly #deps: FileAppenderDeps;
  readonly #lock = new PathLock();

  constructor(deps: FileAppenderDeps) {
    this.#deps = deps;
  }

  append(
    request: AppendFile,
    admit: (sizeBytes: number) => void,
  ): Promise<Result<Entry, WriteRefusal>> {
    const { tree, path, body, signal } = request;
    return this.#deps.inSession(async (session) => {
      const stored = await storeBody(this.#deps, session, {
        body,
        signal,
        inlineBytesMax: 0,
        admit,
      });
      const piece = { chunks: chunksOf(stored), summary: stored.summary };
      return this.#lock.run(`${tree}/${path}`, () => this.#commit(request, piece));
    });
  }

  async #commit(request: AppendFile, piece: Piece): Promise<Result<Entry, WriteRefusal>> {
    const { store } = this.#deps;
    for (let attempt = 1; attempt <= APPEND_COMMITS_MAX; attempt += 1) {
      request.signal?.throwIfAborted();
      const found = await store.getEntry(request.tree, request.path);
      if (found.kind === "refused" && found.refusal === "no-such-tree") {
        return refused("no-such-tree");
      }
      const before = found.kind === "ok" ? found.value : undefined;
      const outcome = await this.#put(request, piece, before);
      if (outcome.kind === "ok" || typeof outcome.refusal === "string") return outcome;
    }
    throw new FilerError("overloaded", "Cannot append: others change this entry all the time");
  }

  async #put(
    request: AppendFile,
    piece: Piece,
    before: Entry | undefined,
  ): Promise<Result<Entry, WriteRefusal>> {
    const { store, inSession } = this.#deps;
    const sizeBytes = (before?.sizeBytes ?? 0) + piece.summary.sizeBytes;
    if (sizeBytes > OBJECT_BYTES_MAX) return refused("quota-exceeded");
    const common = this.#described(request, piece, { before, sizeBytes });
    if (before?.content.kind === "chunks") {
      const { position, content } = before;
      const outcome = await inSession(async (session) => {
        const list = await this.#extended(session, before, { chunks: content.chunks, piece });
        if (list === "too-deep") return refused("content-shared" as const);
        return store.extendEntry({ ...common, ...list, position });
      });
      if (outcome.kind === "ok") return outcome;
      if (outcome.refusal !== "content-shared") return refused(outcome.refusal);
    }
    const condition: Condition =
      before === undefined ? { kind: "absent" } : { kind: "position", position: before.position };
    return inSession(async (session) => {
      const list = await this.#rewritten(session, before, piece);
      return store.putEntry({ ...common, ...list, condition });
    });
  }

  #described(
    { tree, path, describe }: AppendFile,
    { summary }: Piece,
    { before, sizeBytes }: { readonly before: Entry | undefined; readonly sizeBytes: number },
  ): Omit<PutEntry, "content" | "condition"> {
    const { attributes, etag, modifiedMs, expiresMs } = describe(summary, before);
    const { hashes } = this.#deps;
    const usual = before === undefined ? hex(summary.md5) : appendedEtag(hashes, before, summary);
    return { tree, path, sizeBytes, attributes, etag: etag ?? usual, modifiedMs, expiresMs };
  }

  /** The list of the entry with the piece behind it, small chunks at its end joined. */
  async #extended(
    session: AppendSession,
    before: Entry,
    { chunks, piece }: { readonly chunks: readonly Chunk[]; readonly piece: Piece },
  ): Promise<(NewList & { readonly kept: readonly Chunk[] }) | "too-deep"> {
    let list = [...chunks, ...piece.chunks];
    // The piece itself is joined with those that follow it.
    const formerCount = joinedTail(list) - piece.chunks.length;
    let kept = chunks;
    if (formerCount > 1) {
      kept = chunks.slice(0, chunks.length - formerCount);
      const joined = await this.#copied(session, before, sizeOf(kept));
      list = [...kept, ...joined, ...piece.chunks];
    }
    const folded = await this.#foldedBehind(session, list);
    return folded === "too-deep" ? folded : { ...folded, kept };
  }

  /**
   * What was folded before stays as it is, and what came since is folded behind it, so that manifests are not nested deeper each
   * time. Only when there are too many of them manifests of manifests are made, and `too-deep` says that no reader would take
   * more: then the content is written anew.
   */
  async #foldedBehind(
    session: AppendSession,
    list: readonly Chunk[],
  ): Promise<NewList | "too-deep"> {
    const { lists, readManifest } = this.#deps;
    const foldedCount = list.findLastIndex(({ isManifest }) => isManifest === true) + 1;
    if (list.length <= lists.recordsMax || foldedCount === 0) return this.#folded(session, list);
    if (foldedCount < lists.recordsMax) {
      const limits = { ...lists, recordsMax: lists.recordsMax - foldedCount };
      return this.#folded(session, list.slice(foldedCount), {
        limits,
        standing: list.slice(0, foldedCount),
      });
    }
    const depth = await manifestDepth(readManifest, list);
    return depth >= MANIFEST_DEPTH_MAX ? "too-deep" : this.#folded(session, list);
  }

  /** The piece behind a copy of what the entry holds, for content that goes on elsewhere or is no chunks. */
  async #rewritten(
    session: AppendSession,
    before: Entry | undefined,
    piece: Piece,
  ): Promise<NewList> {
    const copied = before === undefined ? [] : await this.#copied(session, before, 0);
    return this.#folded(session, [...copied, ...piece.chunks]);
  }

  async #copied(session: AppendSession, before: Entry, start: number): Promise<readonly Chunk[]> {
    const end = before.sizeBytes;
    if (start === end) return [];
    const stored = await storeBody(this.#deps, session, {
      body: this.#deps.readFile(before, { start, end }),
      signal: undefined,
      inlineBytesMax: 0,
      admit: () => undefined,
    });
    return chunksOf(stored);
  }

  async #folded(
    session: AppendSession,
    list: readonly Chunk[],
    how: { readonly limits?: ListLimits; readonly standing?: readonly Chunk[] } = {},
  ): Promise<NewList> {
    const { limits = this.#deps.lists, standing = [] } = how;
    const { chunks, manifests } = await foldChunks(session, list, limits);
    const content = { kind: "chunks", chunks: [...standing, ...chunks] } as const;
    if (manifests.length === 0) return { content, listed: [] };
    const shown = new Set(chunks);
    return { content, listed: [...list, ...manifests].filter((chunk) => !shown.has(chunk)) };
  }
}

interface NewList {
  readonly content: { readonly kind: "chunks"; readonly chunks: readonly Chunk[] };
  readonly listed: readonly Chunk[];
}

/** How deep manifests are nested: 1 where they list chunks alone. */
async function manifestDepth(read: ReadManifest, chunks: readonly Chunk[]): Promise<number> {
  let depth = 0;
  for (const chunk of chunks) {
    if (chunk.isManifest !== true) continue;
    depth = Math.max(depth, 1 + (await manifestDepth(read, await read(chunk))));
  }
  return depth;
}

function chunksOf({ content }: StoredBody): readonly Chunk[] {
  return content.kind === "chunks" ? content.chunks : [];
}

function sizeOf(chunks: readonly Chunk[]): number {
  return chunks.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}
