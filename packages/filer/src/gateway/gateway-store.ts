import { CallError, type CallPeer, type Result } from "@kelp/base";
import { type Entry, PART_NUMBER_MAX, type Part, type Upload, type WriteRefusal } from "@kelp/wire";
import { FilerError, type FilerErrorCode } from "../errors.ts";
import { COMPLETE_ATTEMPTS_MAX } from "../limits.ts";
import type { CompleteParts, ExtendEntry, FilerStore, PutEntry } from "../store/filer-store.ts";
import {
  type ReadCalls,
  type SqliteStoreOptions,
  openSqliteReader,
} from "../store/sqlite/sqlite-store.ts";
import {
  COMPLETE_UPLOAD,
  type CompleteDescribed,
  FORWARDED,
  type Forwarded,
  PARTS_CHANGED,
  callName,
  seenPart,
  type Stamp,
  withStamp,
} from "./store-calls.ts";

export interface GatewayStoreOptions extends Omit<SqliteStoreOptions, "defer"> {
  /** The process that writes. */
  readonly writer: CallPeer;
}

/**
 * The metadata store of a gateway: it reads the database itself, where every committed change stands, and has changes
 * made by the one process that writes. A change is visible to the gateway's next read once its promise resolves.
 */
export function openGatewayStore(options: GatewayStoreOptions): GatewayStore {
  const { writer } = options;
  const changes = forwarded(writer);
  const reader = openSqliteReader(options, changes);
  return {
    ...changes,
    ...reader,
    putEntry: (request) => put<WriteRefusal>(writer, "putEntry", request),
    extendEntry: (request) => put<WriteRefusal | "content-shared">(writer, "extendEntry", request),
    completeUpload: (request) => completeUpload(reader, writer, request),
  };
}

/** All of a store but what runs where the writer is: freeing, checking, following the log. */
export type GatewayStore = ReadCalls &
  Pick<FilerStore, Exclude<Forwarded, "listEntries"> | "completeUpload">;

function forwarded(writer: CallPeer): Pick<FilerStore, Forwarded> {
  const changes = FORWARDED.map((name) => [
    name,
    (...values: unknown[]) => forward(writer, callName(name), values),
  ]);
  // The writer's own store gives the results: they have the types of its methods.
  return Object.fromEntries(changes) as Pick<FilerStore, Forwarded>;
}

async function put<Refusal>(
  writer: CallPeer,
  change: "putEntry" | "extendEntry",
  request: PutEntry | ExtendEntry,
): Promise<Result<Entry, Refusal>> {
  const answer = await forward(writer, callName(change), [request]);
  return withStamp(request, answer as Result<Stamp, Refusal>);
}

async function completeUpload(
  reader: ReadCalls,
  writer: CallPeer,
  request: CompleteParts,
): ReturnType<FilerStore["completeUpload"]> {
  const { describe, ...rest } = request;
  for (let attempt = 1; ; attempt += 1) {
    const chosen = await chosenParts(reader, request);
    const described =
      chosen === undefined
        ? undefined
        : {
            description: describe(chosen.parts, chosen.upload),
            seen: chosen.parts.map(seenPart),
          };
    try {
      const message: CompleteDescribed = { ...rest, described };
      const result = await forward(writer, callName(COMPLETE_UPLOAD), message);
      return result as Awaited<ReturnType<FilerStore["completeUpload"]>>;
    } catch (error) {
      if (!(error instanceof PartsChangedMeanwhile)) throw error;
      if (attempt >= COMPLETE_ATTEMPTS_MAX) {
        throw new FilerError("overloaded", "Cannot complete: parts keep changing", {
          cause: error,
        });
      }
    }
  }
}

/** The stored parts that were named, as `describe` is to see them; `undefined` when the writer is to refuse. */
async function chosenParts(
  reader: ReadCalls,
  request: CompleteParts,
): Promise<{ readonly upload: Upload; readonly parts: readonly Part[] } | undefined> {
  const upload = await reader.getUpload(request.tree, request.id);
  if (upload.kind === "refused") return undefined;
  const listed = await reader.listParts(request.tree, request.id, {
    afterNumber: 0,
    limit: PART_NUMBER_MAX,
  });
  if (listed.kind === "refused") return undefined;
  const byNumber = new Map(listed.value.parts.map((part) => [part.number, part]));
  const parts: Part[] = [];
  for (const { number, etag } of request.parts) {
    const part = byNumber.get(number);
    if (part?.etag !== etag) return undefined;
    parts.push(part);
  }
  return { upload: upload.value, parts };
}

class PartsChangedMeanwhile extends Error {
  override readonly name = "PartsChangedMeanwhile";
}

function forward(writer: CallPeer, name: string, argument: unknown): Promise<unknown> {
  return writer.call(name, argument).catch((error: unknown) => {
    if (!(error instanceof CallError)) throw error;
    if (error.code === PARTS_CHANGED) throw new PartsChangedMeanwhile(error.message);
    throw new FilerError(filerCode(error.code), error.message, { cause: error });
  });
}

/** Whether a writer that is gone made the change is unknown: `store-failed` says just that. */
function filerCode(code: string): FilerErrorCode {
  return code in FILER_CODES ? (code as FilerErrorCode) : "store-failed";
}

const FILER_CODES = {
  "chunk-corrupt": true,
  "chunk-missing": true,
  "chunk-store-failed": true,
  "entry-corrupt": true,
  "out-of-space": true,
  overloaded: true,
  "store-failed": true,
  "invalid-path": true,
  closed: true,
} satisfies Record<FilerErrorCode, true>;
