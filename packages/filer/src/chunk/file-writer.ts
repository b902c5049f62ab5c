import { type ByteStream, type Result, assert, hex, isByteStream, refused } from "@kelp/base";
import type {
  AppendFile,
  Chunk,
  CompleteRefusal,
  CompleteUpload,
  Entry,
  Fid,
  Part,
  WriteFile,
  WritePart,
  WriteRefusal,
} from "@kelp/wire";
import { FilerError } from "../errors.ts";
import { COMPLETE_ATTEMPTS_MAX, REMOVE_FIDS_MAX } from "../limits.ts";
import type { Admission } from "../store/filer-store.ts";
import { AppendSession } from "./append-session.ts";
import { type StoredBody, storeBody } from "./body-writer.ts";
import type { FileWriterDeps } from "./file-writer-deps.ts";
import { FileAppender, type FileAppenderDeps } from "./file-appender.ts";
import { foldChunks } from "./manifest-writer.ts";

/** A stored body whose list is short. */
interface FoldedBody extends StoredBody {
  /** Chunks that manifests of the content list. */
  readonly listed: readonly Chunk[];
}

type PartRefusal = "no-such-tree" | "no-such-upload" | "quota-exceeded";

/** Carries a refusal out of the middle of a body. */
class RefusedEarly extends Error {
  override readonly name = "RefusedEarly";
  readonly refusal: WriteRefusal;

  constructor(refusal: WriteRefusal) {
    super("Cannot store body: it was refused before its end");
    this.refusal = refusal;
  }
}

/**
 * Writes bodies in the order that survives a crash at any point: chunks durable, then the entry committed. What a body
 * leaves behind when it fails is removed, or queued to be.
 */
export class FileWriter {
  readonly #deps: FileWriterDeps;
  readonly #sessions = new Set<AppendSession>();
  readonly #appender: FileAppender;

