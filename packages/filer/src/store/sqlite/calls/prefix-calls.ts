import { type Result, ok, refused } from "@kelp/base";
import { FilerError } from "../../../errors.ts";
import type { PrefixCalls } from "../../filer-store.ts";
import { beginPrefixJob, renamePrefix } from "../prefix-rename.ts";
import { type StoreParts, settled } from "./store-parts.ts";

export function prefixCalls(parts: StoreParts): PrefixCalls {
  const { tables, entries } = parts;
  return {
    async renamePrefix(tree, source, target) {
      const sourcePrefix = source.toWellFormed();
      const targetPrefix = target.toWellFormed();
      const outcome = await settled(parts, tree, () =>
        renamePrefix(tables, entries, { tree, sourcePrefix, targetPrefix }),
      );
      if (outcome instanceof FilerError) throw outcome;
      return outcome;
    },
    deletePrefix: (name, prefix) =>
      settled(parts, name, (tree): Result<void, "no-such-tree"> => {
        if (tree === undefined) return refused("no-such-tree");
        beginPrefixJob(tables, tree, { kind: "delete-prefix", source: prefix.toWellFormed() });
        return ok(undefined);
      }),
  };
}
