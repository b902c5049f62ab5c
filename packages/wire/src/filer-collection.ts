import { assert } from "@kelp/base";

const PREFIX = "kelp-filer-";
/** Enough that no two stores whose volumes may meet in one folder have one name. */
const ID_DIGITS = 16;

/**
 * The collection of the volumes in which a filer keeps content: of one store, and of nothing else. What stands in them and no
 * entry names is left over and may go. In all other volumes it may be a client's of the volume door, or another store's.
 */
export function filerCollection(storeId: string): string {
  const digits = storeId.toLowerCase().replaceAll(/[^0-9a-z]/g, "");
  assert(digits.length >= ID_DIGITS, "the id of a store tells it from all others");
  return `${PREFIX}${digits.slice(0, ID_DIGITS)}`;
}

/** Whether volumes of this collection are some filer's: nobody else writes to them, nor takes from them. */
export function isFilerCollection(collection: string): boolean {
  return collection.startsWith(PREFIX);
}
