import { type Result, ok } from "@kelp/base";
import type { Attributes, Entry, Part, Tree, Upload } from "@kelp/wire";
import type { FilerStore } from "../store/filer-store.ts";
import type { AttributesOwner, InlineOwner, Sealing } from "./sealing.ts";

/**
 * A metadata store whose values are sealed: attributes and inline content. What it gets of others is sealed before the
 * store below sees it, what the store gives is opened. Paths, sizes, times, owners and ETags stay as they are: the store orders,
 * compares and counts them.
 */
export function sealStore<Store extends SealedCalls>(store: Store, sealing: Sealing): Store {
  const values = new Values(sealing);
  return {
    ...store,
    ...treeCalls(store, values),
    ...entryCalls(store, values),
    ...uploadCalls(store, values),
  };
}

type SealedCalls = TreeCalls & EntryCalls & UploadCalls;

type TreeCalls = Pick<
  FilerStore,
  "createTree" | "getTree" | "listTrees" | "setQuota" | "setTreeAttributes" | "cloneTree"
>;

function treeCalls(store: TreeCalls, values: Values): TreeCalls {
  return {
    async createTree(request) {
      const attributes = values.seal(request.attributes ?? {}, "tree");
      return map(await store.createTree({ ...request, attributes }), (tree) => values.tree(tree));
    },
    async getTree(name) {
      const tree = await store.getTree(name);
      return tree && values.tree(tree);
    },
    async listTrees() {
      return (await store.listTrees()).map((tree) => values.tree(tree));
    },
    async setQuota(name, change) {
      return map(await store.setQuota(name, change), (tree) => values.tree(tree));
    },
    async cloneTree(request) {
      return map(await store.cloneTree(request), (tree) => values.tree(tree));
    },
    async setTreeAttributes(name, attributes) {
      const sealed = values.seal(attributes, "tree");
      return map(await store.setTreeAttributes(name, sealed), (tree) => values.tree(tree));
    },
  };
}

type EntryCalls = Pick<
  FilerStore,
  | "getEntry"
  | "headEntry"
  | "getSnapshotEntry"
  | "putEntry"
  | "extendEntry"
  | "setEntryAttributes"
  | "renameEntry"
>;

function entryCalls(store: EntryCalls, values: Values): EntryCalls {
  return {
    async getEntry(tree, path) {
      return map(await store.getEntry(tree, path), (entry) => values.entry(entry));
    },
    async headEntry(tree, path) {
      return map(await store.headEntry(tree, path), (head) => ({
        ...head,
        attributes: values.sealing.openAttributes(head.attributes, "entry"),
      }));
    },
    async getSnapshotEntry(tree, snapshot, path) {
      const outcome = await store.getSnapshotEntry(tree, snapshot, path);
      return map(outcome, (entry) => values.entry(entry));
    },
    async putEntry(request) {
      const { attributes, content } = request;
      const sealed = {
        ...request,
        attributes: values.seal(attributes, "entry"),
        content:
          content.kind === "inline"
            ? { kind: content.kind, bytes: values.sealing.sealInline(content.bytes, request) }
            : content,
      };
      const outcome = await store.putEntry(sealed);
      return map(outcome, (entry) => ({ ...entry, attributes, content }));
    },
    async extendEntry(request) {
      const { attributes } = request;
      const sealed = { ...request, attributes: values.seal(attributes, "entry") };
      return map(await store.extendEntry(sealed), (entry) => ({ ...entry, attributes }));
    },
    async setEntryAttributes(tree, path, change) {
      const attributes = values.seal(change.attributes, "entry");
      const outcome = await store.setEntryAttributes(tree, path, { ...change, attributes });
      return map(outcome, (entry) => values.entry(entry));
    },
    async renameEntry(tree, source, target) {
      return map(await store.renameEntry(tree, source, target), (entry) => values.entry(entry));
    },
  };
}

type UploadCalls = Pick<
  FilerStore,
  "createUpload" | "getUpload" | "listUploads" | "putPart" | "listParts" | "completeUpload"
>;

function uploadCalls(store: UploadCalls, values: Values): UploadCalls {
  return {
    async createUpload(request) {
      const attributes = values.seal(request.attributes, "upload");
      const outcome = await store.createUpload({ ...request, attributes });
      return map(outcome, (upload) => values.upload(upload));
    },
    async getUpload(tree, id) {
      return map(await store.getUpload(tree, id), (upload) => values.upload(upload));
    },
    async listUploads(tree, query) {
      return map(await store.listUploads(tree, query), (page) => ({
        ...page,
        items: page.items.map((item) =>
          item.kind === "upload" ? { ...item, upload: values.upload(item.upload) } : item,
        ),
      }));
    },
    async putPart(request) {
      const attributes = values.seal(request.attributes, "part");
      return map(await store.putPart({ ...request, attributes }), (part) => values.part(part));
    },
    async listParts(tree, id, query) {
      return map(await store.listParts(tree, id, query), (page) => ({
        ...page,
        parts: page.parts.map((part) => values.part(part)),
      }));
    },
    async completeUpload(request) {
      const outcome = await store.completeUpload({
        ...request,
        describe: (parts, upload) => {
          const opened = parts.map((part) => values.part(part));
          const description = request.describe(opened, values.upload(upload));
          return { ...description, attributes: values.seal(description.attributes, "entry") };
        },
      });
      return map(outcome, (entry) => values.entry(entry));
    },
  };
}

/** Opens what the store gives. */
class Values {
  readonly sealing: Sealing;
  /** The store keeps trees decoded and asks for them with every request: opened once per state of theirs. */
  readonly #trees = new WeakMap<Attributes, Attributes>();

  constructor(sealing: Sealing) {
    this.sealing = sealing;
  }

  seal(attributes: Attributes, owner: AttributesOwner): Attributes {
    return this.sealing.sealAttributes(attributes, owner);
  }

  tree(tree: Tree): Tree {
    let attributes = this.#trees.get(tree.attributes);
    if (attributes === undefined) {
      attributes = this.sealing.openAttributes(tree.attributes, "tree");
      this.#trees.set(tree.attributes, attributes);
    }
    return { ...tree, attributes };
  }

  entry(entry: Entry): Entry {
    const attributes = this.sealing.openAttributes(entry.attributes, "entry");
    const { content } = entry;
    if (content.kind === "chunks") return { ...entry, attributes };
    return {
      ...entry,
      attributes,
      content: { kind: "inline", bytes: this.#inline(content.bytes, entry) },
    };
  }

  upload(upload: Upload): Upload {
    return { ...upload, attributes: this.sealing.openAttributes(upload.attributes, "upload") };
  }

  part(part: Part): Part {
    return { ...part, attributes: this.sealing.openAttributes(part.attributes, "part") };
  }

  #inline(bytes: Uint8Array, owner: InlineOwner): Uint8Array {
    return this.sealing.openInline(bytes, owner);
  }
}

function map<Value, Mapped, Refusal>(
  result: Result<Value, Refusal>,
  change: (value: Value) => Mapped,
): Result<Mapped, Refusal> {
  return result.kind === "ok" ? ok(change(result.value)) : result;
}
