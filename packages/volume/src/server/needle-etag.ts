/** A needle's ETag: the checksum of what is stored, as 8 hex digits. */
export function etagOf(checksum: number): string {
  return checksum.toString(16).padStart(8, "0");
}
