import type { Attributes, Tree } from "@kelp/wire";
import type { Region } from "./operation.ts";

/** The region that stands for "no constraint" in S3's documents. */
export const DEFAULT_REGION = "us-east-1";

const ATTRIBUTE = "location";

/** The region that a bucket says it is in: the one it was made with, else the store's. */
export function locationOf(tree: Tree, region: Region): string {
  return tree.attributes[ATTRIBUTE] ?? regionName(region);
}

export function regionName(region: Region): string {
  return region.kind === "strict" ? region.name : DEFAULT_REGION;
}

export function locationAttributes(location: string): Attributes {
  return { [ATTRIBUTE]: location };
}
