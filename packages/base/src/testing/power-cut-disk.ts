import { assert } from "../assert.ts";
import { type Disk, DiskError, type DiskFile, type DiskSpace, type OpenOptions } from "../disk.ts";
import type { DiskEvent, DiskImage } from "./disk-events.ts";
import { PowerCuts } from "./power-cuts.ts";
import { parentOf } from "./durable-state.ts";
import type { SeededRandom } from "./seeded-random.ts";

export interface PowerCutDiskOptions {
  /** What is on the disk at the beginning, and durable. Default: nothing. */
  readonly start?: DiskImage;
  /** A slow disk: calls end in an order that chance gives. Without it each ends at once. */
  readonly slow?: SeededRandom;
  readonly availableBytes?: number;
}

interface Node {
  readonly file: number;
  content: Buffer;
  sizeBytes: number;
}

/** The calls of a writer that is not a `DiskFile`, in the order in which they reached the disk. */
export interface MirrorFile {
  write(bytes: Uint8Array, offset: number): void;
  truncate(sizeBytes: number): void;
  sync(): void;
  /** Makes the file's name durable, or that it is gone. */
  syncName(): void;
  remove(): void;
}

const AVAILABLE_BYTES_DEFAULT = 2 ** 40;

/**
 * A disk in memory that writes down what is done to it, so that every state can be made in which a power cut could have
 * left it: see `PowerCuts`. For failures of calls put a `FaultyDisk` around it.
 *
 * Invariant: a call is in the log before its promise resolves, a write already when it is called.
 */
export class PowerCutDisk implements Disk {
  readonly #start: DiskImage;
  readonly #events: DiskEvent[] = [];
  readonly #names = new Map<string, Node | "folder">();
  readonly #slow: SeededRandom | undefined;
  readonly #waiting: (() => void)[] = [];
  #lastFile = 0;
  availableBytes: number;

  constructor(options: PowerCutDiskOptions = {}) {
    this.#start = options.start ?? new Map();
    this.#slow = options.slow;
    this.availableBytes = options.availableBytes ?? AVAILABLE_BYTES_DEFAULT;
    let file = -1;
    for (const [path, content] of this.#start) {
      if (content === undefined) this.#names.set(path, "folder");
      else {
        const node = { file, content: Buffer.from(content), sizeBytes: content.length };
        this.#names.set(path, node);
        file -= 1;
      }
    }
  }

  /** Calls so far: a moment for a cut. */
  get moment(): number {
    return this.#events.length;
  }

