/** Memory for one record: the beginning of `scratch` where it fits in, or memory of its own. What is in it is undefined. */
export function recordMemory(recordBytes: number, scratch: Uint8Array | undefined): Buffer {
  return scratch !== undefined && recordBytes <= scratch.length
    ? Buffer.from(scratch.buffer, scratch.byteOffset, recordBytes)
    : Buffer.allocUnsafeSlow(recordBytes);
}
