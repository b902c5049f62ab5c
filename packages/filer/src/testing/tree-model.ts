import { compareText } from "../list/text-order.ts";

/** A tree as a plain map, to hold the filer against: slow and obviously right. */
export class TreeModel {
  readonly sizes = new Map<string, number>();

  /** The texts of a listing's items and its `next`, by reading the port's words literally. */
  list(query: {
    readonly prefix?: string;
    readonly delimiter?: string;
    readonly after?: string;
    readonly limit: number;
  }): { items: string[]; next: string | undefined } {
    const { prefix = "", delimiter = "", after, limit } = query;
    const items = new Set<string>();
    for (const path of [...this.sizes.keys()].sort(compareText)) {
      if (!path.startsWith(prefix)) continue;
      const at = delimiter === "" ? -1 : path.indexOf(delimiter, prefix.length);
      const item = at < 0 ? `entry ${path}` : `prefix ${path.slice(0, at + delimiter.length)}`;
      const text = item.slice(item.indexOf(" ") + 1);
      if (after === undefined || compareText(text, after) > 0) items.add(item);
    }
    const page = [...items].slice(0, limit);
    const last = page.at(-1);
    const next =
      items.size > limit && last !== undefined ? last.slice(last.indexOf(" ") + 1) : undefined;
    return { items: page, next };
  }

  renamePrefix(source: string, target: string): string {
    const moved = [...this.sizes.keys()].filter((path) => path.startsWith(source));
    if (moved.length === 0) return "no-such-entry";
    if (moved.length > 100) return "too-many";
    const targets = moved.map((path) => target + path.slice(source.length));
    const isTaken = targets.some((path) => this.sizes.has(path) && !moved.includes(path));
    if (isTaken) return "target-exists";
    const sizes = moved.map((path) => this.sizes.get(path) ?? 0);
    for (const path of moved) this.sizes.delete(path);
    for (const [index, path] of targets.entries()) this.sizes.set(path, sizes[index] ?? 0);
    return "ok";
  }
}
