import type { Hashes } from "@kelp/base";
import { FilerError } from "../../errors.ts";

/**
 * Checksums of rows. SQLite keeps none over its pages, so bytes that a disk changed would be served as they are: an inline
 * body with a success status, or the chunks of another entry. Each sum is a CRC-32 over everything that the
 * answer to a reader is made of, kept in the row's last column as a signed number:
 *
 * - `contents.sum`  the id, then the bytes. The id is in it, so that content found under a changed `content_id` fails.
 * - `entries.sum`   path, size, date, etag, chunk count, position, content id, attributes, lifetime when it has one. Not the
 *                   tree, whose id is only in the key. `past_entries.sum` alike.
 * - `parts.sum`     number, size, date, etag, chunk count, attributes, then the chunk list.
 * - `uploads.sum`   id, path, owner, date, attributes.
 *
 * Every changed bit and every changed run of up to 32 bits is found, other damage but for one in 4 billion.
 * Rows from before there were sums have none and are not checked until they are written again.
 */

/** What `entries.sum` covers. */
export interface SummedEntry {
  readonly path: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly chunkCount: number;
  readonly position: number;
  readonly contentId: number;
  readonly attributes: string;
  /** 0 is never. */
  readonly expiresMs: number;
}

/** What `parts.sum` covers. */
export interface SummedPart {
  readonly number: number;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
  readonly etag: string;
  readonly chunkCount: number;
  readonly attributes: string;
  readonly chunks: Uint8Array;
}

/** What `uploads.sum` covers. */
export interface SummedUpload {
  readonly id: string;
  readonly path: string;
  readonly owner: string;
  readonly createdMs: number;
  readonly attributes: string;
}

export function contentSum(hashes: Hashes, id: number, bytes: Uint8Array): number {
  return hashes.crc32(bytes, hashes.crc32(`${id}`)) | 0;
}

export function entrySum(hashes: Hashes, entry: SummedEntry): number {
  const { path, sizeBytes, modifiedMs, etag, chunkCount, position, contentId, attributes } = entry;
  const lifetime = entry.expiresMs === 0 ? "" : ` ${entry.expiresMs}`;
  // The path and the attributes may hold anything: they stand at the ends, where they cannot run into a number.
  return (
    hashes.crc32(
      `${path}\n${sizeBytes} ${modifiedMs} ${chunkCount} ${position} ${contentId}${lifetime} ${etag}\n${attributes}`,
    ) | 0
  );
}

export function partSum(hashes: Hashes, part: SummedPart): number {
  const { number, sizeBytes, modifiedMs, etag, chunkCount, attributes, chunks } = part;
  const head = `${number} ${sizeBytes} ${modifiedMs} ${chunkCount} ${etag}\n${attributes}`;
  return hashes.crc32(chunks, hashes.crc32(head)) | 0;
}

export function uploadSum(hashes: Hashes, upload: SummedUpload): number {
  const { id, path, owner, createdMs, attributes } = upload;
  return hashes.crc32(`${path}\n${id} ${createdMs}\n${owner}\n${attributes}`) | 0;
}

/** Throws `entry-corrupt` when a row that has a sum has another one than `found`. */
export function checkSum(what: string, stored: number | null, found: number): void {
  if (stored !== null && stored !== found) {
    throw damaged(`${what} does not match its checksum`);
  }
}

export function damaged(finding: string): FilerError {
  return new FilerError("entry-corrupt", `Cannot read the metadata store: ${finding}`);
}
