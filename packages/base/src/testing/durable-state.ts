import { must } from "../assert.ts";
import type { DiskEvent, DiskImage } from "./disk-events.ts";
import { type PendingChange, PendingFile } from "./pending-file.ts";
import type { SeededRandom } from "./seeded-random.ts";

/** Names that one call changed together. `undefined`: the name is gone. */
interface NameChange {
  readonly at: number;
  readonly names: ReadonlyMap<string, number | undefined>;
}

/** Number of what is a folder: it has no content. */
const FOLDER = 0;

/**
 * What is certain on a disk, and what is not yet: content of files behind their last sync, and changes of names
 * behind the last sync of their folder. A sync of a file says nothing of its name, as POSIX has it.
 */
export class DurableState {
  readonly #files = new Map<number, PendingFile>();
  readonly #names = new Map<string, number>();
  /** Where names stand with everything applied. */
  readonly #current = new Map<string, number>();
  #pendingNames: NameChange[] = [];

  constructor(start: DiskImage) {
    let file = -1;
    for (const [path, content] of start) {
      if (content === undefined) this.#names.set(path, FOLDER);
      else {
        this.#names.set(path, file);
        this.#files.set(file, new PendingFile(content));
        file -= 1;
      }
    }
    for (const [path, number] of this.#names) this.#current.set(path, number);
  }

  apply(event: DiskEvent, at: number): void {
    switch (event.kind) {
      case "make-folder":
        return this.#rename(at, [[event.path, FOLDER]]);
      case "create":
        this.#files.set(event.file, new PendingFile(new Uint8Array(0)));
        return this.#rename(at, [[event.path, event.file]]);
      case "remove":
        return this.#rename(at, [[event.path, undefined]]);
      case "rename":
        return this.#rename(at, [
          [event.source, undefined],
          [event.target, must(this.#current.get(event.source))],
        ]);
      case "sync-folder":
        return this.#syncNames(event.path, event.before);
      case "write":
      case "truncate":
        return this.#file(event.file).change({ ...event, at } satisfies PendingChange);
      case "sync":
        return this.#file(event.file).sync(event.before);
    }
  }

  /** The state that is left when the power goes: everything durable, and of the rest what chance keeps. */
  lose(random: SeededRandom): DiskImage {
    const keeping = random.pick(KEEPING);
    const names = new Map(this.#names);
    for (const change of this.#pendingNames) {
      if (!keeping.keepsNames(random)) continue;
      for (const [path, file] of change.names) {
        if (file === undefined) names.delete(path);
        else names.set(path, file);
      }
    }
    const image = new Map<string, Uint8Array | undefined>();
    for (const [path, file] of names) {
      if (!hasParents(path, names)) continue;
      image.set(path, file === FOLDER ? undefined : this.#file(file).lose(keeping.content, random));
    }
    return image;
  }

  /** Files of the starting image have numbers below 0, in the order of the image; those made later are the log's own. */
  #file(file: number): PendingFile {
    return must(this.#files.get(file));
  }

  #rename(at: number, changes: readonly (readonly [string, number | undefined])[]): void {
    for (const [path, file] of changes) {
      if (file === undefined) this.#current.delete(path);
      else this.#current.set(path, file);
    }
    this.#pendingNames.push({ at, names: new Map(changes) });
  }

  #syncNames(folder: string, before: number): void {
    const due = new Set<NameChange>();
    const names = new Set<string>();
    // From the newest on: with a change goes what it stands on, as with a rename the making of what it renames.
    for (const change of this.#pendingNames.toReversed()) {
      const paths = [...change.names.keys()];
      const concerns = change.at < before && paths.some((path) => parentOf(path) === folder);
      if (!concerns && !paths.some((path) => names.has(path))) continue;
      due.add(change);
      for (const path of paths) names.add(path);
    }
    for (const change of this.#pendingNames) {
      if (!due.has(change)) continue;
      for (const [path, file] of change.names) {
        if (file === undefined) this.#names.delete(path);
        else this.#names.set(path, file);
      }
    }
    this.#pendingNames = this.#pendingNames.filter((change) => !due.has(change));
  }
}

/** How much of what is not certain a cut keeps. Extremes are as likely as mixtures: most faults are met at an extreme. */
interface Keeping {
  readonly content: "nothing" | "all" | "writes" | "sectors" | "pages" | "beginning";
  keepsNames(random: SeededRandom): boolean;
}

const always = (): boolean => true;
const never = (): boolean => false;
const perhaps = (random: SeededRandom): boolean => random.chance(0.5);

const KEEPING: readonly Keeping[] = [
  { content: "nothing", keepsNames: never },
  { content: "nothing", keepsNames: always },
  { content: "all", keepsNames: never },
  { content: "all", keepsNames: always },
  { content: "writes", keepsNames: perhaps },
  { content: "sectors", keepsNames: perhaps },
  { content: "pages", keepsNames: perhaps },
  { content: "beginning", keepsNames: perhaps },
];

function hasParents(path: string, names: ReadonlyMap<string, number>): boolean {
  const parent = parentOf(path);
  if (parent === "/" || parent === ".") return true;
  return names.get(parent) === FOLDER && hasParents(parent, names);
}

/** The folder of a path. */
export function parentOf(path: string): string {
  const cut = path.lastIndexOf("/");
  if (cut < 0) return ".";
  return cut === 0 ? "/" : path.slice(0, cut);
}
