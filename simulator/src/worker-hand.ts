import { collectBytes, must } from "@kelp/base";
import type { SeededRandom } from "@kelp/base/testing";
import type { EntryPath, TreeName, UploadId } from "@kelp/wire";
import type { History } from "./history.ts";
import type { StoreRig } from "./store-rig.ts";
import { PLAIN_TREE } from "./trees.ts";
import {
  type UploadState,
  type Value,
  type WorkerState,
  bytesOf,
  changed,
  describeObject,
  withAppended,
  withObject,
  withUpload,
} from "./worker-state.ts";

const KEYS_PER_WORKER = 4;
/** As many as make the store join small chunks. */
const APPENDS_IN_A_ROW = 70;
const LARGE_BYTES = 2 * 1024 * 1024 + 5000;

/** What a worker did in its part of a tree. */
export interface WorkerRecord {
  readonly tree: TreeName;
  readonly prefix: string;
  readonly history: History<WorkerState>;
}

/** One worker's operations. */
export class WorkerHand {
  readonly #rig: StoreRig;
  readonly #worker: WorkerRecord;
  readonly #random: SeededRandom;
  readonly #toleratesFailures: boolean;

  constructor(
    rig: StoreRig,
    worker: WorkerRecord,
    random: SeededRandom,
    toleratesFailures: boolean,
  ) {
    this.#rig = rig;
    this.#worker = worker;
    this.#random = random;
    this.#toleratesFailures = toleratesFailures;
  }

