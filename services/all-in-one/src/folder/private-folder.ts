import { chmodSync, closeSync, fsyncSync, mkdirSync, openSync } from "node:fs";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder for its owner alone, and those above it; others' folders keep their mode. Durable: what is written into it
 * later is not lost with its name. Throws what the system throws.
 */
export function makePrivateFolder(path: string): void {
  const highest = mkdirSync(path, { recursive: true, mode: 0o700 });
  if (highest === undefined) return;
  chmodSync(path, 0o700);
  for (let at = resolve(path); ; at = dirname(at)) {
    syncFolder(dirname(at));
    if (at === resolve(highest) || at === dirname(at)) return;
  }
}

function syncFolder(path: string): void {
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
