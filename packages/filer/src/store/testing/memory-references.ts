import { type Fid, formatFid } from "@kelp/wire";
import type { NamedContent, References } from "../filer-store.ts";
import type { MemoryParts } from "./memory-parts.ts";
import { usageOf } from "./memory-state.ts";

/** The calls that collection and checking make. */
export function memoryReferences({ state, clock }: MemoryParts): References {
  return {
    async addGarbage(chunks) {
      state.addGarbage(chunks, clock.nowMs());
    },
    listGarbage: ({ freedMsMax, afterId, limit }) =>
      state.garbage
        .filter(({ id, freedMs }) => id > afterId && freedMs <= freedMsMax)
        .slice(0, limit),
    async dropGarbage(ids) {
      state.garbage = state.garbage.filter(({ id }) => !ids.includes(id));
    },
    async forgetListed(chunks) {
      for (const { fid } of chunks) state.references.delete(formatFid(fid));
    },
    isReferenced: (fid) => state.references.has(formatFid(fid)),
    listReferences: ({ volumeId, after, limit }) =>
      [...state.references.values()]
        .filter(({ fid }) => fid.volumeId === volumeId && isBehind(fid, after))
        .sort((left, right) => (isBehind(left.fid, right.fid) ? 1 : -1))
        .slice(0, limit),
    referenceCount: () => state.references.size,
    scanContents: () => [...contents(state)],
    countHolders: () => [],
    countUsage: () =>
      [...state.trees.values()].map((tree) => {
        const usage = usageOf(tree);
        return { tree: tree.name, counter: usage, counted: usage };
      }),
  };
}

function isBehind(fid: Fid, after: Fid | undefined): boolean {
  return after === undefined || fid.needleId > after.needleId;
}

function* contents(state: MemoryParts["state"]): Generator<NamedContent> {
  for (const { owner, row } of state.rows()) {
    const { sizeBytes, held } = row;
    const { content, holders } = held;
    if (content.kind === "chunks") yield { owner, sizeBytes, holders, chunks: content.chunks };
    else yield { owner, sizeBytes, holders, chunks: [], inlineBytes: content.bytes.length };
  }
  for (const tree of state.trees.values()) {
    for (const { id, parts } of tree.uploads.values()) {
      for (const { number, sizeBytes, chunks } of parts.values()) {
        yield { owner: `part ${number} of upload ${id}`, sizeBytes, holders: 1, chunks };
      }
    }
  }
}