  get #state(): WorkerState {
    return this.#worker.history.newest;
  }

  async step(): Promise<void> {
    this.#rig.clock.advance(1);
    const dice = this.#random.below(100);
    if (dice < 36) return this.#put();
    if (dice < 46) return this.#delete();
    if (dice < 54) return this.#rename();
    if (dice < 60) return this.#relabel();
    if (dice < 66) return this.#read();
    if (dice < 80) return this.#appendStep();
    return this.#uploadStep();
  }

  async #put(): Promise<void> {
    const path = this.#path();
    const value = this.#value();
    const exists = this.#state.objects.has(path);
    const condition = this.#random.chance(0.2)
      ? ({ kind: exists ? "present" : "absent" } as const)
      : undefined;
    const bytes = bytesOf(value);
    await this.#do(`put ${path}`, withObject(this.#state, path, [value]), async () => {
      const result = await this.#rig.filer.writeFile({
        tree: this.#worker.tree,
        path: path as EntryPath,
        body: this.#random.chance(0.5) ? bytes : streamOf(bytes),
        describe: () => ({ attributes: { label: value.label } }),
        ...(condition === undefined ? {} : { condition }),
      });
      return result.kind === "ok";
    });
  }

  /** One append, or several one after another so that small chunks are joined, or two at once. */
  async #appendStep(): Promise<void> {
    const path = this.#path();
    const dice = this.#random.below(100);
    if (dice < 25) return this.#appendTwo(path);
    const isRow = dice < 27;
    for (let left = isRow ? APPENDS_IN_A_ROW : 1; left > 0; left -= 1) {
      const value = isRow
        ? { ...this.#value(), sizeBytes: 1 + this.#random.below(60) }
        : this.#value();
      await this.#do(`append to ${path}`, withAppended(this.#state, path, [value]), async () => {
        return (await this.#append(path, value)).kind === "ok";
      });
    }
  }

  /** Each is there whole, in the order of their commits. */
  async #appendTwo(path: string): Promise<void> {
    const { history } = this.#worker;
    const { disk } = this.#rig;
    const before = this.#state;
    const values = [this.#value(), this.#value()] as const;
    const [first, second] = values;
    const others = [[second, first], [first], [second]].map((list) =>
      withAppended(before, path, list),
    );
    const both = withAppended(before, path, values);
    history.begin(`append to ${path} twice at once`, both, disk.moment, others);
    const done = await Promise.all(
      values.map(async (value) => {
        try {
          const result = await this.#append(path, value);
          return result.kind === "ok" ? { value, position: result.value.position } : undefined;
        } catch (error) {
          if (!this.#toleratesFailures) throw error;
          return undefined;
        }
      }),
    );
    const order = done
      .filter((each) => each !== undefined)
      .sort((left, right) => (left.position < right.position ? -1 : 1));
    if (order.length === 0) return history.refuse(disk.moment);
    const list = order.map(({ value }) => value);
    history.settle(withAppended(before, path, list), disk.moment);
  }

  #append(path: string, value: Value) {
    const bytes = bytesOf(value);
    return this.#rig.filer.appendFile({
      tree: this.#worker.tree,
      path: path as EntryPath,
      body: this.#random.chance(0.5) ? bytes : streamOf(bytes),
      describe: () => ({ attributes: { label: value.label } }),
    });
  }

  async #delete(): Promise<void> {
    const path = this.#path();
    await this.#do(`delete ${path}`, withObject(this.#state, path, undefined), async () => {
      const { tree } = this.#worker;
      return (await this.#rig.filer.deleteEntry({ tree, path: path as EntryPath })).kind === "ok";
    });
  }

  async #rename(): Promise<void> {
    const source = this.#path();
    const target = this.#path();
    const moved = this.#state.objects.get(source);
    if (moved === undefined || source === target) return;
    const next = withObject(withObject(this.#state, source, undefined), target, moved);
    await this.#do(`rename ${source} to ${target}`, next, async () => {
      const { tree } = this.#worker;
      const { filer } = this.#rig;
      return (
        (await filer.renameEntry(tree, source as EntryPath, target as EntryPath)).kind === "ok"
      );
    });
  }

  async #relabel(): Promise<void> {
    const path = this.#path();
    const content = this.#state.objects.get(path);
    if (content === undefined) return;
    const label = `${this.#random.uint32()}`;
    const next = withObject(
      this.#state,
      path,
      content.map((value) => ({ ...value, label })),
    );
    await this.#do(`relabel ${path}`, next, async () => {
      const { tree } = this.#worker;
      const change = { attributes: { label } };
      const { filer } = this.#rig;
      return (await filer.setEntryAttributes(tree, path as EntryPath, change)).kind === "ok";
    });
  }

  /** What was acknowledged is what is read, while others write. */
  async #read(): Promise<void> {
    const path = this.#path();
    const content = this.#state.objects.get(path);
    const { filer } = this.#rig;
    const found = await filer.getEntry(this.#worker.tree, path as EntryPath);
    if (found.kind === "refused") {
      if (content !== undefined) throw new Error(`Lost while running: ${path}`);
      return;
    }
    const entry = found.value;
    const bytes = await collectBytes(filer.readFile(entry), entry.sizeBytes);
    const expected = describeObject(
      path,
      Buffer.concat((content ?? []).map(bytesOf)),
      content?.[0]?.label ?? "",
    );
    const actual = describeObject(path, must(bytes), entry.attributes["label"] ?? "");
    if (actual !== expected) throw new Error(`Read ${actual}, expected ${expected}`);
  }

  async #uploadStep(): Promise<void> {
    const open = [...this.#state.uploads];
    if (open.length === 0 || (open.length < 2 && this.#random.chance(0.2))) {
      return this.#createUpload();
    }
    const [id, upload] = this.#random.pick(open);
    if (upload.parts.size < 2 || this.#random.chance(0.4)) return this.#putPart(id, upload);
    if (this.#random.chance(0.2)) return this.#abort(id);
    return this.#complete(id, upload);
  }

  async #createUpload(): Promise<void> {
    const path = this.#path();
    const { history, tree } = this.#worker;
    // Which id it gets is only known afterwards: an upload without parts is not judged, so none is expected.
    history.begin(`create upload ${path}`, this.#state, this.#rig.disk.moment);
    const request = { tree, path: path as EntryPath, owner: "ada", attributes: {} };
    const created = await this.#rig.filer.createUpload(request);
    if (created.kind === "refused") throw new Error(`Refused: ${created.refusal}`);
    const next = withUpload(this.#state, created.value.id, { path, parts: new Map() });
    history.settle(next, this.#rig.disk.moment);
  }

  async #putPart(id: UploadId, upload: UploadState): Promise<void> {
    const number = 1 + this.#random.below(4);
    const value = { ...this.#value(), sizeBytes: 1 + this.#random.below(9000) };
    const parts = changed(upload.parts, number, value);
    const next = withUpload(this.#state, id, { ...upload, parts });
    await this.#do(`part ${number} of ${upload.path}`, next, async () => {
      const result = await this.#rig.filer.writePart({
        tree: this.#worker.tree,
        id,
        number,
        body: bytesOf(value),
        describe: () => ({ attributes: {}, etag: `${value.seed}` }),
      });
      return result.kind === "ok";
    });
  }

  async #complete(id: UploadId, upload: UploadState): Promise<void> {
    const chosen = [...upload.parts].sort(([left], [right]) => left - right);
    // Now and then a part is left out, which is freed then.
    if (chosen.length > 1 && this.#random.chance(0.3)) chosen.pop();
    const label = `${this.#random.uint32()}`;
    const content = chosen.map(([, value]) => ({ ...value, label }));
    const next = withObject(withUpload(this.#state, id, undefined), upload.path, content);
    await this.#do(`complete ${upload.path}`, next, async () => {
      const result = await this.#rig.filer.completeUpload({
        tree: this.#worker.tree,
        id,
        parts: chosen.map(([number, { seed }]) => ({ number, etag: `${seed}` })),
        partBytesMin: 1,
        describe: () => ({ etag: `${id}-${chosen.length}`, attributes: { label } }),
      });
      return result.kind === "ok";
    });
  }

  async #abort(id: UploadId): Promise<void> {
    await this.#do(`abort ${id}`, withUpload(this.#state, id, undefined), async () => {
      return (await this.#rig.filer.abortUpload(this.#worker.tree, id)).kind === "ok";
    });
  }

  async #do(what: string, next: WorkerState, work: () => Promise<boolean>): Promise<void> {
    const { history } = this.#worker;
    const { disk } = this.#rig;
    history.begin(what, next, disk.moment);
    let isDone: boolean;
    try {
      isDone = await work();
    } catch (error) {
      if (!this.#toleratesFailures) throw error;
      isDone = false;
    }
    if (isDone) history.acknowledge(disk.moment);
    else history.refuse(disk.moment);
  }

  #path(): string {
    return `${this.#worker.prefix}k${this.#random.below(KEYS_PER_WORKER)}`;
  }

  #value(): Value {
    const dice = this.#random.below(100);
    const seed = this.#random.uint32();
    let sizeBytes = this.#random.below(1024);
    if (dice < 1 && this.#random.chance(0.5) && this.#worker.tree === PLAIN_TREE)
      sizeBytes = LARGE_BYTES;
    else if (dice < 50) sizeBytes = 1025 + this.#random.below(20_000);
    return { seed, sizeBytes, label: `${seed % 1000}` };
  }
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  const pieceBytes = 64 * 1024;
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
