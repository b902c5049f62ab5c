import { collectBytes, must } from "@kelp/base";
import type { SeededRandom } from "@kelp/base/testing";
import type { EntryPath, TreeName, UploadId, VolumeId } from "@kelp/wire";
import { History } from "./history.ts";
import { type StoreRig, VOLUMES } from "./store-rig.ts";
import {
  type UploadState,
  type Value,
  type WorkerState,
  bytesOf,
  changed,
  describeObject,
  withObject,
  withUpload,
} from "./worker-state.ts";

export const PLAIN_TREE = "plain" as TreeName;
/** A tree whose quota is met now and then. */
export const TIGHT_TREE = "tight" as TreeName;
export const TIGHT_QUOTA_BYTES = 60_000;

/** No job waits for its pace. */
const SHARDS = { dataShards: 3, parityShards: 2, bytesPerSec: Number.POSITIVE_INFINITY };
const KEYS_PER_WORKER = 4;
const LARGE_BYTES = 2 * 1024 * 1024 + 5000;

/** What workers did, for whoever judges a cut. */
export interface WorkloadRecord {
  readonly workers: readonly WorkerRecord[];
  /** Moments between which the collector ran. */
  /** The disk fails now and then: an operation may throw, and has changed nothing then. */
  readonly hasFailures: boolean;
  readonly collecting: { readonly start: number; end: number | undefined }[];
  /** Moments between which volumes were made shards of, made good, and put together again. */
  readonly reshaping: { readonly start: number; end: number | undefined }[];
}

export interface WorkerRecord {
  readonly tree: TreeName;
  readonly prefix: string;
  readonly history: History;
}

export async function createTrees({ filer }: StoreRig): Promise<void> {
  await filer.createTree({ name: PLAIN_TREE, kind: "bucket", owner: "ada" });
  await filer.createTree({ name: TIGHT_TREE, kind: "bucket", owner: "ada" });
  await filer.setQuota(TIGHT_TREE, { bytes: TIGHT_QUOTA_BYTES });
}

/** Several workers at once, each with keys of its own, and a collector of garbage. */
export class Workload {
  readonly record: WorkloadRecord;
  readonly #random: SeededRandom;
  readonly #vacuums: SeededRandom;

  /** `states`: what the workers' parts hold at the beginning. Default: nothing. */
  constructor(
    random: SeededRandom,
    workerCount: number,
    options: { readonly hasFailures?: boolean; readonly states?: readonly WorkerState[] } = {},
  ) {
    const { hasFailures = false, states = [] } = options;
    this.#random = random;
    this.#vacuums = random.fork(1000);
    this.record = {
      hasFailures,
      workers: Array.from({ length: workerCount }, (_, index) => ({
        tree: index % 3 === 2 ? TIGHT_TREE : PLAIN_TREE,
        prefix: `w${index}/`,
        history: new History(states[index]),
      })),
      collecting: [],
      reshaping: [],
    };
  }

  /** Each worker does `stepCount` operations. */
  async run(rig: StoreRig, stepCount: number): Promise<void> {
    const done = new AbortController();
    const collecting = this.#collect(rig, done.signal);
    const workers = this.record.workers.map(async (worker, index) => {
      const hand = new Hand(rig, worker, this.#random.fork(index), this.record.hasFailures);
      for (let step = 0; step < stepCount; step += 1) await hand.step();
    });
    await Promise.all(workers);
    done.abort();
    await collecting;
  }

  async #vacuumOne({ volumes }: StoreRig): Promise<void> {
    const emptying = (await volumes.volumes()).filter(
      ({ deletedCount, state, form }) =>
        deletedCount > 0 && state !== "failed" && form.kind === "plain",
    );
    if (emptying.length > 0) await volumes.vacuum(this.#vacuums.pick(emptying).id);
  }

  /** Makes shards of a full volume; of one that has them a volume file again, or damages a shard and has it made good. */
  async #reshapeOne(rig: StoreRig): Promise<void> {
    const { volumes } = rig;
    const all = (await volumes.volumes()).filter(({ state }) => state !== "failed");
    const plain = all.filter(({ state, form }) => form.kind === "plain" && state === "full");
    const coded = all.filter(({ form }) => form.kind === "erasure-coded");
    const isEncoding = coded.length === 0 || (plain.length > 0 && this.#vacuums.chance(0.2));
    if (isEncoding) {
      if (plain.length > 0) await volumes.encodeVolume(this.#vacuums.pick(plain).id, SHARDS);
      return;
    }
    const { id, collection } = this.#vacuums.pick(coded);
    if (this.#vacuums.chance(0.4)) return volumes.decodeVolume(id, SHARDS);
    if (!this.record.hasFailures) await this.#damageShard(rig, { id, collection });
    const { damaged } = await volumes.scrubVolume(id, SHARDS);
    if (damaged.length > 0) throw new Error(`Not made good: ${JSON.stringify(damaged)}`);
  }

  async #damageShard(
    { disk }: StoreRig,
    { id, collection }: { readonly id: VolumeId; readonly collection: string },
  ): Promise<void> {
    const shard = this.#vacuums.below(SHARDS.dataShards + SHARDS.parityShards);
    const base = collection === "" ? `${id}` : `${collection}_${id}`;
    await using file = await disk.open(`${VOLUMES}/${base}.ec0${shard}`, { access: "read-write" });
    const at = this.#vacuums.below(await file.sizeBytes());
    const byte = Buffer.alloc(1);
    await file.readAt(byte, at);
    byte[0] = (byte[0] ?? 0) ^ 1;
    await file.writeAt([byte], at);
  }

  async #collect(rig: StoreRig, done: AbortSignal): Promise<void> {
    while (!done.aborted) {
      for (let turn = 0; turn < 40; turn += 1) await nextTurn();
      const round: { start: number; end: number | undefined } = {
        start: rig.disk.moment,
        end: undefined,
      };
      this.record.collecting.push(round);
      try {
        await rig.filer.collect({ graceMs: 0 });
        await this.#vacuumOne(rig);
        const reshaping = { start: rig.disk.moment, end: undefined as number | undefined };
        this.record.reshaping.push(reshaping);
        for (let turn = 0; turn < 3; turn += 1) await this.#reshapeOne(rig);
        reshaping.end = rig.disk.moment;
      } catch (error) {
        if (!this.record.hasFailures) throw error;
      }
      round.end = rig.disk.moment;
    }
  }
}

/** One worker's operations. */
class Hand {
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
    if (dice < 45) return this.#put();
    if (dice < 57) return this.#delete();
    if (dice < 66) return this.#rename();
    if (dice < 72) return this.#relabel();
    if (dice < 78) return this.#read();
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

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