  /** `reads` are asked for what an append has to copy. */
  constructor(deps: FileWriterDeps, reads: Pick<FileAppenderDeps, "readFile" | "readManifest">) {
    this.#deps = deps;
    this.#appender = new FileAppender({
      ...deps,
      ...reads,
      inSession: (work) => this.#inSession(work),
    });
  }

  writeFile(request: WriteFile): Promise<Result<Entry, WriteRefusal>> {
    const { body } = request;
    if (!isByteStream(body) && body.length <= this.#deps.inlineBytesMax) {
      return this.#writeInline(request, body);
    }
    const { tree, path, condition } = request;
    return this.#write({
      body,
      signal: request.signal,
      inlineBytesMax: this.#deps.inlineBytesMax,
      admission: { tree, target: { kind: "entry", path }, condition },
      commit: (stored) => this.#putEntry(request, stored),
    });
  }

  async appendFile(request: AppendFile): Promise<Result<Entry, WriteRefusal>> {
    const { tree, path } = request;
    const target = { kind: "entry", path } as const;
    try {
      return await this.#appender.append(request, (sizeBytes) =>
        this.#admit({ tree, target, sizeBytes }),
      );
    } catch (error) {
      if (error instanceof RefusedEarly) return refused(error.refusal);
      throw error;
    }
  }

  /** Parts are always chunks, so that joined parts are too. The caller has seen that the upload exists. */
  async writePart(request: WritePart): Promise<Result<Part, PartRefusal>> {
    const { tree, id, number } = request;
    const outcome = await this.#write({
      body: request.body,
      signal: request.signal,
      inlineBytesMax: 0,
      admission: { tree, target: { kind: "part", id, number } },
      commit: (stored) => this.#putPart(request, stored),
    });
    if (outcome.kind === "ok") return outcome;
    const { refusal } = outcome;
    assert(typeof refusal === "string", "a part is written without condition");
    return refused(refusal);
  }

  /** Whether a body on its way may be about to name the chunk. */
  isInFlight(fid: Fid): boolean {
    for (const session of this.#sessions) if (session.owns(fid)) return true;
    return false;
  }

  /** The short way of small whole bodies: no session, no stream. */
  async #writeInline(request: WriteFile, bytes: Uint8Array): Promise<Result<Entry, WriteRefusal>> {
    request.signal?.throwIfAborted();
    const measuring = this.#deps.space?.admit(bytes.length);
    if (measuring !== undefined) await measuring;
    const summary = { sizeBytes: bytes.length, md5: this.#deps.hashes.digest("md5", bytes) };
    return this.#putEntry(request, { content: { kind: "inline", bytes }, summary, listed: [] });
  }

  #putEntry(request: WriteFile, stored: FoldedBody): Promise<Result<Entry, WriteRefusal>> {
    const { summary, content } = stored;
    const { attributes, etag, modifiedMs, expiresMs } = request.describe(summary);
    request.signal?.throwIfAborted();
    return this.#deps.store.putEntry({
      tree: request.tree,
      path: request.path,
      content,
      listed: stored.listed,
      sizeBytes: summary.sizeBytes,
      etag: etag ?? hex(summary.md5),
      attributes,
      modifiedMs,
      expiresMs,
      condition: request.condition,
    });
  }

  #putPart(request: WritePart, stored: FoldedBody): Promise<Result<Part, PartRefusal>> {
    const { summary, content } = stored;
    const { attributes, etag, modifiedMs } = request.describe(summary);
    request.signal?.throwIfAborted();
    return this.#deps.store.putPart({
      tree: request.tree,
      id: request.id,
      number: request.number,
      chunks: content.kind === "chunks" ? content.chunks : [],
      listed: stored.listed,
      sizeBytes: summary.sizeBytes,
      etag: etag ?? hex(summary.md5),
      attributes,
      modifiedMs,
    });
  }

  async #write<Value, Refusal>(work: {
    readonly body: Uint8Array | ByteStream;
    readonly signal: AbortSignal | undefined;
    readonly inlineBytesMax: number;
    readonly admission: Omit<Admission, "sizeBytes">;
    readonly commit: (stored: FoldedBody) => Promise<Result<Value, Refusal>>;
  }): Promise<Result<Value, Refusal | WriteRefusal>> {
    try {
      return await this.#inSession(async (session) => {
        const body = await storeBody(this.#deps, session, {
          body: work.body,
          signal: work.signal,
          inlineBytesMax: work.inlineBytesMax,
          admit: (sizeBytes) => this.#admit({ ...work.admission, sizeBytes }),
        });
        return work.commit(await this.#fold(session, body));
      });
    } catch (error) {
      if (error instanceof RefusedEarly) return { kind: "refused", refusal: error.refusal };
      throw error;
    }
  }

  /** Runs work on chunks that are taken back when it is refused or fails. */
  async #inSession<Value, Refusal>(
    work: (session: AppendSession) => Promise<Result<Value, Refusal>>,
  ): Promise<Result<Value, Refusal>> {
    const session = new AppendSession(this.#deps);
    this.#sessions.add(session);
    try {
      const outcome = await work(session);
      if (outcome.kind === "refused") await this.#takeBack(session, "remove");
      return outcome;
    } catch (error) {
      await this.#takeBack(session, isCommitUncertain(error) ? "queue" : "remove");
      throw error;
    } finally {
      this.#sessions.delete(session);
    }
  }

  async #fold(session: AppendSession, body: StoredBody): Promise<FoldedBody> {
    const { content } = body;
    if (content.kind === "inline") return { ...body, listed: [] };
    const { chunks, manifests } = await foldChunks(session, content.chunks, this.#deps.lists);
    if (manifests.length === 0) return { ...body, listed: [] };
    const kept = new Set(chunks);
    const lower = manifests.filter((manifest) => !kept.has(manifest));
    return { ...body, content: { kind: "chunks", chunks }, listed: [...content.chunks, ...lower] };
  }

  /** Joins parts; where their lists make a long one, its manifests are stored first. */
  async completeUpload(request: CompleteUpload): Promise<Result<Entry, CompleteRefusal>> {
    for (let attempt = 1; attempt <= COMPLETE_ATTEMPTS_MAX; attempt += 1) {
      const outcome = await this.#completeOnce(request);
      if (outcome.kind === "ok") return outcome;
      const { refusal } = outcome;
      if (refusal !== "parts-changed") return refused(refusal);
    }
    throw new FilerError("overloaded", "Cannot complete upload: its parts are being replaced");
  }

  async #completeOnce(
    request: CompleteUpload,
  ): Promise<Result<Entry, CompleteRefusal | "parts-changed">> {
    const { store, lists } = this.#deps;
    const joined = await store.joinedParts(request, lists.recordsMax);
    if (joined === undefined) return store.completeUpload(request);
    return this.#inSession(async (session) => {
      const { chunks, manifests } = await foldChunks(session, joined.chunks, lists);
      const folded = { chunks, manifests, partsDigest: joined.partsDigest };
      return store.completeUpload({ ...request, folded });
    });
  }

  #admit(admission: Admission): void {
    const verdict = this.#deps.store.admits(admission);
    if (verdict.kind === "refused") throw new RefusedEarly(verdict.refusal);
  }

  /** Never throws: the caller has an outcome of its own to tell. What stays behind is found by the check. */
  async #takeBack(session: AppendSession, how: "remove" | "queue"): Promise<void> {
    const chunks = await session.abandon();
    if (chunks.length === 0) return;
    const { volumes, store, log } = this.#deps;
    if (how === "remove") {
      try {
        for (let start = 0; start < chunks.length; start += REMOVE_FIDS_MAX) {
          await volumes.remove(fidsOf(chunks.slice(start, start + REMOVE_FIDS_MAX)));
        }
        return;
      } catch (error) {
        log.warn("chunks of a failed body were not removed, queueing them", { error });
      }
    }
    try {
      await store.addGarbage(chunks);
    } catch (error) {
      log.error("chunks of a failed body stay behind", { error, chunk_count: chunks.length });
    }
  }
}

/**
 * When the store fails in the middle of a commit, a restart may still find the commit complete. Its chunks are queued
 * then: whoever frees them looks first whether they are named.
 */
function isCommitUncertain(error: unknown): boolean {
  return error instanceof FilerError && error.code === "store-failed";
}

function fidsOf(chunks: readonly Chunk[]): Fid[] {
  return chunks.map((chunk) => chunk.fid);
}
