import type { Condition, ConditionFailed, Entry } from "@kelp/wire";

/** Order, prefixes and conditions as every filer has them, in the plainest form. */

export function checkCondition(
  condition: Condition | undefined,
  entry: Entry | undefined,
): ConditionFailed | undefined {
  if (condition === undefined) return undefined;
  const exists = entry !== undefined;
  const holds =
    condition.kind === "absent"
      ? !exists
      : exists &&
        (condition.kind === "present" ||
          (condition.kind === "etag" && condition.etags.includes(entry.etag)) ||
          (condition.kind === "position" && condition.position === entry.position));
  return holds ? undefined : { kind: "condition-failed", exists };
}

/** The common prefix that stands for `path`, "" when the path stands for itself, `undefined` when it is not listed. */
export function rollUp(
  path: string,
  prefix: string,
  delimiter: string | undefined,
): string | undefined {
  if (!path.startsWith(prefix)) return undefined;
  if (delimiter === undefined || delimiter === "") return "";
  const at = path.indexOf(delimiter, prefix.length);
  return at === -1 ? "" : path.slice(0, at + delimiter.length);
}

export function isAfter(
  text: string,
  id: string,
  query: { readonly afterPath?: string; readonly afterId?: string },
): boolean {
  if (query.afterPath === undefined) return true;
  const order = compareText(text, query.afterPath);
  if (order !== 0) return order > 0;
  return query.afterId !== undefined && query.afterId !== "" && compareText(id, query.afterId) > 0;
}

export function sorted(entries: ReadonlyMap<string, Entry>): [string, Entry][] {
  return [...entries].sort(([a], [b]) => compareText(a, b));
}

export function compareText(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
