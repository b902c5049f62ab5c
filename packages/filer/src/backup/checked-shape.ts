import { BLOCK_BYTES } from "../limits.ts";
import type { BackupManifest } from "./backup-manifest.ts";
import type { PackIndex } from "./pack-index.ts";

/**
 * A target is a place that others may write to, and the hash in a document tells damage, not malice. What becomes a path, a
 * place in a file or an amount of memory is therefore looked at before it is used; documents name themselves, so that none
 * can stand for another.
 */

/** Whether a value is the manifest of that id, in everything that names, places or counts. */
export function isManifest(value: unknown, id: string): value is BackupManifest {
  if (!isObject(value)) return false;
  const { storeId, databases, files, packs, volumes, damagedCount, looseNeedles } = value;
  return (
    value["id"] === id &&
    isText(storeId) &&
    isListOf(databases, isDatabase) &&
    isListOf(files, isFile) &&
    isListOf(packs, isPackId) &&
    new Set(packs).size === packs.length &&
    isListOf(volumes, isObject) &&
    (looseNeedles === undefined || isLoose(looseNeedles)) &&
    isCount(damagedCount)
  );
}

/** Whether a value is the index of the pack of that id, with blobs that fill it. */
export function isPackIndex(value: unknown, id: string): value is PackIndex {
  if (!isObject(value) || !isPackId(id) || value["id"] !== id) return false;
  const { blobs, sizeBytes } = value;
  if (!isListOf(blobs, isBlob)) return false;
  let end = 0;
  for (const blob of blobs) end += blob.sizeBytes;
  return end === sizeBytes && Number.isSafeInteger(end);
}

/** A file of a data folder, never a path. */
function isName(value: unknown): value is string {
  return isText(value) && /^\w[\w.-]*$/.test(value);
}

function isDatabase(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { name, sizeBytes, blocks } = value;
  return (
    isName(name) &&
    isCount(sizeBytes) &&
    isListOf(blocks, isHash) &&
    blocks.length === Math.ceil(sizeBytes / BLOCK_BYTES)
  );
}

function isLoose(value: unknown): boolean {
  if (!isObject(value)) return false;
  const { list, count, damagedCount } = value;
  return isDatabase(list) && isCount(count) && isCount(damagedCount);
}

function isFile(value: unknown): boolean {
  if (!isObject(value)) return false;
  return isName(value["name"]) && isCount(value["sizeBytes"]) && isHash(value["block"]);
}

function isBlob(value: unknown): value is { readonly sizeBytes: number } {
  if (!isObject(value)) return false;
  return isText(value["key"]) && isCount(value["sizeBytes"]) && isHash(value["sha256"]);
}

function isPackId(value: unknown): boolean {
  return isText(value) && /^[0-9a-f]{32}$/.test(value);
}

function isHash(value: unknown): boolean {
  return isText(value) && /^[0-9a-f]{64}$/.test(value);
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isListOf<Item>(
  value: unknown,
  isItem: ((item: unknown) => item is Item) | ((item: unknown) => boolean),
): value is readonly Item[] {
  return Array.isArray(value) && value.every((item: unknown) => isItem(item));
}