  /** The states in which a cut can leave this disk, as far as its log goes now. */
  cuts(): PowerCuts {
    return new PowerCuts(this.#start, [...this.#events]);
  }

  /** What the disk holds while the power stays on: what a killed process leaves. */
  image(): DiskImage {
    const image = new Map<string, Uint8Array | undefined>();
    for (const [path, node] of this.#names) {
      const content = node === "folder" ? undefined : node.content.slice(0, node.sizeBytes);
      image.set(path, content);
    }
    return image;
  }

  /** Changes bits where they lie, as a failing disk does: nothing is logged. */
  flip(path: string, offset: number, mask: number): void {
    const node = this.#node("flip", path);
    assert(offset < node.sizeBytes, "a flipped bit is in the file");
    node.content[offset] = (node.content[offset] ?? 0) ^ mask;
  }

  /**
   * A file that something else writes, such as a database with I/O of its own, brought into this log: its calls
   * are logged at once. Made when absent.
   */
  mirror(path: string): MirrorFile {
    const found = this.#names.get(path);
    if (found === "folder") throw failure("open", path, "EISDIR");
    const node = found ?? this.#create(path);
    return {
      write: (bytes, offset) => this.write(node, [bytes], offset),
      truncate: (sizeBytes) => this.truncate(node, sizeBytes),
      sync: () => this.synced(node, this.moment),
      syncName: () =>
        void this.#events.push({ kind: "sync-folder", path: parentOf(path), before: this.moment }),
      remove: () => this.#remove(path),
    };
  }

  async open(path: string, options: OpenOptions): Promise<DiskFile> {
    await this.turn();
    const found = this.#names.get(path);
    if (found === "folder") throw failure("open", path, "EISDIR");
    if (found !== undefined && options.create && options.exclusive) {
      throw failure("open", path, "EEXIST");
    }
    if (found !== undefined) return new PowerCutFile(this, path, found);
    if (!options.create) throw failure("open", path, "ENOENT");
    return new PowerCutFile(this, path, this.#create(path));
  }

  async makeFolder(path: string): Promise<void> {
    await this.turn();
    const missing: string[] = [];
    for (let at = path; at !== "/" && at !== "."; at = parentOf(at)) {
      if (!this.#names.has(at)) missing.unshift(at);
    }
    for (const made of missing) {
      this.#names.set(made, "folder");
      this.#events.push({ kind: "make-folder", path: made });
    }
  }

  async list(path: string): Promise<string[]> {
    await this.turn();
    if (this.#names.get(path) !== "folder") throw failure("list", path, "ENOENT");
    const children = [...this.#names.keys()].filter((name) => parentOf(name) === path);
    return children.map((name) => name.slice(path.length + 1));
  }

  async exists(path: string): Promise<boolean> {
    await this.turn();
    return path === "/" || path === "." || this.#names.has(path);
  }

  async remove(path: string): Promise<void> {
    await this.turn();
    this.#remove(path);
  }

  async rename(source: string, target: string): Promise<void> {
    await this.turn();
    this.#rename(source, target);
  }

  async syncFolder(path: string): Promise<void> {
    const before = this.moment;
    await this.turn();
    if (path !== "/" && path !== "." && this.#names.get(path) !== "folder") {
      throw failure("sync folder", path, "ENOENT");
    }
    this.#events.push({ kind: "sync-folder", path, before });
  }

  async readWhole(path: string): Promise<Uint8Array> {
    await this.turn();
    const node = this.#node("read", path);
    return node.content.slice(0, node.sizeBytes);
  }

  async writeWhole(path: string, content: Uint8Array): Promise<void> {
    const temporary = `${path}.tmp`;
    {
      await using file = await this.open(temporary, { access: "read-write", create: true });
      await file.truncate(0);
      await file.writeAt([content], 0);
      await file.sync();
    }
    await this.rename(temporary, path);
    await this.syncFolder(parentOf(path));
  }

  async space(): Promise<DiskSpace> {
    await this.turn();
    return { totalBytes: AVAILABLE_BYTES_DEFAULT, availableBytes: this.availableBytes };
  }

  /** For its files. Resolves when chance lets this call end. */
  turn(): Promise<void> {
    const slow = this.#slow;
    if (slow === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#endOne(slow));
    });
  }

  /** For its files. */
  write(node: Node, parts: readonly Uint8Array[], offset: number): void {
    const bytes = Buffer.concat(parts);
    grow(node, offset + bytes.length);
    node.content.set(bytes, offset);
    this.#events.push({ kind: "write", file: node.file, offset, bytes });
  }

  /** For its files. */
  truncate(node: Node, sizeBytes: number): void {
    grow(node, sizeBytes);
    node.content.fill(0, sizeBytes);
    node.sizeBytes = sizeBytes;
    this.#events.push({ kind: "truncate", file: node.file, sizeBytes });
  }

  /** For its files: a sync that began when the log had `before` events. */
  synced(node: Node, before: number): void {
    this.#events.push({ kind: "sync", file: node.file, before });
  }

  #endOne(slow: SeededRandom): void {
    const [resolve] = this.#waiting.splice(slow.below(this.#waiting.length), 1);
    resolve?.();
    if (this.#waiting.length > 0) setImmediate(() => this.#endOne(slow));
  }

  #create(path: string): Node {
    this.#needFolder("open", path);
    this.#lastFile += 1;
    const node = { file: this.#lastFile, content: Buffer.alloc(0), sizeBytes: 0 };
    this.#names.set(path, node);
    this.#events.push({ kind: "create", path, file: node.file });
    return node;
  }

  #remove(path: string): void {
    this.#node("remove", path);
    this.#names.delete(path);
    this.#events.push({ kind: "remove", path });
  }

  #rename(source: string, target: string): void {
    const node = this.#node("rename", source);
    this.#needFolder("rename", target);
    this.#names.delete(source);
    this.#names.set(target, node);
    this.#events.push({ kind: "rename", source, target });
  }

  #node(action: string, path: string): Node {
    const node = this.#names.get(path);
    if (node === undefined) throw failure(action, path, "ENOENT");
    if (node === "folder") throw failure(action, path, "EISDIR");
    return node;
  }

  #needFolder(action: string, path: string): void {
    const folder = parentOf(path);
    if (folder === "/" || folder === "." || this.#names.get(folder) === "folder") return;
    throw failure(action, path, "ENOENT");
  }
}

class PowerCutFile implements DiskFile {
  readonly path: string;
  readonly #disk: PowerCutDisk;
  readonly #node: Node;
  #isOpen = true;

  constructor(disk: PowerCutDisk, path: string, node: Node) {
    this.#disk = disk;
    this.path = path;
    this.#node = node;
  }

  async readAt(target: Uint8Array, offset: number): Promise<number> {
    await this.#disk.turn();
    return this.readAtSync(target, offset);
  }

  readAtSync(target: Uint8Array, offset: number): number {
    this.#needOpen("read");
    const end = Math.min(this.#node.sizeBytes, offset + target.length);
    if (end <= offset) return 0;
    target.set(this.#node.content.subarray(offset, end));
    return end - offset;
  }

  async writeAt(parts: readonly Uint8Array[], offset: number): Promise<void> {
    this.#needOpen("write");
    this.#disk.write(this.#node, parts, offset);
    await this.#disk.turn();
  }

  async sync(): Promise<void> {
    this.#needOpen("sync");
    const before = this.#disk.moment;
    await this.#disk.turn();
    this.#disk.synced(this.#node, before);
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#needOpen("truncate");
    this.#disk.truncate(this.#node, sizeBytes);
    await this.#disk.turn();
  }

  async sizeBytes(): Promise<number> {
    this.#needOpen("stat");
    return this.#node.sizeBytes;
  }

  async close(): Promise<void> {
    this.#isOpen = false;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #needOpen(action: string): void {
    if (!this.#isOpen) throw failure(action, this.path, "EBADF");
  }
}

/** Lengthens to at least `sizeBytes`; what is new is zeros. */
function grow(node: Node, sizeBytes: number): void {
  if (sizeBytes > node.content.length) {
    const content = Buffer.alloc(Math.max(sizeBytes, node.content.length * 2));
    content.set(node.content.subarray(0, node.sizeBytes));
    node.content = content;
  }
  node.sizeBytes = Math.max(node.sizeBytes, sizeBytes);
}

function failure(action: string, path: string, code: string): DiskError {
  return new DiskError(action, path, code, undefined);
}
