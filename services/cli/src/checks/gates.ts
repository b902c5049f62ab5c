import { repositoryHas } from "../repository.ts";

/** A check of the whole checkout that either holds or does not. It counts as one test. */
export interface Gate {
  readonly name: string;
  /** Arguments to Bun. */
  readonly args: readonly string[];
}

/** Quickest first, so that a slip shows at once. */
export function qualityGates(): readonly Gate[] {
  const gates: Gate[] = [
    { name: "format", args: ["x", "oxfmt", "--check", "."] },
    { name: "lint", args: ["x", "oxlint", "--type-aware", "."] },
    { name: "types", args: ["x", "tsc", "-p", "."] },
  ];
  if (repositoryHas("packages/console/web/tsconfig.json")) {
    gates.push({ name: "types of the console", args: ["x", "tsc", "-p", "packages/console/web"] });
  }
  gates.push({ name: "unused code", args: ["x", "knip", "--no-progress"] });
  return gates;
}
