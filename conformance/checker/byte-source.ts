import { closeSync, fstatSync, openSync, readSync } from "node:fs";

/** A file, or bytes that stand for one. Nothing of it is kept in memory but what is asked for. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Up to `count` bytes from `offset`: less only at the end. */
  read(offset: number, count: number): Buffer;
}

export function sourceOf(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: (offset, count) => Buffer.from(bytes.subarray(offset, offset + count)),
  };
}

export function openSource(path: string): ByteSource & Disposable {
  const fd = openSync(path, "r");
  return {
    sizeBytes: fstatSync(fd).size,
    read(offset, count) {
      const bytes = Buffer.alloc(count);
      let done = 0;
      while (done < count) {
        const got = readSync(fd, bytes, done, count - done, offset + done);
        if (got === 0) break;
        done += got;
      }
      return bytes.subarray(0, done);
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

const CASTAGNOLI_REVERSED = 0x82f6_3b78;
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) {
    value = (value & 1) === 1 ? (value >>> 1) ^ CASTAGNOLI_REVERSED : value >>> 1;
  }
  return value >>> 0;
});

/** CRC-32C from its definition. */
export function crc32c(bytes: Uint8Array): number {
  let value = 0xffff_ffff;
  // By index: an iterator over the bytes takes three times as long.
  for (let at = 0; at < bytes.length; at += 1) {
    value = (value >>> 8) ^ (TABLE[(value ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  }
  return ~value >>> 0;
}
