import type { TreeName } from "@kelp/wire";

export const PLAIN_TREE = "plain" as TreeName;
/** A tree whose quota is met now and then. */
export const TIGHT_TREE = "tight" as TreeName;
export const TIGHT_QUOTA_BYTES = 60_000;
