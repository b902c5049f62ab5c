import { crc32 } from "node:zlib";
import { timingSafeEqual } from "node:crypto";
import { unreachable } from "../assert.ts";
import { utf8 } from "../bytes.ts";
import type { HashAlgorithm, Hasher, Hashes } from "../hash.ts";
import { Crc32c, Crc64Nvme, crc32cOf } from "../checksum/index.ts";
import { Md5Lanes } from "./md5-lanes.ts";

/** One for the process: bodies share lanes with whichever others there are. */
const md5Lanes = new Md5Lanes();

/** Bun's native hashes for md5, sha and crc32; this room's own kernels for crc32c and crc64nvme. */
export const systemHashes: Hashes = {
  create(algorithm) {
    switch (algorithm) {
      case "md5":
      case "sha1":
      case "sha256":
        return new NativeHasher(algorithm);
      case "crc32":
        return new Crc32();
      case "crc32c":
        return new Crc32c();
      case "crc64nvme":
        return new Crc64Nvme();
      default:
        return unreachable(algorithm);
    }
  },
  createMd5Apart: () => md5Lanes.create(),
  digest(algorithm, content) {
    if (algorithm === "md5") return Bun.MD5.hash(content) as Uint8Array;
    if (algorithm === "sha256") return Bun.SHA256.hash(content) as Uint8Array;
    const hasher = systemHashes.create(algorithm);
    hasher.update(typeof content === "string" ? utf8(content) : content);
    return hasher.digest();
  },
  crc32c: (bytes, seed) => crc32cOf(bytes, seed),
  xxh3: (bytes) => Bun.hash.xxHash3(bytes),
  crc32: (content, seed) => crc32(content, seed),
  hmacSha256: (key, message) => new Bun.CryptoHasher("sha256", key).update(message).digest(),
  equalInConstantTime: (left, right) =>
    left.length === right.length && timingSafeEqual(left, right),
};

/** Lets go of memory that only the hashing of earlier bodies still holds. */
export function forgetHashedMemory(): void {
  md5Lanes.forget();
}

class NativeHasher implements Hasher {
  readonly #hasher: Bun.CryptoHasher;

  constructor(algorithm: Extract<HashAlgorithm, "md5" | "sha1" | "sha256">) {
    this.#hasher = new Bun.CryptoHasher(algorithm);
  }

  update(bytes: Uint8Array): void {
    this.#hasher.update(bytes);
  }

  digest(): Uint8Array {
    return this.#hasher.digest();
  }
}

class Crc32 implements Hasher {
  #value = 0;

  update(bytes: Uint8Array): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): Uint8Array {
    const out = Buffer.alloc(4);
    out.writeUInt32BE(this.#value >>> 0);
    return out;
  }
}
