import type { ChangeFeed, Changes } from "./changes.ts";
import type { Entries } from "./entries.ts";
import type { Appends, Files } from "./files.ts";
import type { Snapshots } from "./snapshots.ts";
import type { Trees } from "./trees.ts";
import type { Uploads } from "./uploads.ts";

/**
 * The namespace: one ordered map from (tree, path) to entry, with what hangs on it (uploads, usage, a change log),
 * and the bodies of entries. Gateways need nothing else of the store.
 *
 * Implementations must:
 * - commit conditions, quota, usage, entry and change record in one transaction, durable before the promise resolves;
 * - order paths by the bytes of their UTF-8;
 * - make every committed change visible to every call that starts afterwards.
 */
export interface Filer extends Trees, Entries, Files, Uploads, Changes {}

/** The filer with what goes beyond the needs of a gateway. */
export interface Namespace extends Filer, Appends, Snapshots, ChangeFeed {}
