import type { Trees } from "@kelp/wire";
import { TreeWrites } from "../tree-writes.ts";
import { reading } from "./reading.ts";
import type { StoreParts } from "./store-parts.ts";

export function treeCalls({ tables, commit, snapshots }: StoreParts): Trees {
  const writes = new TreeWrites(tables, snapshots);
  return {
    createTree: (request) => commit.run(() => writes.create(request)),
    async getTree(name) {
      return reading(() => {
        return tables.trees.peek(name);
      });
    },
    async listTrees() {
      return reading(() => tables.trees.all());
    },
    deleteTree: (name, options) => commit.run(() => writes.delete(name, options)),
    setQuota: (name, change) => commit.run(() => writes.setQuota(name, change)),
    setTreeAttributes: (name, attributes) =>
      commit.run(() => writes.setAttributes(name, attributes)),
  };
}
