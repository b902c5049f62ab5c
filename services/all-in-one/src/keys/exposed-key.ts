import { realpathSync, statSync } from "node:fs";
import { sep } from "node:path";

/** Bits of a mode with which users other than owner and group read or write. */
const OTHERS = 0o006;

/**
 * What makes a key file no secret, in words for its operator: nothing that keeps a server from starting, since containers
 * mount secrets in many ways. `undefined` when nothing, and of keys from elsewhere. The file has been read before.
 */
export function exposureOf(source: string, dir: string): string | undefined {
  if (!source.startsWith("file:")) return undefined;
  const path = source.slice("file:".length);
  const mode = statSync(path).mode & 0o777;
  if ((mode & OTHERS) !== 0) {
    return `any user of this machine can use it: its mode is ${mode.toString(8)}, 600 is enough`;
  }
  if (realOf(path).startsWith(`${realOf(dir)}${sep}`)) {
    return "it is in the data folder: whoever has a copy of that has the key";
  }
  return undefined;
}

/** A folder that is not there yet holds no key. */
function realOf(path: string): string {
  return statSync(path, { throwIfNoEntry: false }) === undefined ? path : realpathSync(path);
}
